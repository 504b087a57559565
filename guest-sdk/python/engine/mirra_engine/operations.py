"""Operations of the host that are under way, each with the future that waits for it."""

import asyncio

from componentize_py_types import Err
from wit_world.imports import operations as host

# By the host's id. A value is (future, result, failure): what makes a result of an outcome and the rest of the operation (a
# `Rest`, or None), and an exception of a failure.
_under_way = {}

# True while a handler is prepared, where nothing outside can be reached.
is_preparing = True


def call(name, arguments, result, failure, refusal=None):
    """Starts `name`. Answers its future in a coroutine, elsewhere its result once it is there."""
    future = start(name, arguments, result, failure, refusal)
    return future if asyncio._get_running_loop() is not None else wait_for(future)


def call_and_wait(name, arguments, result, failure, refusal=None):
    """The same for code that cannot await, wherever it is called from. What runs beside it stands still meanwhile."""
    return wait_for(start(name, arguments, result, failure, refusal))


def start(name, arguments, result, failure, refusal=None):
    """Starts `name`. Answers its future."""
    if is_preparing:
        raise RuntimeError(refusal or f"mirra.{name}() was called while the handler was prepared; move the call into the handler")
    return _future_of(host.start(name, arguments), result, failure)


def _future_of(id, result, failure):
    future = (asyncio._get_running_loop() or loop_of_sync_calls()).create_future()
    _under_way[id] = future, result, failure
    return future


class Rest:
    """An operation that has another part."""

    __slots__ = ("_id",)

    def __init__(self, id):
        self._id = id

    def next(self, result, failure):
        """Asks for it. Answers its future."""
        host.next(self._id)
        return _future_of(self._id, result, failure)

    def cancel(self):
        """Nobody wants the rest, asked for or not."""
        if (waiting := _under_way.pop(self._id, None)) is not None:
            waiting[0].cancel()
        host.cancel(self._id)


def wait_for(future):
    """Its result, for code that cannot await."""
    while not future.done():
        wait(None)
    return future.result()


def loop_of_sync_calls():
    from . import loop

    return loop.idle()


def is_any_under_way():
    return bool(_under_way)


def wait(timeout_us):
    """Lets the next operation end, if one does within the time. None: however long that takes."""
    completion = host.wait(timeout_us)
    # One that was cancelled may have been refused already.
    if completion is None or completion.id not in _under_way:
        return
    future, result, failure = _under_way.pop(completion.id)
    if future.cancelled():
        return
    outcome = completion.outcome
    try:
        if isinstance(outcome, Err):
            future.set_exception(failure(outcome.value))
        else:
            future.set_result(result(outcome.value, None if completion.is_last else Rest(completion.id)))
    except Exception as error:
        future.set_exception(error)
