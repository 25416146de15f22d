"""Where a downloaded package goes, and what can be wrong with it. Firmware Update (object 5) hands a package, block by
block, to a sink; which one, a file or a partition of the flash, is the program's choice.

A sink has the attributes `name` and `version` of the package, None as long as they are not known, and these methods.
All of them may raise a PackageError, OSError or MemoryError; the sink decides how packages are verified.

begin(size)     A package of `size` bytes, None if that is not known, is about to come; what was there before goes.
resume(offset)  A download goes on after a restart, behind its first `offset` bytes, which were flushed.
write(data)     The next bytes.
flush()         What was written up to here must outlive a restart.
finish()        All bytes have come: verify them.
abort()         The package is not wanted any more: remove what there is of it.
install()       Make the package what runs after the next restart.
confirm()       After that restart: raise InstallFailed unless the package is what runs now. `version` is that of what
                runs then.
"""

from coap.errors import CoapError, RequestEntityIncomplete


class PackageError(CoapError):
    """8, Firmware update failed, and the base of what can be wrong with a package. `result` is the Update Result
    (/5/0/5), `code` the answer to a server that is pushing the package."""

    result = 8


def _error(name, code, result):
    return type(name, (PackageError,), {"code": code, "result": result})


NotEnoughStorage = _error("NotEnoughStorage", 0x8D, 2)
ConnectionLost = _error("ConnectionLost", 0xA3, 4)
IntegrityFailure = _error("IntegrityFailure", 0x80, 5)
UnsupportedPackage = _error("UnsupportedPackage", 0x80, 6)
InvalidUri = _error("InvalidUri", 0x80, 7)
InstallFailed = _error("InstallFailed", 0xA0, 8)
UnsupportedProtocol = _error("UnsupportedProtocol", 0x80, 9)


def too_big(capacity):
    """A NotEnoughStorage that tells the largest package in its Size1 (RFC 7959 section 4)."""
    error = NotEnoughStorage("at most %d bytes" % capacity)
    error.options = ((60, capacity),)
    return error


class Push:
    """The sink that a block-wise write of a package wants (lwm2m.blocks). Its owner, an object, has finish(),
    fail(error) and `coming`, the push that is the current one; any other is harmless."""

    def __init__(self, owner, write):
        self._owner = owner
        self._write = write

    def attempt(self, act, *args):
        """Do something for this push; what goes wrong ends it, and is its answer."""
        if self._owner.coming is not self:
            raise RequestEntityIncomplete()
        try:
            act(*args)
        except Exception as error:
            self._owner.fail(error)
            raise

    def write(self, data):
        """A block."""
        self.attempt(self._write, data)

    def close(self):
        """The last block has come."""
        self.attempt(self._owner.finish)

    def abort(self):
        """No more will come."""
        if self._owner.coming is self:
            self._owner.fail(ConnectionLost("the server has stopped sending"))
