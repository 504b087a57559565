import _mirra
from componentize_py_types import Err

start = _mirra.start


class Completion:
    __slots__ = "id", "outcome"

    def __init__(self, id, outcome):
        self.id = id
        self.outcome = outcome


class Ok:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class OperationError:
    __slots__ = "code", "message"

    def __init__(self, code, message):
        self.code = code
        self.message = message


def wait(timeout_us):
    match _mirra.wait() if timeout_us is None else _mirra.wait(timeout_us):
        case id, result:
            return Completion(id, Ok(result))
        case id, code, message:
            return Completion(id, Err(OperationError(code, message)))
    return None
