"""asyncio's event loop over the host: it sleeps and waits for operations in one call, and there are neither sockets nor
threads under it."""

import asyncio
import math
from asyncio import base_events, events

from . import operations


class NeverSettles(BaseException):
    """Nothing is under way that could ever end the waiting. Not for `except Exception` to swallow."""


class _Selector:
    """What the loop of the standard library waits with."""

    def select(self, timeout):
        if timeout is None:
            if not operations.is_any_under_way():
                raise NeverSettles
            operations.wait(None)
        elif timeout > 0 or operations.is_any_under_way():
            operations.wait(math.ceil(timeout * 1e6))
        return ()

    def close(self):
        pass


class Loop(base_events.BaseEventLoop):
    def __init__(self):
        super().__init__()
        self._selector = _Selector()

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        # Wakes a loop from another thread, and there is none.
        pass

    def run_in_executor(self, executor, func, *args):
        """There are no threads: what would run in one runs here and now. `asyncio.to_thread` comes this way, too."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class _Policy(events._AbstractEventLoopPolicy):
    def __init__(self):
        self._loop = None

    def get_event_loop(self):
        if self._loop is None:
            raise RuntimeError("There is no current event loop")
        return self._loop

    def set_event_loop(self, loop):
        self._loop = loop

    def new_event_loop(self):
        return Loop()


_idle = None


def idle():
    """A loop that lies ready in the image."""
    return _idle


def run(awaitable):
    """Runs the loop until `awaitable` has its result."""
    loop = _idle
    try:
        return loop.run_until_complete(_of(awaitable))
    finally:
        # As asyncio.run does. What is still waiting is told so, and may clean up.
        left = asyncio.all_tasks(loop)
        if left:
            _cancel(loop, left)


async def _of(awaitable):
    return await awaitable


def _cancel(loop, tasks):
    for task in tasks:
        task.cancel()
    try:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    except NeverSettles:
        pass


def renew():
    """Makes another loop to lie ready."""
    global _idle
    _idle = Loop()


def install():
    # The function that sets it is deprecated; asyncio.run and Runner still ask for it.
    events._event_loop_policy = _Policy()
    renew()
