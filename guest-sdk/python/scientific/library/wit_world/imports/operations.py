import _mirra
from componentize_py_types import Err

start = _mirra.start
next = _mirra.next
cancel = _mirra.cancel


class Completion:
    __slots__ = "id", "is_last", "outcome"

    def __init__(self, id, is_last, outcome):
        self.id = id
        self.is_last = is_last != 0
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
        case id, is_last, result:
            return Completion(id, is_last, Ok(result))
        case id, is_last, code, message:
            return Completion(id, is_last, Err(OperationError(code, message)))
    return None
