"""One call of the handler. Everything in here is on the path of a cold call, which takes a fraction of a millisecond."""

import inspect
import json
from types import AsyncGeneratorType, CoroutineType, GeneratorType

from . import context, failures, logs, loop, randomness, sdk

# Kinds of failures, as the world names them.
RAISED, NEVER_SETTLES, NOT_SERIALIZABLE, BAD_EVENT = range(4)

_decode = json.JSONDecoder().decode
# As JSON is: no NaN, and what is no ASCII as it stands.
_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
# Half of a surrogate pair is text that UTF-8 cannot carry, and JSON can.
_encode_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode

_handler = None
_takes_mirra = False


def adopt(handler):
    """Makes `handler` the one that is called. Raises TypeError if it cannot be called as handlers are."""
    global _handler, _takes_mirra
    _takes_mirra = _accepts_three(handler)
    _handler = handler


def forget():
    global _handler
    _handler = None


def _accepts_three(handler):
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        # Some built-in functions do not tell.
        return False
    for arguments in 3, 2:
        try:
            signature.bind(*range(arguments))
            return arguments == 3
        except TypeError:
            continue
    raise TypeError(f"handler{signature} cannot be called as handler(event, context) or handler(event, context, mirra)")


def handle(event_json, context_json):
    """Answers (None, result as JSON) or (failure, None), where a failure is (kind, name, message, stack)."""
    randomness.renew()
    try:
        try:
            event = _decode(event_json)
        except (ValueError, RecursionError) as error:
            return (BAD_EVENT, type(error).__name__, str(error), ""), None
        try:
            given = context.Context(context_json)
            result = _handler(event, given, sdk.mirra) if _takes_mirra else _handler(event, given)
            if type(result) is CoroutineType or inspect.isawaitable(result):
                result = loop.run(result)
        except loop.NeverSettles:
            return (NEVER_SETTLES, "", "", ""), None
        except BaseException as error:
            return (RAISED, *failures.describe(error)), None
        return _serialized(result)
    finally:
        logs.flush()


def _serialized(result):
    try:
        if isinstance(result, (GeneratorType, AsyncGeneratorType)):
            raise TypeError("the handler is a generator: return a value instead of yielding, such as list(...) of it")
        text = _encode(result)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                text = _encode_ascii(result)
        return None, text
    except BaseException as error:
        name, message, _ = failures.describe(error)
        return (NOT_SERIALIZABLE, name, message, ""), None
