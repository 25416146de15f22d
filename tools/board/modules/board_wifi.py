"""The Wi-Fi station of the virtual board: what network.WLAN shows, and whether datagrams get through (board_socket.py).

States of the station, as on an ESP32: idle -> connecting -> connected -> (access point gone) -> connecting ... It
tries for ever unless config(reconnects=n) bounds it. Attempts that fail cost nothing: they are counted when somebody
asks, and the next one that can succeed begins when the access point comes back.
"""

import board_sim

IDLE, CONNECTING, GOT_IP = 1000, 1001, 1010
BEACON_TIMEOUT, NO_AP_FOUND, WRONG_PASSWORD, ASSOC_FAIL, HANDSHAKE_TIMEOUT = 200, 201, 202, 203, 204


class Station:
    """One station; the board has exactly one (`station` below)."""

    def __init__(self):
        self.active = False
        self.connected = False
        self.wanted = None  # (ssid, key) after connect()
        self.attempts = None  # how many may fail, None for ever
        self.carrier = None  # called with True or False when traffic begins or ceases to flow
        self._failed = 0
        self._reason = 0
        self._next_ms = 0
        self._flows = True
        for name in ("wifi.up", "wifi.ssid", "wifi.password"):
            board_sim.watch(name, self._air_changed)

    def activate(self, active):
        """Switch the radio on or off; off forgets the connection."""
        self.active = active
        if not active:
            self.disconnect()
        self.step()

    def connect(self, ssid, key):
        """Begin to join; ssid None means the one before."""
        self.wanted = self.wanted if ssid is None else (ssid, key or "")
        self.connected, self._failed, self._reason = False, 0, 0
        self._attempt()

    def disconnect(self):
        """Leave, and try no more."""
        self.wanted, self.connected = None, False
        self.step()

    def status(self):
        """One of the codes above, as WLAN.status() on an ESP32 gives them."""
        board_sim.poll()
        self.step()
        if self.connected:
            return GOT_IP
        if self.wanted and not self._gave_up():
            return CONNECTING
        return self._reason or IDLE

    def flows(self):
        """Whether datagrams get through. A program that never switched Wi-Fi on is taken to have another way."""
        return bool(board_sim.world.get("wifi.up")) and (self.connected or not self.active)

    def step(self):
        """Bring the state up to date with the clock and the world."""
        now, join_ms = board_sim.now_ms(), board_sim.world["wifi.join_ms"]
        if self.connected and self._refusal():
            self.connected, self._failed, self._reason = False, 0, BEACON_TIMEOUT
            self._next_ms = now + join_ms
        elif self.active and self.wanted and not self.connected and now >= self._next_ms and not self._gave_up():
            self._reason = self._refusal()
            self.connected = not self._reason
            failed = 0 if self.connected else 1 + (now - self._next_ms) // max(1, join_ms)
            self._failed += failed
            self._next_ms += failed * join_ms
        if self._flows != self.flows():
            self._flows = self.flows()
            if self.carrier:
                self.carrier(self._flows)

    def _gave_up(self):
        return self.attempts is not None and self._failed >= self.attempts

    def _refusal(self):
        """Why the access point would not have us now, 0 if it would."""
        world = board_sim.world
        if not world.get("wifi.up") or self.wanted[0] != world["wifi.ssid"]:
            return NO_AP_FOUND
        return 0 if self.wanted[1] == world["wifi.password"] else WRONG_PASSWORD

    def _attempt(self):
        join_ms = board_sim.world["wifi.join_ms"]
        self._next_ms = board_sim.now_ms() + join_ms
        board_sim.later(join_ms, self.step)
        self.step()

    def _air_changed(self):
        self.step()
        if self.wanted and not self.connected and not self._gave_up():
            self._attempt()


station = Station()
