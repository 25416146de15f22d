"""How IPSO objects behave: sensors and their extremes, inputs, outputs, buzzer; writes done whole or not at all."""

from coap.errors import BadRequest, CoapError, ServiceUnavailable
from doubles import Button, Client, Lamp, Pixel, Relay, Script, read
from lwm2m.change import apply, check_range, default
from lwm2m.objects import ipso
from lwm2m.objects.ipso import (
    Actuation,
    AnalogInput,
    Barometer,
    Buzzer,
    DigitalInput,
    DigitalOutput,
    Distance,
    Humidity,
    Illuminance,
    LightControl,
    OnOffSwitch,
    PushButton,
    Temperature,
)
from lwm2m.table import check_table
from support import each, eq, raises

# -- sensors -----------------------------------------------------------------------------------------------------------


def test_sensor_keeps_the_extremes():
    sensor = Temperature(Script(21.25, 19, 22.5, 20.0))
    raises(ServiceUnavailable, read, sensor, 5700)
    client = Client(sensor)
    for value, lowest, highest in ((21.25, 21.25, 21.25), (19.0, 19.0, 21.25), (22.5, 19.0, 22.5), (20.0, 19.0, 22.5)):
        sensor.sample()
        eq((sensor.value, sensor.min_value, sensor.max_value), (value, lowest, highest))
    told = "value min_value max_value  value min_value  value max_value  value"
    eq(client.told, told.split())
    eq(read(sensor, 5700), 20.0)


def test_sensor_reset_takes_the_current_value():
    sensor = Temperature(Script(21.25, 19, 22.5, 20.0, 20.5))
    eq(sensor.reset_min_max({}), None)
    eq((sensor.min_value, sensor.max_value), (None, None))
    for _ in range(4):
        sensor.sample()
    eq(sensor.reset_min_max({}), None)
    eq((sensor.min_value, sensor.max_value), (20.0, 20.0))
    sensor.sample()
    eq((sensor.min_value, sensor.max_value), (20.0, 20.5))


def test_an_equal_value_is_no_news():
    sensor = Humidity(Script(40, 40.0))
    sensor.sample()
    client = Client(sensor)
    sensor.sample()
    eq(client.told, [])


def test_failing_sensor_keeps_its_last_value():
    sensor = Temperature(Script(OSError(110), 21.25, OSError(5), 21.5))
    eq(raises(OSError, sensor.sample).args[0], 110)
    raises(ServiceUnavailable, read, sensor, 5700)
    sensor.sample()
    eq(raises(OSError, sensor.sample).args[0], 5)
    eq((sensor.value, sensor.min_value, sensor.max_value), (21.25, 21.25, 21.25))
    sensor.sample()
    eq((sensor.value, sensor.min_value, sensor.max_value), (21.5, 21.25, 21.5))


def test_what_is_no_number_fails():
    def check(reading, shown):
        sensor = Temperature(Script(20.0, reading))
        sensor.sample()
        eq(str(raises(ValueError, sensor.sample)), "the sensor gives %s, which is no number" % shown)
        eq((sensor.value, sensor.min_value, sensor.max_value), (20.0, 20.0, 20.0))

    nothing = float("nan")
    each([(None, "None"), ("21", "'21'"), (True, "True"), (nothing, "nan"), (float("-inf"), "-inf")], check)


def test_what_sensors_say_of_themselves():
    def check(cls, oid, units):
        sensor = cls(Script())
        eq((sensor.OID, sensor.units, sensor.low, sensor.high, sensor.application), (oid, units, None, None, None))
        check_table(sensor)

    sensors = [(Illuminance, 3301, "lx"), (Temperature, 3303, "Cel"), (Humidity, 3304, "%RH"), (Distance, 3330, "m")]
    each(sensors + [(Barometer, 3315, "hPa"), (AnalogInput, 3202, None)], check)
    sensor = Temperature(Script(), units="K", low=200, high=400.5, application="oven")
    eq([read(sensor, rid) for rid in (5701, 5603, 5604, 5750)], ["K", 200, 400.5, "oven"])
    eq(read(AnalogInput(Script(), sensor_type="LDR"), 5751), "LDR")


def test_there_is_no_such_object():
    eq(str(raises(AttributeError, getattr, ipso, "Thermometer")), "lwm2m.objects.ipso has no Thermometer")


# -- inputs ------------------------------------------------------------------------------------------------------------


def test_button_that_tells():
    driver = Button()
    button = PushButton(driver)
    raises(ServiceUnavailable, read, button, 5500)
    button.sample()
    eq((button.state, button.counter), (False, 0))
    client = Client(button)
    driver.push(True)
    driver.push(False)
    driver.push(True)
    eq((button.state, button.counter), (True, 2))
    eq(client.told, "state counter state state counter".split())
    button.sample()
    eq((button.state, button.counter, button.sample_ms), (True, 2, 60000))


def test_button_that_is_asked():
    button = PushButton(Script(1, 1, 0, OSError(19), 1), application="door")
    counters = []
    for _ in range(3):
        button.sample()
        counters.append((button.state, button.counter))
    eq(counters, [(True, 0), (True, 0), (False, 0)])  # pressed from the start: that is no press
    raises(OSError, button.sample)
    eq(button.state, False)
    button.sample()
    eq((button.state, button.counter, button.application), (True, 1, "door"))
    assert button.sample_ms <= 100


def test_switch_counts_seconds_in_each_position():
    driver = Button()
    switch = OnOffSwitch(driver)
    client = Client(switch)
    eq((switch.on_time(), switch.off_time()), (0, 0))
    switch.sample()  # off, at 5.0 s
    client.now += 3500
    eq((switch.on_time(), switch.off_time()), (0, 3))
    driver.push(True)  # at 8.5 s
    client.now += 2000
    eq((switch.on_time(), switch.off_time(), switch.counter), (2, 3, 1))
    driver.push(False)
    client.now += 1500  # off for 3.5 s and 1.5 s
    eq((switch.on_time(), switch.off_time()), (2, 5))
    apply(switch, [("off_time", 0), ("on_time", 0)])
    client.now += 1000
    eq((switch.on_time(), switch.off_time()), (0, 1))
    driver.push(True)
    client.now += 7999
    eq((read(switch, 5852), read(OnOffSwitch(driver), 5854)), (7, 0))


def test_switch_that_is_on_from_the_start():
    switch = OnOffSwitch(lambda: True)
    client = Client(switch)
    switch.sample()
    client.now += 4000
    eq((switch.on_time(), switch.off_time(), switch.counter), (4, 0, 0))


def test_digital_input_edges():
    def check(edge, counter):
        contact = DigitalInput(Script(0, 1, 0, 1))
        apply(contact, [("edge", edge)])
        for _ in range(4):
            contact.sample()
        eq((contact.state, contact.counter), (True, counter))

    each([(1, 1), (2, 2), (3, 3)], check)
    eq(DigitalInput(Script()).edge, 2)


def test_digital_input_polarity_and_reset():
    contact = DigitalInput(Script(1, 0), sensor_type="PIR")
    apply(contact, [("polarity", True)])
    eq(contact.state, None)
    contact.sample()
    eq(contact.state, False)
    contact.sample()
    eq((contact.state, contact.counter), (True, 1))
    client = Client(contact)
    apply(contact, [("polarity", False)])
    eq((contact.state, contact.counter, client.told), (False, 1, ["polarity", "state"]))
    eq(contact.reset_counter({}), None)
    eq((contact.counter, contact.sensor_type), (0, "PIR"))


def test_debounce_period_is_that_of_looking():
    contact = DigitalInput(Button())
    row = contact.row(5503)
    apply(contact, [(row[3], 20)])
    eq((contact.sample_ms, read(contact, 5503)), (20, 20))
    raises(BadRequest, check_range, row, 0)


# -- outputs -----------------------------------------------------------------------------------------------------------


def test_light_dims():
    lamp = Lamp()
    light = LightControl(lamp)
    eq((light.on, light.level, light.colour, lamp.seen), (False, 100, None, []))
    for change in (("on", True), ("level", 30), ("on", False), ("level", 60), ("on", True)):
        apply(light, [change])
    eq(lamp.seen, [100, 30, 0, 0, 60])
    apply(light, [("level", default(light, "level"))])  # a Write that replaces everything and leaves the dimmer out
    eq((light.on, light.level, lamp.seen[-1]), (True, 100, 100))


def test_light_that_is_only_switched():
    def check(output, seen):
        light = Actuation(output)
        client = Client(light)
        apply(light, [("level", 30), ("on", True)])  # an optional resource that is not there is ignored
        eq((light.level, seen, client.told), (None, [True], ["on"]))
        raises(CoapError, read, light, 5851)

    relay, pins = Relay(), []
    each([(relay, relay.seen), (pins.append, pins)], check)


def test_light_with_a_colour():
    pixel = Pixel()
    light = LightControl(pixel)
    eq(light.colour, "#ffffff")
    apply(light, [("colour", "#ff8000")])
    eq(str(raises(BadRequest, apply, light, [("on", True), ("colour", "red")])), "a colour is #rrggbb")
    eq((light.on, light.colour, pixel.seen), (False, "#ff8000", ["#ff8000", 100, 0]))
    apply(light, [("colour", default(light, "colour"))])
    eq((light.colour, pixel.seen[-1]), ("#ffffff", "#ffffff"))
    plain = LightControl(Lamp())
    apply(plain, [("colour", "#ff8000")])
    eq(plain.colour, None)


def test_on_time():
    light = LightControl(Lamp())
    eq(light.on_time(), 0)  # before there is a client
    client = Client(light)
    client.clock, clock = None, client.clock
    apply(light, [("on", True)])  # before it runs
    apply(light, [("on", False)])
    eq(light.on_time(), 0)
    client.clock = clock
    client.now += 60000
    eq(light.on_time(), 0)
    apply(light, [("on", True)])
    client.now += 2600
    eq(light.on_time(), 2)
    apply(light, [("on", True)])
    apply(light, [("on", False)])
    client.now += 100000
    eq(light.on_time(), 2)
    apply(light, [("on", True)])
    client.now += 400
    eq(light.on_time(), 3)  # 2.6 s and 0.4 s
    apply(light, [("on_time", 0)])
    client.now += 999
    eq(light.on_time(), 0)
    client.now += 1
    eq(read(light, 5852), 1)
    raises(BadRequest, check_range, light.row(5852), -1)


def test_apply_is_all_or_nothing():
    lamp = Lamp()
    light = LightControl(lamp, application="desk")
    client = Client(light)
    apply(light, [("on", True), ("level", 50)])
    client.now += 9000
    lamp.works = False
    client.told = []
    changes = [("application", "hall"), ("on_time", 0), ("level", 80), ("on", False)]
    eq(raises(OSError, apply, light, changes).args[0], 19)  # the level is the first that the hardware refuses
    eq((light.application, light.on_time(), light.level, light.on), ("desk", 9, 50, True))
    eq(client.told, ["application", "on_time", "on_time", "application"])
    lamp.works = True
    apply(light, changes)
    eq((light.application, light.on_time(), light.level, light.on, lamp.seen[-1]), ("hall", 0, 80, False, 0))


def test_hardware_that_fails_while_it_is_put_back():
    class Fuse(Relay):
        def on(self, on=True):
            if len(self.seen) == 2:
                raise OSError(5)
            self.seen.append(on)

    output = DigitalOutput(Fuse(), application="pump")
    changes = [("application", "fan"), ("on", True), ("polarity", True), ("on", False)]
    eq(raises(OSError, apply, output, changes).args[0], 5)  # at the last change, and again at each step back
    eq(output.application, "pump")


def test_digital_output_polarity():
    relay = Relay()
    output = DigitalOutput(relay)
    apply(output, [("on", True)])
    apply(output, [("polarity", True)])
    apply(output, [("on", False)])
    eq((relay.seen, output.on, output.polarity), ([True, False, True], False, True))
    lamp = Lamp()
    apply(DigitalOutput(lamp), [("on", True)])
    eq(lamp.seen, [100])


# -- buzzer ------------------------------------------------------------------------------------------------------------


def steps(buzzer, client, count):
    """Let the client call it `count` times."""
    for _ in range(count):
        client.now += buzzer.sample_ms
        buzzer.sample()


def test_buzzer_sounds_for_its_duration():
    lamp = Lamp()
    buzzer = Buzzer(lamp)
    client = Client(buzzer)
    apply(buzzer, [("duration", 0.5), ("level", 40.0), ("on", True)])
    steps(buzzer, client, 4)
    eq((buzzer.on, lamp.seen), (True, [0, 40.0]))
    client.told = []
    steps(buzzer, client, 1)
    eq((buzzer.on, lamp.seen, client.told), (False, [0, 40.0, 0], ["on"]))
    steps(buzzer, client, 20)
    eq(lamp.seen, [0, 40.0, 0])
    apply(buzzer, [("on", True)])
    steps(buzzer, client, 4)
    apply(buzzer, [("on", True)])  # each true is a whole duration
    steps(buzzer, client, 4)
    eq(buzzer.on, True)
    steps(buzzer, client, 1)
    eq(buzzer.on, False)


def test_buzzer_without_duration_sounds_until_it_is_silenced():
    relay = Relay()
    buzzer = Buzzer(relay)
    client = Client(buzzer)
    apply(buzzer, [("on", True)])
    steps(buzzer, client, 1000)
    eq(relay.seen, [True])
    apply(buzzer, [("on", False)])
    apply(buzzer, [("on", True)])
    eq(relay.seen, [True, False, True])


def test_buzzer_rests_between_two_sounds():
    relay = Relay()
    buzzer = Buzzer(relay)
    client = Client(buzzer)
    apply(buzzer, [("off_time", 0.25), ("on", True)])
    apply(buzzer, [("on", False)])
    apply(buzzer, [("on", True)])
    eq((buzzer.on, relay.seen), (True, [True, False]))
    steps(buzzer, client, 2)
    eq(relay.seen, [True, False])
    steps(buzzer, client, 1)
    eq(relay.seen, [True, False, True])
    apply(buzzer, [("on", False)])
    apply(buzzer, [("on", True)])
    apply(buzzer, [("on", False)])
    steps(buzzer, client, 5)
    eq((buzzer.on, relay.seen), (False, [True, False, True, False]))


def test_buzzer_that_cannot_be_silenced_is_tried_again():
    lamp = Lamp()
    buzzer = Buzzer(lamp)
    client = Client(buzzer)
    apply(buzzer, [("duration", 0.1), ("on", True)])
    lamp.works = False
    raises(OSError, steps, buzzer, client, 1)
    eq(buzzer.on, True)
    lamp.works = True
    steps(buzzer, client, 1)
    eq((buzzer.on, lamp.seen), (False, [100, 0]))


def test_nan_is_out_of_range():
    row = Buzzer(Lamp()).row(5548)
    raises(BadRequest, check_range, row, float("nan"))
    eq(check_range(row, 100.0), None)
