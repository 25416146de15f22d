"""What can go wrong in the lab server, one exception each; `str()` is always one sentence for a person."""


class LabError(Exception):
    """Base of all errors of the lab server. `exit_code` is what the command line ends with."""

    exit_code = 2


class StartError(LabError):
    """The server cannot start: port taken, host unknown, control socket not writable."""


class UsageError(LabError):
    """The caller asked for something that cannot be meant: a wrong path, a value that does not fit its type."""


class UnknownEndpoint(UsageError):
    """No device of that name is registered (or none was named and there is not exactly one)."""


class PayloadError(LabError):
    """Bytes from a device that its Content-Format does not allow."""

    exit_code = 1


class Timeout(LabError):
    """The device did not answer in time or cannot be reached at all."""

    exit_code = 1


class DeviceError(LabError):
    """The device answered with an error (or with a Reset: code "RST").

    `code` is dotted ("4.04"), `name` the registered name ("Not Found"), `diagnostic` the device's own text.
    """

    exit_code = 1

    def __init__(self, request: str, code: str, name: str, diagnostic: str = ""):
        self.request, self.code, self.name, self.diagnostic = request, code, name, diagnostic
        super().__init__(f"{request} -> {code} {name}" + (f" ({diagnostic})" if diagnostic else ""))
