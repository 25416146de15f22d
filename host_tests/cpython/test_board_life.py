"""The virtual board as a process, on both interpreters: interrupts, Wi-Fi that is really cut, resets, watchdog."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from host_tests.cpython.boards import Board


@pytest.fixture(params=["unix", "cpython"])
def interpreter(request):
    """Both interpreters; the first where the machine has it."""
    if request.param == "unix":
        request.getfixturevalue("micropython")
    return request.param


ASLEEP = """
import asyncio, time
from sensors import board
async def main():
    board.button.on_change = lambda pressed: (print("pressed", pressed, board.button.count), board.led.on(pressed))
    board.led.off()
    print("ready")
    await asyncio.sleep(60)
asyncio.new_event_loop()  # MicroPython's way to forget old tasks; the board's own must live on
try:
    asyncio.run(main())
except KeyboardInterrupt:
    time.sleep(0.3)  # a second signal would break this off
    print("de-registered")
"""


def test_button_wakes_a_sleeping_program(tmp_path, interpreter):
    """A press runs the handler at once although the loop sleeps for a minute; SIGTERM lets the program tidy up."""
    with Board(tmp_path, ASLEEP, interpreter=interpreter) as board:
        board.expect("ready")
        board.steering.press()
        board.expect("pressed True 1")
        board.until(lambda: board.get("led") == 1, "the LED")
        board.steering.release()
        board.expect("pressed False 1")
        board.until(lambda: board.get("led") == 0, "the LED")
        os.killpg(board.process.pid, signal.SIGINT)  # as a terminal does it
        board.process.send_signal(signal.SIGTERM)  # and make, or who else is above, passes it on
        assert board.wait() == 0
    assert board.output.count("de-registered") == 1
    assert "Traceback" not in board.output


def interpreter_process(board):
    """/proc folder of the process that runs main.py."""
    threads = Path(f"/proc/{board.process.pid}/task").iterdir()
    (pid,) = [pid for thread in threads for pid in (thread / "children").read_text().split()]
    return Path("/proc") / pid


def switches(process):
    """How often the process went to sleep so far."""
    status = (process / "status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("voluntary_ctxt"))


def test_idle_is_idle(tmp_path, interpreter):
    """Between two deadlines the board does not wake a single time."""
    with Board(tmp_path, ASLEEP, interpreter=interpreter) as board:
        board.expect("ready")
        time.sleep(0.4)  # until the timer of joining the Wi-Fi has run
        process = interpreter_process(board)
        before = switches(process)
        time.sleep(1)
        assert switches(process) == before


def test_the_board_dies_with_its_supervisor(tmp_path, interpreter):
    """No supervisor, no power: kill -9 leaves nothing behind."""
    with Board(tmp_path, ASLEEP, interpreter=interpreter) as board:
        board.expect("ready")
        process = interpreter_process(board)
        board.process.kill()
        deadline = time.monotonic() + 5
        while process.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not process.exists()


def test_a_stubborn_program_is_killed(tmp_path, micropython):
    """The second Ctrl-C, a second later, ends what ignores the first."""
    stubborn = """
import time
print("ready")
while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        print("no")
"""
    with Board(tmp_path, stubborn) as board:
        board.expect("ready")
        board.process.send_signal(signal.SIGINT)
        board.expect("no")
        time.sleep(1.1)
        board.process.send_signal(signal.SIGINT)
        assert board.wait() == 0
    assert "was killed" in board.output


RADIO = """
import asyncio, socket, sys
from compat import readable
peer = socket.getaddrinfo("127.0.0.1", PEER, 0, socket.SOCK_DGRAM)[0][-1]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setblocking(False)
sock.connect(peer)
async def receive():
    while True:
        await readable(sock)
        try:
            data = sock.recv(100)
            print("got", data.decode())
            if data == b"resolve":
                socket.getaddrinfo("localhost", 1)
                print("resolved")
        except OSError as error:
            print("receive", error.errno)
async def send():
    number = 0
    while True:
        number += 1
        try:
            sock.send(b"%d" % number)
        except OSError as error:
            print("send", error.errno)
            try:
                socket.getaddrinfo("localhost", 1)
            except OSError as error:
                print("name", error.errno)
        await asyncio.sleep(0.02)
async def main():
    task = asyncio.create_task(receive())
    await send()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("end")
"""


def test_cut_wifi_really_cuts(tmp_path, interpreter):
    """While it is off nothing comes out and nothing goes in, not even later; afterwards the same socket works again."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(5)
    program = RADIO.replace("PEER", str(peer.getsockname()[1]))
    with peer, Board(tmp_path, program, interpreter=interpreter) as board:
        _, address = peer.recvfrom(100)
        peer.sendto(b"resolve", address)
        board.expect("resolved")

        board.steering.wifi(False)
        board.expect("send 113")  # EHOSTUNREACH
        board.expect("name -202")
        drain(peer)
        for n in range(20):
            peer.sendto(b"lost %d" % n, address)
        peer.settimeout(0.3)
        with pytest.raises(TimeoutError):
            peer.recv(100)

        board.steering.wifi(True)
        peer.settimeout(5)
        peer.recv(100)
        peer.sendto(b"hello again", address)
        board.expect("got hello again")
        assert "lost" not in board.output


DEAF = """
import socket, time
from board_sim import read
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setblocking(False)
sock.connect(socket.getaddrinfo("127.0.0.1", PEER, 0, socket.SOCK_DGRAM)[0][-1])
sock.send(b"here")
while read("humidity") != 1:
    time.sleep(0.01)
for _ in range(9):
    try:
        print("got", sock.recv(100).decode())
    except OSError as error:
        print("receive", error.errno)
"""


def test_the_air_stores_nothing(tmp_path, interpreter):
    """What came while Wi-Fi was off and nobody listened is gone when it is on again; what comes then is not."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(5)
    program = DEAF.replace("PEER", str(peer.getsockname()[1]))
    with peer, Board(tmp_path, program, interpreter=interpreter) as board:
        _, address = peer.recvfrom(100)
        board.steering.wifi(False)
        for n in range(3):
            peer.sendto(b"lost %d" % n, address)
        time.sleep(0.1)
        board.steering.wifi(True)
        time.sleep(0.5)  # to join takes 0.2 s
        peer.sendto(b"kept", address)
        board.steering.set(humidity=1)
        assert board.wait() == 0
    assert "got kept" in board.output
    assert "lost" not in board.output


def drain(sock):
    """Throw away what is queued."""
    sock.setblocking(False)
    try:
        while True:
            sock.recv(100)
    except BlockingIOError:
        sock.setblocking(True)


LIVES = """
import machine, time
rtc = machine.RTC()
life = len(rtc.memory())
print("life", life, "cause", machine.reset_cause(), "wake", machine.wake_reason(), "year", rtc.datetime()[0])
rtc.memory(rtc.memory() + b"x")
try:
    if life == 0:
        rtc.datetime((2040, 1, 2, 0, 3, 4, 5, 0))
        machine.Pin(2, machine.Pin.OUT, value=1)
        machine.reset()
    elif life == 1:
        machine.soft_reset()
    elif life == 2:
        machine.deepsleep(100)
    elif life == 3:
        import esp32
        esp32.wake_on_ext0(machine.Pin(0), esp32.WAKEUP_ALL_LOW)
        machine.deepsleep()
    elif life == 4:
        dog = machine.WDT(timeout=400)
        for _ in range(4):
            time.sleep(0.1)
            dog.feed()
        print("fed")
        while True:
            pass
    else:
        print("waiting")
        while True:
            time.sleep(60)
finally:
    print("no chip runs this")
"""


def test_resets_sleep_and_watchdog(tmp_path, interpreter):
    """Each starts boot.py anew with its cause; RTC memory and clock survive all of them, but not loss of power."""
    with Board(tmp_path, LIVES, "--state-dir", str(tmp_path), interpreter=interpreter) as board:
        board.until(lambda: board.get("wifi.up") is True, "the control socket")
        board.until(lambda: board.steering.show()["starts"] == 4, "the fourth start")
        board.until(lambda: board.steering.show()["state"] == "asleep", "the sleep without a timer")
        assert board.get("led") == 0  # outputs do not outlive a reset
        board.steering.press()
        board.expect("life 5")
        board.expect("waiting")
        lives = [line for line in board.output.splitlines() if line.startswith("life")]
        year = time.gmtime().tm_year
        assert lives == [
            f"life 0 cause 1 wake 0 year {year}",
            "life 1 cause 2 wake 0 year 2040",
            "life 2 cause 5 wake 0 year 2040",
            "life 3 cause 4 wake 4 year 2040",
            "life 4 cause 4 wake 2 year 2040",
            "life 5 cause 3 wake 0 year 2040",
        ]
        assert board.output.count("Wi-Fi: joined") == 6
        assert board.output.index("fed") < board.output.index("board: watchdog reset")
        assert "no chip runs this" not in board.output
        board.steering.release()
        seen = len(board.output)
        board.steering.reset()
        board.until(lambda: f"life 0 cause 1 wake 0 year {year}" in board.output[seen:], "power-on")


def test_stop_in_deep_sleep(tmp_path, micropython):
    """There is nothing to de-register: the board ends at once."""
    with Board(tmp_path, "import machine\nmachine.deepsleep()") as board:
        board.expect("board: deepsleep")
        board.until(lambda: board.steering.show()["state"] == "asleep", "the sleep")
        started = time.monotonic()
        board.process.send_signal(signal.SIGINT)
        assert board.wait() == 0
        assert time.monotonic() - started < 3


DRIVERS = """
import asyncio, gc
from sensors import board
async def main():
    board.button.on_change = lambda pressed: print("button", pressed)
    try:
        board.ds18b20.celsius()
    except OSError as error:
        print("ds18b20 says", error.errno)
    await asyncio.sleep(0.8)
    print(board.celsius(), board.humidity(), board.pressure(), board.dht22.celsius(), board.dht22.humidity())
    print(board.ds18b20.celsius(), board.knob.volts(), board.knob.percent(), board.distance.metres())
    print("chip", board.chip.celsius())
    board.led.level(20)
    board.buzzer.on()
    board.pixels.colour("#0000ff")
    board.pixels.on()
    print("shown")
    await asyncio.sleep(60)
print("set the world")
import time
from board_sim import read
while read("adc.34") is None and read("adc.1") is None:
    time.sleep(0.01)
asyncio.run(main())
"""


@pytest.mark.parametrize("chip", ["esp32", "esp32c3"])
def test_drivers_on_micropython(tmp_path, micropython, chip):
    """Each driver of lib/sensors/ reads the world, or changes it, on the interpreter that boards have."""
    with Board(tmp_path, DRIVERS, "--chip", chip) as board:
        board.expect("set the world")
        board.steering.set(
            temperature=21.25, humidity=0, pressure=1000, dht__temperature=-4.5, chip__temperature=50, distance=34.3
        )
        board.steering.voltage("knob", 1650)
        board.expect("shown")
        assert "ds18b20 says 11\n21.25 0.0 1000.0 -4.5 0.0\n21.25 1.65 50.0 0.343\nchip 50" in board.output
        board.until(lambda: board.get("pixels") == [[0, 0, 255]], "the pixels")
        assert board.get("led") == 0.2
        assert board.get("buzzer") == {"freq": 2000, "duty": 0.5}
        board.steering.press()
        board.expect("button True")
