"""What cannot exist in the sandbox says so, instead of failing in some way of its own."""

import errno
import importlib.abc
import os
import socket
import sys
import _thread

_NO_SOCKETS = "sockets cannot be opened in this sandbox; requests, httpx and urllib.request work, through the host"
_NO_THREADS = "threads cannot exist in this sandbox; asyncio works, and asyncio.to_thread runs its function at once"
_NO_PROCESSES = "processes cannot be started in this sandbox"

_MISSING = {
    "_ctypes": "ctypes cannot exist in this sandbox: there is no native code to call",
    "_multiprocessing": f"{_NO_PROCESSES}; multiprocessing does not work",
    "_posixsubprocess": _NO_PROCESSES,
    "_sqlite3": "this Python has no sqlite3",
    "_tkinter": "there is no screen in this sandbox",
    "_curses": "there is no terminal in this sandbox",
    "fcntl": "files cannot be locked in this sandbox: this Python has no fcntl",
    "termios": "there is no terminal in this sandbox",
    "resource": "a handler's limits are its host's: this Python has no resource",
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
        raise PermissionError(errno.EACCES, _NO_SOCKETS)


def _refuse(error, reason):
    def refused(*args, **kwargs):
        raise error(reason)

    return refused


def _exit(status=0):
    """os._exit: an instance has no process to end."""
    raise SystemExit(status)


def install():
    sys.meta_path.append(_Finder())
    socket.socket = socket.SocketType = _Socket
    socket.socketpair = _refuse(PermissionError, _NO_SOCKETS)
    _thread.start_new_thread = _thread.start_new = _refuse(RuntimeError, _NO_THREADS)
    _thread.start_joinable_thread = _refuse(RuntimeError, _NO_THREADS)
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._start_joinable_thread = _thread.start_joinable_thread
    os._exit = _exit
    # Only those that are there: the library asks for the others to know what it can do.
    for name in "system", "popen", "execv", "execve", "posix_spawn", "posix_spawnp", "abort":
        if hasattr(os, name):
            setattr(os, name, _refuse(OSError, _NO_PROCESSES))
