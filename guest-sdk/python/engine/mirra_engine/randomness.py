"""A snapshot clones whatever randomness is in it. What draws from the system is new in every instance; the rest is here."""

import builtins
import os
import sys

from wit_world.imports import random as host

from . import operations

_hash = builtins.hash
_urandom = os.urandom

_salt = 0
_random = None
_numpy = None


def renew():
    """At the start of an instance."""
    global _salt
    _salt = host.next_u64() >> 3
    if _random is not None:
        _random.seed(_salt)
    if _numpy is not None:
        _numpy.seed(_salt & 0xFFFF_FFFF)


def loaded():
    """What was imported while the handler was prepared has its state in the image: `random`, and what `numpy.random` shares."""
    global _random, _numpy
    module = sys.modules.get("numpy.random.mtrand")
    _numpy = None if module is None else module._rand
    module = sys.modules.get("random")
    _random = None if module is None else module._inst


def salted_hash(obj, /):
    """Return the hash value for the given object.

    Two objects that compare equal must also have the same hash value, but the
    reverse is not necessarily true."""
    # The interpreter's own secret is in the image, and every dict of the image is built on it. What programs see of it are the
    # hashes of texts and bytes.
    kind = type(obj)
    return _hash(obj) ^ _salt if kind is str or kind is bytes else _hash(obj)


salted_hash.__name__ = salted_hash.__qualname__ = "hash"


def _urandom_told(size, /):
    """os.urandom: tells when what it gives will be in an image."""
    if operations.is_preparing and _is_asked_by_author():
        import warnings

        warnings.warn("randomness that is drawn while a handler is prepared is the same in all of its calls", stacklevel=2)
    return _urandom(size)


def _is_asked_by_author():
    """Whether the handler's own code asks for it, itself or by what it calls. What a package draws when it is imported (as numpy does,
    whose state `renew` makes anew) is nothing that its author can do anything about."""
    from . import load

    frame = sys._getframe(2)
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        if load.is_authors(frame.f_code.co_filename):
            return True
        frame = frame.f_back
    return False


def install():
    builtins.hash = salted_hash
    os.urandom = _urandom_told
