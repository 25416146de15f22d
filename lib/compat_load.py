"""compat's part for what not every firmware has. Imported by rooms that need such a thing, and by no others."""


def load(name):
    """A module, or None where there is none of that name."""
    try:
        return __import__(name)
    except ImportError:
        return None
