"""The Python engine of mirra: CPython as one core module that every Python handler shares.

It lives two lives. While a handler is prepared, the host calls `boot` once for the base image and `load` once for the
handler's code, and keeps the memory that results. While calls are served, each gets a copy of that memory and one call of
`handle`. Nothing in between: an instance that served a call is thrown away.
"""

import wit_world
from componentize_py_types import Err
from wit_world import LoadError, exports
from wit_world.exports.handler import Failure, FailureKind

from . import boot, call, load

_KINDS = {
    call.RAISED: FailureKind.THROWN,
    call.NEVER_SETTLES: FailureKind.NEVER_SETTLES,
    call.NOT_SERIALIZABLE: FailureKind.NOT_SERIALIZABLE,
    call.BAD_EVENT: FailureKind.BAD_EVENT,
}


class WitWorld(wit_world.WitWorld):
    def boot(self) -> None:
        boot.boot()

    def load(self, entry: str) -> LoadError | None:
        error = load.load(entry)
        return None if error is None else LoadError(*error)


class Handler(exports.Handler):
    def handle(self, event: str, context: str) -> str:
        failure, result = call.handle(event, context)
        if failure is None:
            return result
        kind, name, message, stack = failure
        raise Err(Failure(_KINDS[kind], name, message, stack))


boot.prepare()
