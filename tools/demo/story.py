"""What the demo shows, one function a step: what travels as CoAP, what came of it, and what a lecture calls it."""

import asyncio
import time

from tools.board import Steering
from tools.lab import LabServer, Registration, Result, Timeout, linelog, show
from tools.lab.definitions import objects
from tools.lab.events import Event
from tools.lab.paths import parse, text_of
from tools.lab.payload import format_name

ENDPOINT = "demo"
LIFETIME_S = 60
_LOOK_S = 3.0  # how long an output may take to follow a write
_NOTIFICATIONS = 3


class Story:
    """The steps in order. Each raises LabError or SteeringError, in a sentence, if it does not come about.

    `missing` names the first thing that has not happened yet, None when all has.
    """

    def __init__(self, server: LabServer, steering: Steering):
        self.missing: str | None = None
        self._server = server
        self._board = steering
        self._number = 0

    async def tell(self) -> None:
        """Every step, then whatever happens, without end."""
        steps = (
            ("register", self._registration),
            ("be read (/3/0)", self._read_device),
            ("be read (/3303/0/5700)", self._read_temperature),
            ("be written (/3311/0/5850)", self._switch_light),
            ("report its button (/3347/0/5500)", self._report_button),
            ("report its temperature (/3303/0/5700)", self._report_temperature),
        )
        for self.missing, step in steps:
            await step()
        self.missing = None
        print("\nFrom here on live: the temperature swings, and what you do in another terminal shows.", flush=True)
        self._server.add_listener(_tell_event)
        try:
            await asyncio.Event().wait()
        finally:
            self._server.remove_listener(_tell_event)

    async def _registration(self) -> None:
        registration = await self._server.wait_registered(ENDPOINT, timeout_s=20)
        self._begin("The device registers", "interface: registration")
        query = f"ep={ENDPOINT}&lt={registration.lifetime_s}&lwm2m={registration.version}&b={registration.binding}"
        _exchange(f"POST /rd?{query}", f"2.01 Created, Location {registration.location}")
        _lines(_object_lines(registration))
        if self._server.credentials:
            _lines(["all of it inside a DTLS session: both sides know a key that the demo has just made (PSK)"])
        _explain(
            "The device says who it is, for how long it may be silent (lt, seconds), and which objects it has.",
            "An Update to the Location renews that before the time is over.",
        )

    async def _read_device(self) -> None:
        self._begin("The server reads an object instance", "interface: device management, operation Read")
        self._tell_read(await self._server.read(ENDPOINT, "/3/0"))
        _explain("All resources of object 3, instance 0, in one answer: TLV has room for each one's number and value.")

    async def _read_temperature(self) -> None:
        self._begin("The server reads single resources", "interface: device management, operation Read")
        for path in ("/3303/0/5701", "/3303/0/5700"):
            self._tell_read(await self._server.read(ENDPOINT, path))
        _explain("Object 3303 is a temperature sensor wherever it is built in: the registry of the OMA defines it.")

    async def _switch_light(self) -> None:
        self._begin("The server switches the LED", "interface: device management, operation Write")
        for on in (True, False, True):
            result = await self._server.write(ENDPOINT, "/3311/0/5850", on)
            _exchange(f"PUT /3311/0/5850 {int(on)}", f"{result.code} {result.name}")
            await self._see("led", int(on))
            _lines([f"the board's LED is {'on' if on else 'off'}: looked at the pin, not asked over the air"])
        _explain("2.04 comes when the pin has changed. If the hardware refuses, the answer is an error.")

    async def _report_button(self) -> None:
        self._begin("Somebody presses the button", "interface: information reporting, operations Observe and Notify")
        observation = await self._server.observe(ENDPOINT, "/3347/0/5500")
        _exchange("GET /3347/0/5500 Observe=0", f"{observation.first.code} {observation.first.name}, Observe")
        self._values(observation.first)
        for steer, done in ((self._board.press, "pressed"), (self._board.release, "let go")):
            await asyncio.to_thread(steer)
            self._tell_notification(f"(the button is {done})", await observation.next())
        _explain("Nobody asked again: the device reports by itself, with the token of the Observe.")

    async def _report_temperature(self) -> None:
        self._begin("The temperature moves", "interface: information reporting, with attributes")
        path = "/3303/0/5700"
        result = await self._server.write_attributes(ENDPOINT, path, {"pmin": 1, "st": 0.5})
        _exchange(f"PUT {path}?pmin=1&st=0.5", f"{result.code} {result.name}")
        await asyncio.to_thread(self._board.drift, "temperature", 18, 30, 12)
        observation = await self._server.observe(ENDPOINT, path)
        _exchange(f"GET {path} Observe=0", f"{observation.first.code} {observation.first.name}, Observe")
        self._values(observation.first)
        for _ in range(_NOTIFICATIONS):
            self._tell_notification("(it has moved)", await observation.next())
        _explain("The attributes say what is worth a report: a step of 0.5 or more (st), at most one a second (pmin).")

    async def _see(self, output: str, wanted: float) -> None:
        """Wait until an output of the board is as wanted."""
        deadline = time.monotonic() + _LOOK_S
        while (seen := await asyncio.to_thread(self._board.get, output)) != wanted:
            if time.monotonic() > deadline:
                raise Timeout(f"the board's {output} is {seen} and should be {wanted}")
            await asyncio.sleep(0.05)

    def _begin(self, title: str, interface: str) -> None:
        self._number += 1
        print(f"\n{self._number}. {title} ({interface})", flush=True)

    def _tell_read(self, result: Result) -> None:
        content = f"{format_name(result.content_format)}, {len(result.payload)} bytes"
        _exchange(f"GET {text_of(result.path)}", f"{result.code} {result.name}, {content}")
        self._values(result)

    def _tell_notification(self, why: str, result: Result) -> None:
        kind = "CON" if result.confirmable else "NON"
        _exchange(why, f"{result.code} {result.name}, Observe={result.sequence} ({kind})")
        self._values(result)

    def _values(self, result: Result) -> None:
        _lines(show.lines(result.path, result.value, self._server.registration(ENDPOINT).units))


def tell_deregistration(registration: Registration) -> None:
    """The last step."""
    print("\nThe device leaves (interface: registration)", flush=True)
    _exchange(f"DELETE {registration.location}", "2.02 Deleted")
    _explain("The server forgets it and all that it observed there.")


def _tell_event(event: Event) -> None:
    print(time.strftime("%H:%M:%S  ", time.localtime(event.at)) + linelog.line(event), flush=True)


def _exchange(request: str, response: str) -> None:
    print(f"   {request:<38} -> {response}", flush=True)


def _lines(lines: list[str]) -> None:
    for line in lines:
        print(f"      {line}", flush=True)


def _explain(*sentences: str) -> None:
    for sentence in sentences:
        print(f"   {sentence}", flush=True)


def _object_lines(registration: Registration) -> list[str]:
    instances = [parse(path) for path in registration.objects if path.count("/") == 2]
    names = {oid: objects()[oid].name if oid in objects() else "?" for oid, _ in instances}
    return [f"/{oid}/{iid}".ljust(10) + names[oid] for oid, iid in instances]
