"""httpx over the host's operation: its two transports, sync and async, without httpcore under them."""

import logging

from . import http_operation, http_tls


def patch(module):
    """Of httpx._transports.default, once it is imported."""
    # It tells of every request at a level that elsewhere nobody sees unless they ask for it, and handlers see.
    logging.getLogger("httpx").setLevel(logging.WARNING)

    class Body(module.SyncByteStream, module.AsyncByteStream):
        """The body of an answer, read as it comes."""

        def __init__(self, answer, request):
            self._answer = answer
            self._request = request

        def __iter__(self):
            try:
                while part := self._answer.read():
                    yield part
            except http_operation.Failed as failed:
                raise _error(module, failed, self._request) from None

        async def __aiter__(self):
            try:
                while part := await self._answer.read_async():
                    yield part
            except http_operation.Failed as failed:
                raise _error(module, failed, self._request) from None

        def close(self):
            self._answer.close()

        async def aclose(self):
            self._answer.close()

    def response(answer, request):
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        extensions = {"http_version": b"HTTP/1.1", "reason_phrase": answer.reason.encode("latin-1")}
        return module.Response(status_code=answer.status, headers=headers, stream=Body(answer, request), extensions=extensions)

    def initialize(self, verify=True, cert=None, trust_env=True, *args, proxy=None, uds=None, **options):
        if proxy is not None or uds is not None:
            raise ValueError("neither a proxy nor a socket can be chosen here: requests go out through the host")
        if verify is not True or cert is not None:
            # Whatever it asks for, only what the host does anyway passes.
            http_tls.check_context(module.create_ssl_context(verify=verify, cert=cert, trust_env=trust_env))

    def handle_request(self, request):
        body = request.read()
        try:
            answer = http_operation.send(*_arguments(request, body))
        except http_operation.Failed as failed:
            raise _error(module, failed, request) from None
        return response(answer, request)

    async def handle_async_request(self, request):
        body = await request.aread()
        try:
            answer = await http_operation.send_async(*_arguments(request, body))
        except http_operation.Failed as failed:
            raise _error(module, failed, request) from None
        return response(answer, request)

    async def aclose(self):
        pass

    async def aexit(self, *exception):
        pass

    async def aenter(self):
        return self

    sync, async_ = module.HTTPTransport, module.AsyncHTTPTransport
    sync.__init__ = async_.__init__ = initialize
    sync.handle_request, async_.handle_async_request = handle_request, handle_async_request
    sync.close, async_.aclose = lambda self: None, aclose
    sync.__enter__, sync.__exit__ = lambda self: self, lambda self, *exception: None
    async_.__aenter__, async_.__aexit__ = aenter, aexit


def _arguments(request, body):
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    timeout = request.extensions.get("timeout", {}).get("read")
    return request.method, str(request.url), headers, body, timeout


def _error(module, failed, request):
    kind = {"TIMEOUT": module.ReadTimeout, "VALIDATION_ERROR": module.LocalProtocolError, "PAYLOAD_TOO_LARGE": module.ReadError}
    return kind.get(failed.code, module.ConnectError)(str(failed), request=request)
