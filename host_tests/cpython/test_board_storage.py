"""What sensors.storage and sensors.chip tell of a board, against what this computer's Python says of itself."""

import shutil
import uuid

import pytest

from sensors import chip, storage


def test_storage_is_that_of_the_file_system(tmp_path):
    """Kilobytes of 1000 bytes, as the Device object wants them."""
    usage = shutil.disk_usage(tmp_path)
    assert storage.total_kb(str(tmp_path)) == usage.total // 1000
    assert storage.free_kb(str(tmp_path)) == pytest.approx(usage.free // 1000, rel=0.05)
    assert 0 < storage.free_kb() <= storage.total_kb()


def test_storage_that_is_not_there():
    """OSError, which a Read of many skips and a Read of one answers with 5.03."""
    with pytest.raises(OSError):
        storage.free_kb("/nowhere/at/all")


def test_serial_is_the_mac_address():
    """Twelve hexadecimal digits."""
    assert chip.serial() == f"{uuid.getnode():012x}"
