"""What a state machine does while a test looks on."""

from lwm2m import log


class Watch:
    """While it is entered, every row that a machine takes: `taken` is (state, event, next state), `missing` names.

    machine is the module with find_row, such as lwm2m.registration.
    """

    def __init__(self, machine):
        self._machine = machine

    def __enter__(self):
        self.taken = []
        self.missing = []
        self._find_row, self._error = self._machine.find_row, log.error
        self._machine.find_row = self._watched
        log.error = lambda text, *args: None
        return self

    def __exit__(self, *error):
        self._machine.find_row, log.error = self._find_row, self._error

    def _watched(self, state, event):
        try:
            found = self._find_row(state, event)
        except KeyError:
            self.missing.append((state, event))
            raise
        self.taken.append((state, event, found[0]))
        return found
