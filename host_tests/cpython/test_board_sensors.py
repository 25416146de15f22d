"""The drivers of lib/sensors/ on the virtual board's chips: numbers when all is well, OSError when it is not."""

import errno
import sys

import pytest

from host_tests.cpython.boards import Bench
from tools.board.names import CHIPS


@pytest.fixture
def bench(monkeypatch):
    """The fakes of a classic ESP32."""
    return Bench(monkeypatch)


def driver(bench, module, name, *arguments):
    """A driver that sees the bench's clock."""
    return getattr(bench.load("sensors." + module), name)(*arguments, clock=lambda: bench.now_ms)


@pytest.mark.parametrize(
    ("celsius", "humidity", "pressure"),
    [(25.08, 45.0, 1006.53), (-40.0, 100.0, 300.0), (85.0, 0.0, 1100.0), (0.0, 20.25, 950.5), (-10.5, 99.0, 1013.25)],
)
def test_bme280_reads_back_the_world(bench, celsius, humidity, pressure):
    """The driver's integer formulas undo what the chip made with the data sheet's floating-point ones."""
    sensor = driver(bench, "bme280", "Bme280", 22, 21)
    bench.set(temperature=celsius, humidity=humidity, pressure=pressure)
    assert sensor.celsius() == pytest.approx(celsius, abs=0.011)
    assert sensor.humidity() == pytest.approx(humidity, abs=0.03)
    assert sensor.pressure() == pytest.approx(pressure, abs=0.02)


def test_bme280_compensation_of_boschs_example(bench):
    """BMP280 data sheet, 3.12: 519888 and 415148 are 25.08 degrees and 100653.25 Pa in integers."""
    sensor = driver(bench, "bme280", "Bme280", 22, 21)
    sensor.celsius()
    sensor._compensate((415148 << 4).to_bytes(3, "big") + (519888 << 4).to_bytes(3, "big") + b"\x80\x00")
    assert sensor._temperature == 2508
    assert sensor._pressure == 25767233  # 100653.25 Pa * 256, 0.02 Pa beside the floating-point result


def test_bme280_measures_once_a_second(bench):
    """The three values belong to one measurement."""
    sensor = driver(bench, "bme280", "Bme280", 22, 21)
    bench.set(temperature=20)
    assert sensor.celsius() == pytest.approx(20, abs=0.011)
    bench.set(temperature=30)
    assert sensor.celsius() == pytest.approx(20, abs=0.011)
    bench.pass_ms(1000)
    assert sensor.celsius() == pytest.approx(30, abs=0.011)


def test_bme280_comes_back(bench):
    """Absent at first, then there, then unplugged, then there again: OSError, never an old value."""
    sensor = driver(bench, "bme280", "Bme280", 22, 21)
    for fails in (True, None, True, None):
        bench.set(bme280__fail=fails, temperature=21)
        bench.pass_ms(1000)
        if fails:
            for read in (sensor.celsius, sensor.humidity, sensor.pressure):
                with pytest.raises(OSError):
                    read()
        else:
            assert sensor.celsius() == pytest.approx(21, abs=0.011)


def test_dht22_measures_every_2_s(bench):
    """Both quantities share one measurement; a failure lasts as long as a value."""
    sensor = driver(bench, "dht22", "Dht22", 4)
    bench.set(temperature=21.5, humidity=40.5)
    assert (sensor.celsius(), sensor.humidity()) == (21.5, 40.5)
    bench.set(temperature=-3.2, dht__fail=True)
    bench.pass_ms(1999)
    assert sensor.celsius() == 21.5
    bench.pass_ms(1)
    with pytest.raises(OSError):
        sensor.celsius()
    bench.set(dht__fail=None)
    with pytest.raises(OSError):
        sensor.humidity()
    bench.pass_ms(2000)
    assert sensor.celsius() == -3.2


def test_dht22_checksum_is_an_oserror(bench, monkeypatch):
    """The firmware's library raises a plain Exception."""
    sensor = driver(bench, "dht22", "Dht22", 4)

    def measure(self):
        raise Exception("checksum error")

    monkeypatch.setattr(bench.load("dht").DHT22, "measure", measure)
    with pytest.raises(OSError) as caught:
        sensor.celsius()
    assert caught.value.errno == errno.EIO


def test_ds18b20_never_waits(bench):
    """The first value comes after 750 ms, and then always the last finished conversion."""
    sensor = driver(bench, "ds18b20", "Ds18b20", 18)
    bench.set(temperature=20)
    for _ in range(2):
        with pytest.raises(OSError) as caught:
            sensor.celsius()
        assert caught.value.errno == errno.EAGAIN
        bench.pass_ms(374)
    bench.pass_ms(2)
    assert sensor.celsius() == 20.0
    bench.set(temperature=-55)
    assert sensor.celsius() == 20.0
    bench.pass_ms(750)
    assert sensor.celsius() == -55.0


def test_ds18b20_can_be_85_degrees_hot(bench):
    """Only the value of power-on is refused, not the temperature."""
    sensor = driver(bench, "ds18b20", "Ds18b20", 18)
    bench.set(temperature=85)
    with pytest.raises(OSError):
        sensor.celsius()
    bench.pass_ms(750)
    assert sensor.celsius() == 85.0


def test_ds18b20_that_lost_power(bench):
    """Gone and back between two calls: its 85.0 is no measurement."""
    sensor = driver(bench, "ds18b20", "Ds18b20", 18)
    with pytest.raises(OSError):
        sensor.celsius()
    bench.load("onewire")._chip.power_on()
    bench.pass_ms(750)
    with pytest.raises(OSError) as caught:
        sensor.celsius()
    assert caught.value.errno == errno.EIO


def test_ds18b20_unplugged_and_damaged(bench, monkeypatch):
    """ENODEV without an answer, EIO with a wrong checksum, and good again afterwards."""
    sensor = driver(bench, "ds18b20", "Ds18b20", 18)
    bench.set(temperature=30, ds18b20__fail=True)
    with pytest.raises(OSError) as caught:
        sensor.celsius()
    assert caught.value.errno == errno.ENODEV
    bench.set(ds18b20__fail=None)
    with pytest.raises(OSError):
        sensor.celsius()
    bench.pass_ms(750)
    with monkeypatch.context() as patch:
        patch.setattr(bench.load("board_ds18b20").Ds18b20, "read", lambda self: 0x55)
        with pytest.raises(OSError) as caught:
            sensor.celsius()
        assert caught.value.errno == errno.EIO
    with pytest.raises(OSError):
        sensor.celsius()
    bench.pass_ms(750)
    assert sensor.celsius() == 30.0


def test_button_debounces(bench):
    """A press with bounces is one press; it is told at once, and a release within the bounces is not lost."""
    told = []
    button = bench.load("sensors.button").Button(0, told.append)
    for level in (0, 1, 0, 1, 0):
        bench.set(pin__0=level)
        bench.pass_ms(2)
    assert (told, button.count, button.pressed()) == ([True], 1, True)
    bench.pass_ms(30)
    assert (told, button.count) == ([True], 1)
    bench.set(pin__0=None)
    assert told == [True, False]
    bench.pass_ms(100)

    bench.set(pin__0=0)  # a tap shorter than the debounce time
    bench.pass_ms(10)
    bench.set(pin__0=None)
    assert told == [True, False, True]
    bench.pass_ms(30)
    assert told == [True, False, True, False]
    assert (button.count, button.pressed()) == (2, False)


def test_buttons_share_a_timer(bench):
    """Two buttons that bounce at the same time both settle."""
    Button = bench.load("sensors.button").Button
    first, second = Button(0), Button(4)
    bench.set(pin__0=0, pin__4=0)
    bench.set(pin__0=None, pin__4=None)
    assert first.pressed()
    assert second.pressed()
    bench.pass_ms(30)
    assert not first.pressed()
    assert not second.pressed()
    assert (first.count, second.count) == (1, 1)


def test_button_held_at_start(bench):
    """What was pressed before the program began is no press."""
    bench.set(pin__0=0)
    button = bench.load("sensors.button").Button(0)
    assert (button.pressed(), button.count) == (True, 0)


def test_led(bench):
    """Switched by the pin alone; PWM from the first level in between."""
    led = bench.load("sensors.led").Led(2)
    led.on()
    assert bench.shown == {"pin.2": 1}
    led.on(False)
    assert bench.shown == {"pin.2": 0}
    led.level(30)
    assert bench.shown["pwm.2"] == {"freq": 1000, "duty": 0.3}
    led.on()
    assert bench.shown["pwm.2"]["duty"] == 1.0
    led.level(-5)
    assert bench.shown["pwm.2"]["duty"] == 0.0


def test_led_that_shines_when_low(bench):
    """active_low turns both ways of driving round."""
    led = bench.load("sensors.led").Led(2, active_low=True)
    led.off()
    assert bench.shown == {"pin.2": 1}
    led.on()
    assert bench.shown == {"pin.2": 0}
    led.level(25)
    assert bench.shown["pwm.2"]["duty"] == 0.75


def test_pixels(bench):
    """Colour and brightness meet on the strip."""
    pixels = bench.load("sensors.pixels").Pixels(13, 2)
    pixels.colour("#ff8000")
    assert bench.shown["neopixel.13"] == [[0, 0, 0]] * 2
    pixels.level(50)
    assert bench.shown["neopixel.13"] == [[127, 64, 0]] * 2
    pixels.on(False)
    assert bench.shown["neopixel.13"] == [[0, 0, 0]] * 2
    for bad in ("red", "#ff80", "#gg0000"):
        with pytest.raises(ValueError):
            pixels.colour(bad)


def test_buzzer(bench):
    """Loudest at half duty; silence gives the channel back."""
    buzzer = bench.load("sensors.buzzer").Buzzer(25)
    buzzer.off()
    assert bench.shown == {}
    buzzer.on()
    assert bench.shown["pwm.25"] == {"freq": 2000, "duty": 0.5}
    buzzer.tone(440)
    buzzer.level(50)
    assert bench.shown["pwm.25"] == {"freq": 440, "duty": 0.25}
    buzzer.off()
    assert bench.shown["pwm.25"] is None


def test_adc(bench):
    """Calibrated volts and a potentiometer's position."""
    knob = bench.load("sensors.adc").Adc(34)
    bench.set(adc__34=1650)
    assert (knob.volts(), knob.percent()) == (1.65, 50.0)
    bench.set(adc__34=3300)
    assert knob.percent() == 100.0
    bench.set(adc__fail=True)
    with pytest.raises(OSError):
        knob.volts()


@pytest.mark.parametrize("chip", ["esp32", "esp32c3"])
def test_chip_temperature_is_celsius_everywhere(monkeypatch, chip):
    """From Fahrenheit on the classic chip."""
    bench = Bench(monkeypatch, chip)
    bench.set(chip__temperature=40)
    assert bench.load("sensors.chip").Chip().celsius() == pytest.approx(40, abs=0.3)


def test_distance(bench):
    """Metres from the echo; nothing in front is OSError."""
    sensor = bench.load("sensors.distance").HcSr04(26, 27)
    bench.set(distance=123.4)
    assert sensor.metres() == pytest.approx(1.234, abs=0.001)
    bench.set(distance__fail=True)
    with pytest.raises(OSError):
        sensor.metres()


PARTS = "celsius humidity pressure led button knob chip dht22 ds18b20 buzzer pixels distance bme280".split()


@pytest.mark.parametrize("chip", CHIPS)
def test_every_part_fits_its_chip(monkeypatch, chip):
    """The wiring names pins that exist and can do it, and no pin twice; a part is made once."""
    bench = Bench(monkeypatch, chip)
    board = bench.load("sensors.board")
    pins = board.wiring(chip)
    assert len({*pins.values()}) == len(pins)
    for name in PARTS:
        assert getattr(board, name) == getattr(board, name)
    board.led.level(50)
    board.buzzer.on()
    board.pixels.on()
    board.knob.volts()
    board.dht22.celsius()
    board.distance.metres()
    assert not board.button.pressed()
    assert isinstance(board.celsius(), float)
    assert not hasattr(board, "toaster")


def test_a_pc_has_no_pins(monkeypatch):
    """Without a chip everything can be made, and every reading is an OSError."""
    bench = Bench(monkeypatch)
    monkeypatch.delenv("BOARD_CHIP")
    board = bench.load("sensors.board")
    for read in (
        board.celsius,
        board.button.pressed,
        board.knob.percent,
        board.chip.celsius,
        board.dht22.humidity,
        board.ds18b20.celsius,
        board.distance.metres,
        board.led.on,
        board.buzzer.on,
        board.pixels.on,
    ):
        with pytest.raises(OSError):
            read()


def test_loading_the_board_loads_no_driver(bench):
    """What a program does not name costs it nothing."""
    bench.load("sensors.board")
    assert {name for name in sys.modules if name.startswith("sensors.")} == {"sensors.board"}
