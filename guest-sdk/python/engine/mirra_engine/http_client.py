"""http.client over the host's operation; and with it urllib.request, urllib3 and requests, which are built on it.

These libraries write HTTP/1.1 into a socket and read it from there. They get something that looks like a connected socket, and
makes one operation of each request that is written into it."""

import errno
import io

from . import http_operation, http_tls


class _Wire:
    """What the library has for a socket."""

    def __init__(self, scheme, host, port, timeout, sends_at_once):
        host = f"[{host}]" if ":" in host else host
        self._origin = f"{scheme}://{host}:{port}"
        # Whether to send as soon as the request is complete, or when the answer is asked for.
        self._sends_at_once = sends_at_once
        self._outcome = None
        self.settimeout(timeout)
        self._begin()

    def _begin(self):
        self._head = None
        self._pending = bytearray()

    def settimeout(self, timeout):
        self._timeout = timeout if isinstance(timeout, (int, float)) else None

    def sendall(self, data):
        self._pending += data
        if self._head is None:
            end = self._pending.find(b"\r\n\r\n")
            if end >= 0:
                self._head = _Head(self._pending[:end].decode("latin-1"))
                del self._pending[: end + 4]
        if self._sends_at_once and self._head is not None and self._head.is_complete(self._pending):
            try:
                self._outcome = self._exchange()
            except TimeoutError as error:
                # A server that answers late is met where the answer is waited for.
                self._outcome = error

    def makefile(self, mode, *args, **kwargs):
        """The answer, to be read as it would come over the wire."""
        outcome, self._outcome = self._outcome or self._exchange(), None
        if isinstance(outcome, TimeoutError):
            raise outcome
        return io.BufferedReader(outcome)

    def _exchange(self):
        head, body = self._head, self._pending
        self._begin()
        if head is None:
            raise ConnectionResetError(errno.ECONNRESET, "no request was sent")
        url = self._origin + head.target if head.target.startswith("/") else head.target
        try:
            answer = http_operation.send(head.method, url, head.headers, head.body(body), self._timeout)
        except http_operation.Failed as failed:
            raise _error(failed) from None
        return _Incoming(answer, head.method)

    def close(self):
        pass

    def shutdown(self, how):
        pass

    def setsockopt(self, *args):
        pass


class _Head:
    """The first lines of a request."""

    def __init__(self, text):
        first, *lines = text.split("\r\n")
        self.method, _, rest = first.partition(" ")
        self.target = rest.rpartition(" ")[0]
        self.headers = []
        self._length = 0
        self._is_chunked = False
        for line in lines:
            name, _, value = line.partition(":")
            value = value.strip()
            self.headers.append((name, value))
            if name.lower() == "content-length":
                self._length = int(value)
            elif name.lower() == "transfer-encoding":
                self._is_chunked = "chunked" in value.lower()

    def is_complete(self, body):
        if self._is_chunked:
            return body.endswith(b"0\r\n\r\n") and _joined(body) is not None
        return len(body) >= self._length

    def body(self, sent):
        return _joined(sent) if self._is_chunked else bytes(sent)


def _joined(chunks):
    """Takes the framing off a body that was sent in chunks. None: the last one, which is empty, is not there yet."""
    body, at = bytearray(), 0
    while (end := chunks.find(b"\r\n", at)) >= 0:
        size = int(chunks[at:end].partition(b";")[0], 16)
        if size == 0:
            return bytes(body)
        at = end + 2
        body += chunks[at : at + size]
        at += size + 2
    return None


def _error(failed):
    message = str(failed)
    if failed.code == "TIMEOUT":
        return TimeoutError(errno.ETIMEDOUT, message)
    return ConnectionRefusedError(errno.ECONNREFUSED, message)


class _Incoming(io.RawIOBase):
    """An answer as it would come over the wire. One of unknown length comes in chunks, so that libraries that hand on what has come know
    where it ends."""

    def __init__(self, answer, method):
        self._answer = answer
        # An answer without a body may still tell how long that would be.
        has_length = method == "HEAD" or answer.status in (204, 304) or any(name == "content-length" for name, _ in answer.headers)
        self._is_chunked = not has_length and answer.length is None
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in answer.headers)]
        if self._is_chunked:
            lines.append("transfer-encoding: chunked")
        elif not has_length:
            lines.append(f"content-length: {answer.length}")
        self._pending = memoryview("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def _read_on(self):
        part = self._answer.read()
        if self._is_chunked:
            # The last one is empty, and nothing comes after it.
            self._is_chunked = bool(part)
            part = b"%x\r\n%s\r\n" % (len(part), part)
        return memoryview(part)

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self._pending:
            try:
                self._pending = self._read_on()
            except http_operation.Failed as failed:
                raise _error(failed) from None
        count = min(len(buffer), len(self._pending))
        buffer[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def close(self):
        if not self.closed:
            self._answer.close()
        super().close()


def _connect(scheme, sends_at_once):
    def connect(self):
        """Opens nothing: the host connects when the request is there."""
        if self._tunnel_host or getattr(self, "proxy", None):
            raise OSError(errno.EACCES, "a proxy cannot be chosen here: requests go out through the host")
        if scheme == "https":
            http_tls.check_connection(self)
        self.sock = _Wire(scheme, self.host, self.port, self.timeout, sends_at_once)

    return connect


def patch(module):
    """Of http.client, once it is imported."""
    module.HTTPConnection.connect = _connect("http", True)
    module.HTTPSConnection.connect = _connect("https", True)


def patch_urllib3(module):
    """Of urllib3.connection, which has connections of its own. They set the time for the answer after the request was written."""
    module.HTTPConnection.connect = _connect("http", False)
    module.HTTPSConnection.connect = _connect("https", False)
    # The host keeps connections open, and knows which.
    module.HTTPConnection.is_connected = property(lambda self: self.sock is not None)
    module.HTTPSConnection.is_verified = True
    receive = module.HTTPConnection.getresponse

    def getresponse(self):
        try:
            return receive(self)
        except ConnectionError as error:
            # In words that fit: to urllib3 this one comes too late for a connection that was refused.
            raise module.NewConnectionError(self, error.strerror) from None

    module.HTTPConnection.getresponse = getresponse
