"""Operations of the host that are under way, each with the future that waits for it."""

import asyncio

from componentize_py_types import Err
from wit_world.imports import operations as host

# By the host's id. A value is (future, result, failure): what makes a result of an outcome, and an exception of a failure.
_under_way = {}

# True while a handler is prepared, where nothing outside can be reached.
is_preparing = True


def call(name, arguments, result, failure, refusal=None):
    """Starts `name`. Answers its future in a coroutine, elsewhere its result once it is there."""
    future = _start(name, arguments, result, failure, refusal)
    return future if asyncio._get_running_loop() is not None else _wait_for(future)


def call_and_wait(name, arguments, result, failure, refusal=None):
    """The same for code that cannot await, wherever it is called from. What runs beside it stands still meanwhile."""
    return _wait_for(_start(name, arguments, result, failure, refusal))


def _start(name, arguments, result, failure, refusal):
    if is_preparing:
        raise RuntimeError(refusal or f"mirra.{name}() was called while the handler was prepared; move the call into the handler")
    future = (asyncio._get_running_loop() or loop_of_sync_calls()).create_future()
    _under_way[host.start(name, arguments)] = future, result, failure
    return future


def _wait_for(future):
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
    if completion is None:
        return
    future, result, failure = _under_way.pop(completion.id)
    if future.cancelled():
        return
    outcome = completion.outcome
    try:
        if isinstance(outcome, Err):
            future.set_exception(failure(outcome.value))
        else:
            future.set_result(result(outcome.value))
    except Exception as error:
        future.set_exception(error)
