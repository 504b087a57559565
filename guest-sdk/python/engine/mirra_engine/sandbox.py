"""What cannot exist in the sandbox says so, instead of failing in some way of its own."""

import builtins
import errno
import importlib.abc
import os
import signal
import socket
import sys
import _thread

_NO_SOCKETS = "sockets cannot be opened in this sandbox; requests, httpx and urllib.request work, through the host"
_NO_THREADS = "threads cannot exist in this sandbox; asyncio works, and asyncio.to_thread runs its function at once"
_NO_PROCESSES = "processes cannot be started in this sandbox"
_NO_SIGNALS = "signals do not reach a handler; asyncio.timeout and asyncio.wait_for bound what it waits for"
_NO_INPUT = "input() has nobody to ask: what a handler works on is its event"
_NO_DEBUGGER = "a debugger has no terminal in this sandbox; print() and logging write to the handler's logs"
_NO_ABORT = "os.abort() has no process to end; a handler ends by returning or by raising an exception"

_NO_SCREEN = "there is no screen in this sandbox"
_NO_TERMINAL = "there is no terminal in this sandbox"
_NO_NATIVE_CODE = "ctypes cannot exist in this sandbox: there is no native code to call"

# Modules that are not in this Python, some of them left out of its library.
_MISSING = {
    "_bz2": "this Python has no bz2; gzip and zlib work",
    "_ctypes": _NO_NATIVE_CODE,
    "_curses": _NO_TERMINAL,
    "_lzma": "this Python has no lzma; gzip and zlib work",
    "_multiprocessing": f"{_NO_PROCESSES}; multiprocessing does not work",
    "_posixsubprocess": _NO_PROCESSES,
    "_tkinter": _NO_SCREEN,
    "_zstd": "this Python has no zstd; gzip and zlib work",
    "ctypes": _NO_NATIVE_CODE,
    "curses": _NO_TERMINAL,
    "fcntl": "files cannot be locked in this sandbox: this Python has no fcntl",
    "readline": _NO_TERMINAL,
    "resource": "a handler's limits are its host's: this Python has no resource",
    "termios": _NO_TERMINAL,
    "tkinter": _NO_SCREEN,
    "turtle": _NO_SCREEN,
}

# What this Python's modules do not have. The library asks by hasattr(), and is told no; whoever uses it is told why.
_ABSENT = {
    os: dict.fromkeys(("fork", "forkpty", "kill", "killpg", "posix_spawn", "spawnv", "system", "waitpid", "WNOHANG"), _NO_PROCESSES),
    signal: dict.fromkeys(("alarm", "pause", "setitimer", "sigwait"), _NO_SIGNALS),
}


class _Finder(importlib.abc.MetaPathFinder):
    """The last one to be asked."""

    def find_spec(self, name, path=None, target=None):
        reason = _MISSING.get(name)
        if reason is not None:
            raise ModuleNotFoundError(reason, name=name)
        return None


class _Socket(socket.socket):
    def __init__(self, *args, **kwargs):
        _refuse_socket()


def _refuse_socket(*args, **kwargs):
    raise PermissionError(errno.EACCES, _NO_SOCKETS)


def _refuse(error, reason):
    def refused(*args, **kwargs):
        raise error(reason)

    return refused


def _explain(module, reasons):
    def absent(name):
        reason = f": {reasons[name]}" if name in reasons else ""
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}{reason}", name=name, obj=module)

    module.__getattr__ = absent


def _exit(status=0):
    """os._exit: an instance has no process to end."""
    raise SystemExit(status)


def install():
    sys.meta_path.append(_Finder())
    socket.socket = socket.SocketType = _Socket
    for name in "socketpair", "getaddrinfo", "gethostbyname", "create_server", "create_connection":
        setattr(socket, name, _refuse_socket)
    _thread.start_new_thread = _thread.start_new = _refuse(RuntimeError, _NO_THREADS)
    _thread.start_joinable_thread = _refuse(RuntimeError, _NO_THREADS)
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._start_joinable_thread = _thread.start_joinable_thread
    os._exit = _exit
    os.abort = _refuse(RuntimeError, _NO_ABORT)
    os.popen = _refuse(OSError, _NO_PROCESSES)
    for module, reasons in _ABSENT.items():
        _explain(module, reasons)
    builtins.input = _refuse(EOFError, _NO_INPUT)
    sys.breakpointhook = _refuse(RuntimeError, _NO_DEBUGGER)
