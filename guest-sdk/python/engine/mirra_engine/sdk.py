"""`mirra`, the third argument of a handler and a module to import: `mirra.<adapter>.<method>(params)`, and
`mirra.resources.<name>.<method>(params)`. Any name will do here: the host knows what there is, and refuses the rest."""

import json
import sys
import types

from . import context, operations


class MirraError(Exception):
    """An operation failed. `code` is one of the contract's, such as `RESOURCE_DENIED`."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class _Operation:
    """Something that can be called: `mirra.memory.create`. In an `async def` it answers an awaitable, elsewhere the result."""

    def __init__(self, name):
        self._name = name

    def __call__(self, params=None, /, **named):
        if params is None:
            params = named
        elif named:
            raise TypeError(f"mirra.{self._name}() takes one object or named values, not both")
        return self._start(json.dumps(params, allow_nan=False))

    def _start(self, arguments):
        return operations.call(self._name, arguments, _result, _failure)

    def __repr__(self):
        return f"<mirra.{self._name}>"


class _Parts:
    """What a model says, while it says it: to be read by `async for`, or by `for`."""

    def __init__(self, name, arguments):
        self._begin = lambda: operations.start(name, arguments, self._part, _failure)
        self._rest = None

    def _part(self, outcome, rest):
        self._rest = rest
        return json.loads(outcome)

    def _next(self):
        """The future of the next part, or None."""
        begin, self._begin = self._begin, None
        if begin is not None:
            return begin()
        rest, self._rest = self._rest, None
        return None if rest is None else rest.next(self._part, _failure)

    def __aiter__(self):
        return self

    async def __anext__(self):
        if (part := self._next()) is None:
            raise StopAsyncIteration
        return await part

    def __iter__(self):
        return self

    def __next__(self):
        if (part := self._next()) is None:
            raise StopIteration
        return operations.wait_for(part)

    def close(self):
        """Nobody wants the rest."""
        self._begin = None
        rest, self._rest = self._rest, None
        if rest is not None:
            rest.cancel()

    def __del__(self):
        self.close()


class _Stream(_Operation):
    """An operation that answers in parts: `mirra.ai.chatStream`."""

    def _start(self, arguments):
        return _Parts(self._name, arguments)


class _Adapter(_Operation):
    """Something that has operations: `mirra.memory`, and `mirra.resources.<name>`, which can be called besides."""

    def __getattr__(self, name):
        # What Python itself looks for is nobody's operation.
        if name.startswith("_"):
            raise AttributeError(f"mirra.{self._name} has no {name!r}", name=name, obj=self)
        path = f"{self._name}.{name}"
        if self._name == "resources" and name != "call":
            member = _Adapter(path)
        elif self._name == "ai" and name.endswith("Stream"):
            member = _Stream(path)
        else:
            member = _Operation(path)
        self.__dict__[name] = member
        return member


class _Sdk(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(f"mirra has no {name!r}", name=name, obj=self)
        adapter = _Adapter(name)
        self.__dict__[name] = adapter
        return adapter


def _result(outcome, rest):
    return json.loads(outcome)


def _failure(error):
    return MirraError(error.code, error.message)


mirra = _Sdk("mirra", "What a handler can reach outside of its instance.")


def install():
    mirra.MirraError = MirraError
    # For annotations: what `guest-sdk/python/stubs` says of them is for whoever checks types.
    mirra.Context, mirra.Event, mirra.Mirra = context.Context, dict, _Sdk
    sys.modules["mirra"] = mirra
    # Asked for once at the start, they lie in the image, and a call does not write the memory of making them.
    for name in "ai", "flows", "memory", "resources", "scripts":
        getattr(mirra, name)
