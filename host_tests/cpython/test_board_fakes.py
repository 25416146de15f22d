"""The modules of the virtual board against what docs.micropython.org and the data sheets say of the real ones."""

import errno
import json

import pytest

from host_tests.cpython.boards import Bench


@pytest.fixture
def bench(monkeypatch):
    """The fakes of a classic ESP32."""
    return Bench(monkeypatch)


@pytest.fixture
def c3(monkeypatch):
    """The fakes of an ESP32-C3."""
    return Bench(monkeypatch, "esp32c3")


def test_input_follows_the_world_or_its_pull(bench):
    """A free pin reads as its pull resistor says."""
    Pin = bench.load("machine").Pin
    button = Pin(0, Pin.IN, Pin.PULL_UP)
    assert (button.value(), Pin(4, Pin.IN).value(), Pin(5, Pin.IN, Pin.PULL_DOWN)()) == (1, 0, 0)
    bench.set(pin__0=0, pin__4=1)
    assert (button.value(), Pin(4).value()) == (0, 1)
    bench.set(pin__0=None)
    assert button.value() == 1


def test_output_is_shown_when_it_changes(bench):
    """on, off, toggle and value reach the world outside."""
    Pin = bench.load("machine").Pin
    led = Pin(2, Pin.OUT, value=1)
    assert bench.shown == {"pin.2": 1}
    led.off()
    assert (bench.shown["pin.2"], led.value()) == (0, 0)
    led.toggle()
    assert (bench.shown["pin.2"], Pin(2).value()) == (1, 1)


def test_signal_inverts(bench):
    """Signal(pin, invert=True) is active at level 0."""
    machine = bench.load("machine")
    lamp = machine.Signal(machine.Pin(2, machine.Pin.OUT), invert=True)
    lamp.on()
    assert (bench.shown.get("pin.2", 0), lamp.value()) == (0, 1)
    lamp.off()
    assert (bench.shown["pin.2"], lamp.value()) == (1, 0)


def test_irq_runs_on_its_edges_only(bench, capsys):
    """The handler gets the pin; an exception in it is printed and forgotten."""
    Pin = bench.load("machine").Pin
    seen = []
    pin = Pin(4, Pin.IN, Pin.PULL_UP)
    pin.irq(lambda pin: seen.append(pin.value()), Pin.IRQ_FALLING)
    for level in (0, 0, 1, 0):
        bench.set(pin__4=level)
    assert seen == [0, 0]
    pin.irq(lambda pin: 1 // 0, Pin.IRQ_RISING)
    bench.set(pin__4=1)
    assert "ZeroDivisionError" in capsys.readouterr().err
    pin.irq(None)
    bench.set(pin__4=0)


def test_disabled_interrupts_come_later(bench):
    """disable_irq holds them back, enable_irq(state) lets them run."""
    machine = bench.load("machine")
    seen = []
    pin = machine.Pin(4)
    pin.irq(seen.append, machine.Pin.IRQ_RISING)
    state = machine.disable_irq()
    bench.set(pin__4=1)
    assert seen == []
    machine.enable_irq(state)
    assert seen == [pin]


@pytest.mark.parametrize("number", [-1, 24, 40, "2"])
def test_pins_that_do_not_exist(bench, number):
    """ValueError, as on a board."""
    with pytest.raises(ValueError, match="invalid pin"):
        bench.load("machine").Pin(number)


def test_input_only_pins_refuse_output(bench):
    """34 to 39 of the classic ESP32 have no driver."""
    Pin = bench.load("machine").Pin
    with pytest.raises(ValueError, match="can only be input"):
        Pin(34, Pin.OUT)


def test_adc_scales(bench):
    """Raw, 16 bits, and calibrated within the range of the attenuation."""
    machine = bench.load("machine")
    adc = machine.ADC(machine.Pin(34))
    bench.set(adc__34=1650)
    assert (adc.read(), adc.read_u16(), adc.read_uv()) == (2048, 32776, 1650000)
    bench.set(adc__34=3300)
    assert (adc.read(), adc.read_u16(), adc.read_uv()) == (4095, 65535, 2450000)
    adc = machine.ADC(34, atten=machine.ADC.ATTN_0DB)
    bench.set(adc__34=550)
    assert (adc.read(), adc.read_uv()) == (2048, 550000)
    with pytest.raises(ValueError, match="invalid pin"):
        machine.ADC(21)


@pytest.mark.parametrize(("chip", "pin", "works"), [("esp32", 25, False), ("esp32", 34, True), ("esp32s3", 12, True)])
def test_block_2_belongs_to_wifi_on_the_classic_chip(monkeypatch, chip, pin, works):
    """There, a reading raises while the station is active, and works again afterwards."""
    bench = Bench(monkeypatch, chip)
    adc = bench.load("machine").ADC(pin)
    wlan = bench.load("network").WLAN()
    assert adc.read() == 0
    wlan.active(True)
    if works:
        assert adc.read() == 0
    else:
        with pytest.raises(OSError):
            adc.read()
        wlan.active(False)
        assert adc.read() == 0


def test_pwm(bench):
    """Frequency and the three ways to tell a duty; deinit leaves the pin low."""
    machine = bench.load("machine")
    pwm = machine.PWM(machine.Pin(25), freq=1000, duty_u16=16384)
    assert bench.shown["pwm.25"] == {"freq": 1000, "duty": 0.25}
    assert (pwm.freq(), pwm.duty_u16(), pwm.duty(), pwm.duty_ns()) == (1000, 16384, 256, 250003)
    pwm.duty(1023)
    assert pwm.duty_u16() == 65535
    pwm.duty_ns(500000)
    assert pwm.duty_u16() == 32767
    pwm.deinit()
    assert bench.shown["pwm.25"] is None
    for bad in ({"duty_u16": 65536}, {"duty": 1024}, {"freq": 0}):
        with pytest.raises(ValueError):
            machine.PWM(26, **bad)


def test_pwm_runs_out_of_timers(c3):
    """A C3 has four frequencies at a time and six channels."""
    machine = c3.load("machine")
    for pin in range(4):
        machine.PWM(pin, freq=1000 + pin)
    with pytest.raises(RuntimeError, match="out of PWM timers"):
        machine.PWM(4, freq=5)
    machine.PWM(4, freq=1000)
    machine.PWM(5, freq=1000)
    with pytest.raises(RuntimeError, match="out of PWM channels"):
        machine.PWM(6, freq=1000)


def test_timer(bench):
    """Once or again and again, until deinit."""
    machine = bench.load("machine")
    rings = []
    timer = machine.Timer(0, period=100, callback=lambda timer: rings.append(bench.now_ms))
    bench.pass_ms(99)
    assert rings == []
    bench.pass_ms(1)
    bench.pass_ms(100)
    assert rings == [1100, 1200]
    timer.init(mode=machine.Timer.ONE_SHOT, freq=10, callback=lambda timer: rings.append("once"))
    for _ in range(3):
        bench.pass_ms(100)
    assert rings == [1100, 1200, "once"]
    with pytest.raises(ValueError):
        machine.Timer(4)


def test_rtc_keeps_time_and_memory(bench):
    """datetime in MicroPython's order; 2048 bytes and not one more."""
    rtc = bench.load("machine").RTC()
    rtc.datetime((2032, 2, 29, 0, 23, 59, 58, 0))
    assert rtc.datetime()[:6] == (2032, 2, 29, 6, 23, 59)  # a Sunday
    rtc.memory(b"\x00a" * 1024)
    assert rtc.memory() == b"\x00a" * 1024
    with pytest.raises(ValueError, match="too long"):
        rtc.memory(bytes(2049))


def test_the_watchdog_has_one_unit(bench):
    """WDT(0) only, and no time of nothing."""
    WDT = bench.load("machine").WDT
    sent = []
    bench.sim.send = sent.append
    WDT(timeout=700).feed()
    assert sent == [{"wdt": 700}, {"wdt": 700}]
    for bad in ({"id": 1}, {"timeout": 0}):
        with pytest.raises(ValueError):
            WDT(**bad)


def test_light_sleep(bench):
    """Ends with the time or a wake-up pin, and takes the Wi-Fi down."""
    machine, wlan = bench.load("machine"), bench.load("network").WLAN()
    wlan.active(True)
    bench.sim.wait = bench.pass_ms
    machine.lightsleep(500)
    assert (bench.now_ms, wlan.active(), machine.wake_reason()) == (1500, False, machine.TIMER_WAKE)
    bench.load("esp32").wake_on_ext0(machine.Pin(4), 1)
    bench.sim.wait = lambda ms: bench.set(pin__4=1)
    machine.lightsleep()
    assert machine.wake_reason() == machine.EXT0_WAKE


def test_machine_has_no_others(bench):
    """hasattr is how programs find out, so it must be false for what is not there."""
    machine = bench.load("machine")
    assert not hasattr(machine, "UART")
    assert len(machine.unique_id()) == 6
    assert machine.freq() == 160000000
    with pytest.raises(ValueError):
        machine.freq(33000000)


@pytest.mark.parametrize(
    ("chip", "name", "value"), [("esp32", "raw_temperature", 104), ("esp32c3", "mcu_temperature", 40)]
)
def test_one_way_to_the_chips_temperature(monkeypatch, chip, name, value):
    """The classic chip has raw_temperature (Fahrenheit), the others mcu_temperature (Celsius), none has both."""
    bench = Bench(monkeypatch, chip)
    bench.set(chip__temperature=40)
    esp32 = bench.load("esp32")
    assert getattr(esp32, name)() == value
    assert hasattr(esp32, "raw_temperature") != hasattr(esp32, "mcu_temperature")
    assert hasattr(esp32, "wake_on_ext0") == (chip == "esp32")


def test_nvs_is_durable_after_commit(bench, tmp_path, monkeypatch):
    """What is not committed is lost with the power."""
    bench.sim.facts["state_dir"] = str(tmp_path)
    nvs = bench.load("esp32").NVS("lwm2m")
    nvs.set_i32("count", -7)
    nvs.set_blob("key", b"\x00\xff")
    nvs.commit()
    nvs.set_i32("count", 8)
    assert nvs.get_i32("count") == 8

    again = Bench(monkeypatch)
    again.sim.facts["state_dir"] = str(tmp_path)
    nvs = again.load("esp32").NVS("lwm2m")
    buffer = bytearray(3)
    assert (nvs.get_i32("count"), nvs.get_blob("key", buffer), buffer) == (-7, 2, b"\x00\xff\x00")
    nvs.erase_key("count")
    for read in (
        lambda: nvs.get_i32("count"),
        lambda: nvs.get_i32("key"),
        lambda: nvs.get_blob("key", bytearray(1)),
        lambda: nvs.set_i32("a key of sixteen", 1),
        lambda: nvs.erase_key("none"),
    ):
        with pytest.raises(OSError):
            read()


def test_sockets_stay_native_without_steering(bench):
    """The shim is installed by start.py alone, and only where the Wi-Fi can be cut."""
    bench.load("network")
    import socket

    assert socket.socket.__module__ == "socket"


def join(bench, key="virtual-board", ssid="microlwm2m"):
    """A station that has begun to join."""
    network = bench.load("network")
    wlan = network.WLAN(network.WLAN.IF_STA)
    wlan.active(True)
    wlan.connect(ssid, key)
    return network, wlan


def test_joining_takes_time(bench):
    """Connecting, then an address and a signal strength."""
    network, wlan = join(bench)
    assert (wlan.status(), wlan.isconnected()) == (network.STAT_CONNECTING, False)
    with pytest.raises(OSError):
        wlan.status("rssi")
    bench.pass_ms(200)
    assert (wlan.status(), wlan.isconnected(), wlan.status("rssi")) == (network.STAT_GOT_IP, True, -58)
    assert wlan.ifconfig()[0] == wlan.ipconfig("addr4")[0] == "127.0.0.1"
    assert wlan.config("ssid") == "microlwm2m"
    assert wlan.config("mac") == bench.load("machine").unique_id()


@pytest.mark.parametrize(
    ("ssid", "key", "reason"), [("microlwm2m", "wrong", "STAT_WRONG_PASSWORD"), ("other", "", "STAT_NO_AP_FOUND")]
)
def test_reason_comes_only_with_bounded_attempts(bench, ssid, key, reason):
    """With endless reconnects, the default, the status stays at connecting for ever; reconnects=1 are two attempts."""
    network, wlan = join(bench, key, ssid)
    bench.pass_ms(60000)
    assert wlan.status() == network.STAT_CONNECTING
    wlan.config(reconnects=1)
    wlan.connect(ssid, key)
    bench.pass_ms(399)
    assert wlan.status() == network.STAT_CONNECTING
    bench.pass_ms(1)
    assert wlan.status() == getattr(network, reason)


def test_station_comes_back_with_the_access_point(bench):
    """By itself, after one attempt's time."""
    network, wlan = join(bench)
    bench.pass_ms(200)
    bench.set(wifi__up=False)
    assert (wlan.isconnected(), wlan.scan()) == (False, [])
    bench.pass_ms(100000)
    bench.set(wifi__up=True)
    assert wlan.status() == network.STAT_CONNECTING
    bench.pass_ms(200)
    assert wlan.isconnected()
    assert wlan.scan()[0][0] == b"microlwm2m"
    wlan.disconnect()
    bench.pass_ms(1000)
    assert wlan.status() == network.STAT_IDLE


def test_wlan_refuses_nonsense(bench):
    """As the port does."""
    network = bench.load("network")
    wlan = network.WLAN()
    with pytest.raises(OSError):
        wlan.connect("a", "b")
    for call in (lambda: network.WLAN(2), lambda: wlan.config("nothing"), lambda: wlan.status("nothing")):
        with pytest.raises(ValueError):
            call()


def test_dht22_bytes(bench):
    """Data sheet's coding: tenths, the sign in the top bit, and the checksum."""
    dht = bench.load("dht")
    sensor = dht.DHT22(bench.load("machine").Pin(4))
    bench.set(dht__temperature=-10.1, dht__humidity=65.2)
    sensor.measure()
    assert sensor.buf == bytes([0x02, 0x8C, 0x80, 0x65, 0x73])
    assert (round(sensor.temperature(), 3), round(sensor.humidity(), 3)) == (-10.1, 65.2)
    bench.set(dht__fail=True)
    with pytest.raises(OSError) as caught:
        sensor.measure()
    assert caught.value.errno == errno.ETIMEDOUT


def test_ds18b20_takes_750_ms(bench):
    """Read too early it says 85.0, as after power-on; two's complement sixteenths afterwards."""
    pin = bench.load("machine").Pin(18)
    thermometers = bench.load("ds18x20").DS18X20(bench.load("onewire").OneWire(pin))
    (rom,) = thermometers.scan()
    bench.set(ds18b20__temperature=-10.125)
    thermometers.convert_temp()
    bench.pass_ms(749)
    assert thermometers.read_temp(rom) == 85.0
    bench.pass_ms(1)
    assert thermometers.read_temp(rom) == -10.125
    assert thermometers.buf[:2] == b"\x5e\xff"  # the data sheet's example for -10.125
    bench.set(ds18b20__fail=True)
    assert thermometers.scan() == []
    with pytest.raises(bench.load("onewire").OneWireError):
        thermometers.convert_temp()
    bench.set(ds18b20__fail=None)
    assert thermometers.read_temp(rom) == 85.0  # it lost power


def test_onewire_crc(bench):
    """The worked example of Maxim's application note 27."""
    assert bench.load("board_ds18b20").crc8(bytes.fromhex("021cb801000000")) == 0xA2


def test_neopixel_shows_on_write(bench):
    """Colours are (red, green, blue) although the wire has green first."""
    strip = bench.load("neopixel").NeoPixel(bench.load("machine").Pin(13), 2)
    strip[1] = (1, 2, 3)
    assert bench.shown == {}
    strip.write()
    assert bench.shown == {"neopixel.13": [[0, 0, 0], [1, 2, 3]]}
    assert strip.buf == b"\x00\x00\x00\x02\x01\x03"


def test_hc_sr04_pulse(bench):
    """58 us a centimetre, -2 when nothing comes back in time."""
    machine = bench.load("machine")
    bench.set(distance=17.15)
    assert machine.time_pulse_us(machine.Pin(27), 1, 30000) == 1000
    assert machine.time_pulse_us(machine.Pin(27), 1, 500) == -2


def test_bme280_registers(bench):
    """Chip id, status while it measures, forced mode back to sleep, and a missing chip is ENODEV."""
    i2c = bench.load("machine").I2C(0)
    assert i2c.scan() == [0x76]
    assert i2c.readfrom_mem(0x76, 0xD0, 1) == b"\x60"
    assert i2c.readfrom_mem(0x76, 0xF7, 8) == b"\x80\x00\x00\x80\x00\x00\x80\x00"
    i2c.writeto_mem(0x76, 0xF2, b"\x01")
    i2c.writeto_mem(0x76, 0xF4, b"\x25")
    assert i2c.readfrom_mem(0x76, 0xF3, 2) == b"\x08\x25"
    bench.pass_ms(10)
    assert i2c.readfrom_mem(0x76, 0xF3, 2) == b"\x00\x24"
    assert i2c.readfrom_mem(0x76, 0xF7, 3) != b"\x80\x00\x00"
    i2c.writeto(0x76, b"\xe0\xb6")  # soft reset
    assert i2c.readfrom_mem(0x76, 0xF7, 3) == b"\x80\x00\x00"
    bench.set(bme280__fail=True)
    assert i2c.scan() == []
    with pytest.raises(OSError) as caught:
        i2c.readfrom_mem(0x76, 0xD0, 1)
    assert caught.value.errno == errno.ENODEV


def test_bme280_formulas(bench):
    """Bosch's worked example (BMP280 data sheet, 3.12): 519888 is 25.08 degrees, 415148 is 100653.27 Pa."""
    chip = bench.load("board_bme280")
    t_fine = chip.fine_temperature(519888)
    assert round(t_fine / 5120, 2) == 25.08
    assert round(chip.pascal(415148, t_fine), 2) == 100653.27


def test_world_moves_by_itself(bench):
    """A ramp ends, a swing comes back."""
    world = bench.load("board_world")
    ramp = {"from": 10, "to": 20, "seconds": 10, "since": 100}
    assert [world.value(ramp, now_s) for now_s in (90, 100, 105, 110, 200)] == [10, 10, 15, 20, 20]
    swing = {**ramp, "repeat": True}
    assert [world.value(swing, now_s) for now_s in (100, 110, 115, 120, 130)] == [10, 20, 15, 10, 20]
    room = {"temperature": 20, "dht.temperature": 30}
    assert [world.lookup(room, name + ".temperature", 0) for name in ("dht", "bme280")] == [30, 20]


def test_link_messages_may_come_in_pieces(bench):
    """JSON lines are put together again, whatever the reads return."""
    text = json.dumps({"set": {"humidity": 12, "pin.4": 1}}).encode() + b"\n"
    pieces = [text[:5], text[5:-1], text[-1:] + text]

    class Link:
        def readinto(self, buffer):
            if not pieces:
                return None
            piece = pieces.pop(0)
            buffer[: len(piece)] = piece
            return len(piece)

    bench.sim._link = Link()
    bench.sim.poll()
    bench.sim._link = None
    assert (bench.sim.read("humidity"), bench.sim.read("pin.4")) == (12, 1)
