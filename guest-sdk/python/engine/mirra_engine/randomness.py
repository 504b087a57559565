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


def renew():
    """At the start of an instance."""
    global _salt
    _salt = host.next_u64() >> 3
    if _random is not None:
        _random.seed(_salt)


def loaded():
    """`random` was imported while the handler was prepared: its state is in the image."""
    global _random
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
    if operations.is_preparing:
        import warnings

        warnings.warn("randomness that is drawn while a handler is prepared is the same in all of its calls", stacklevel=2)
    return _urandom(size)


def install():
    builtins.hash = salted_hash
    os.urandom = _urandom_told
