"""What a handler can reach outside of its instance. The engine's own is `guest-sdk/python/engine/mirra_engine/sdk.py`."""

from collections.abc import AsyncIterator, Iterator, KeysView, Mapping
from typing import Any, Protocol, TypeAlias, type_check_only

Event: TypeAlias = dict[str, Any]

class MirraError(Exception):
    """An operation failed. `code` is one of the contract's, such as `RESOURCE_DENIED`."""

    code: str
    def __init__(self, code: str, message: str) -> None: ...

class Context:
    """What the host says of this call. Its fields are attributes and items, by the names of Python and of JavaScript."""

    execution_id: str
    executionId: str
    script_id: str
    scriptId: str
    version: str
    trigger: str
    api_key: str
    apiKey: str
    # Unix milliseconds.
    deadline: float
    @property
    def aws_request_id(self) -> str: ...
    def remaining_time(self) -> float:
        """Milliseconds left."""
    def remainingTime(self) -> float: ...
    def get_remaining_time_in_millis(self) -> int: ...
    def get(self, name: str, default: Any = None) -> Any: ...
    def keys(self) -> KeysView[str]: ...
    def __getitem__(self, name: str) -> Any: ...
    def __contains__(self, name: object) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...

@type_check_only
class _Operation(Protocol):
    """Takes one object or named values. Answers its result; in an `async def`, an awaitable of it."""

    def __call__(self, params: Mapping[str, Any] | None = None, /, **named: Any) -> Any: ...

@type_check_only
class _Parts(Protocol):
    """Parts of an answer, as they come: to be read by `async for`, or by `for`."""

    def __iter__(self) -> Iterator[Any]: ...
    def __next__(self) -> Any: ...
    def __aiter__(self) -> AsyncIterator[Any]: ...
    async def __anext__(self) -> Any: ...
    def close(self) -> None: ...

@type_check_only
class _Stream(Protocol):
    """Takes one object or named values. Answers its parts."""

    def __call__(self, params: Mapping[str, Any] | None = None, /, **named: Any) -> _Parts: ...

@type_check_only
class _Adapter(Protocol):
    """Has whatever operations its host offers."""

    def __getattr__(self, name: str, /) -> _Operation: ...

@type_check_only
class _Memory(Protocol):
    create: _Operation
    createTask: _Operation
    search: _Operation
    query: _Operation
    findOne: _Operation
    update: _Operation
    delete: _Operation
    share: _Operation
    unshare: _Operation
    listGraphs: _Operation

@type_check_only
class _Resources(Protocol):
    call: _Operation
    def __getattr__(self, name: str, /) -> _Adapter: ...

@type_check_only
class _Ai(Protocol):
    chat: _Operation
    chatStream: _Stream
    batchChat: _Operation
    decide: _Operation
    agent: _Operation
    agentStream: _Stream
    computerUse: _Operation
    transcribeAudio: _Operation

@type_check_only
class _Flows(Protocol):
    createTimeFlow: _Operation
    createEventFlow: _Operation
    createFlow: _Operation
    listFlows: _Operation
    getFlow: _Operation
    updateFlow: _Operation
    pauseFlow: _Operation
    resumeFlow: _Operation
    deleteFlow: _Operation
    searchFlows: _Operation
    executeFlow: _Operation
    testFlow: _Operation
    validateTrigger: _Operation
    listEventTypes: _Operation
    getFlowsByEventType: _Operation
    createBatchOperation: _Operation
    publishFlow: _Operation
    unpublishFlow: _Operation

@type_check_only
class _Scripts(Protocol):
    createScript: _Operation
    getScript: _Operation
    listScripts: _Operation
    deleteScript: _Operation
    createVersion: _Operation
    listVersions: _Operation
    deployScript: _Operation
    executeScript: _Operation
    getExecution: _Operation
    getExecutions: _Operation
    getMetrics: _Operation
    readScriptCode: _Operation
    editScriptCode: _Operation
    lintScript: _Operation

class Mirra(Protocol):
    """A handler's third parameter, which is this module."""

    MirraError: type[MirraError]
    ai: _Ai
    flows: _Flows
    memory: _Memory
    resources: _Resources
    scripts: _Scripts
    telegram: _Adapter

ai: _Ai
flows: _Flows
memory: _Memory
resources: _Resources
scripts: _Scripts
telegram: _Adapter
