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
    """Its head, and its body in parts, as it comes."""

    def __init__(self, outcome, rest):
        fields = json.loads(outcome)
        self.status = fields["status"]
        self.reason = fields.get("reason", "")
        # Pairs, in the order of the server, of text in which each character is a byte.
        self.headers = fields["headers"]
        self._body = self._taken((base64.b64decode(fields["body"]), rest))

    def _taken(self, part):
        body, self._rest = part
        # Asked for before anybody wants it: an answer that is short need not be read for its connection to be free again.
        self._next = None if self._rest is None else self._rest.next(_part, _failure)
        return body

    @property
    def length(self):
        """Of the body, where all of it is there already."""
        return len(self._body) if self._next is None else None

    def read(self):
        """The next bytes; none at the end."""
        while not self._body and self._next is not None:
            self._body = self._taken(operations.wait_for(self._next))
        body, self._body = self._body, b""
        return body

    async def read_async(self):
        while not self._body and self._next is not None:
            self._body = self._taken(await self._next)
        body, self._body = self._body, b""
        return body

    def close(self):
        if self._rest is not None:
            self._rest.cancel()
        self._rest = self._next = None


def _part(outcome, rest):
    return base64.b64decode(json.loads(outcome)["body"]), rest


def send(method, url, headers, body, timeout):
    """The answer, once its head is there. `timeout` is in seconds, or None; each part of the body may take as long again."""
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
