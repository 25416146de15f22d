"""A power cut at every step of everything that is stored, on a simulated flash: the old or the new, never neither."""

import power_cuts
from flash import Fat, Flash

from lwm2m import log

log.level("error")


def play(story, least, kind=Flash):
    """Play a story on a flash; it must have been worth it."""
    with kind() as flash:
        cuts = story(flash)
    assert cuts >= least, cuts


def test_first_bootstrap():
    play(power_cuts.first_bootstrap, 15)


def test_second_bootstrap():
    play(power_cuts.second_bootstrap, 15)


def test_write_to_an_account():
    play(power_cuts.write, 15)


def test_write_to_rights():
    play(power_cuts.write_rights, 15)


def test_delete_of_an_account():
    play(power_cuts.delete_account, 15)


def test_create_with_rights():
    play(power_cuts.create, 15)


def test_delete_with_rights():
    play(power_cuts.delete, 15)


def test_factory_reset():
    play(power_cuts.factory_reset, 3)


def test_firmware_pushed():
    play(power_cuts.pushed, 15)


def test_firmware_pulled():
    play(power_cuts.pulled, 30)


def test_firmware_installed():
    play(power_cuts.installed, 30, Fat)


def test_firmware_reset():
    play(power_cuts.reset, 3)


def test_software_installed():
    play(power_cuts.software, 15)


def test_oscore_numbers():
    play(power_cuts.numbers, 15)
