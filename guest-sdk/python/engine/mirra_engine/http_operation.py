"""One HTTP request as the host's operation `http.request`: what the libraries for HTTP are put on top of."""

import base64
import json

from . import operations

_OPERATION = "http.request"
_REFUSAL = "an HTTP request was made while the handler was prepared, where nothing can be reached; move it into the handler"


class Failed(Exception):
    """The host answered no. `code` is one of the contract's."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Answer:
    __slots__ = "body", "headers", "reason", "status"

    def __init__(self, outcome):
        fields = json.loads(outcome)
        self.status = fields["status"]
        self.reason = fields.get("reason", "")
        # Pairs, in the order of the server, of text in which each character is a byte.
        self.headers = fields["headers"]
        self.body = base64.b64decode(fields["body"])


def send(method, url, headers, body, timeout):
    """The answer, once it is there. `timeout` is in seconds, or None."""
    return operations.call_and_wait(_OPERATION, _arguments(method, url, headers, body, timeout), Answer, _failure, _REFUSAL)


async def send_async(method, url, headers, body, timeout):
    return await operations.call(_OPERATION, _arguments(method, url, headers, body, timeout), Answer, _failure, _REFUSAL)


def _arguments(method, url, headers, body, timeout):
    arguments = {"method": method, "url": url, "headers": headers}
    if body:
        arguments["body"] = base64.b64encode(body).decode()
    if timeout is not None:
        arguments["timeoutMs"] = timeout * 1000
    return json.dumps(arguments, allow_nan=False)


def _failure(error):
    return Failed(error.code, error.message)
