"""`print`, `logging` and `warnings` as lines of the host's log."""

import io
import logging
import sys
import warnings

from wit_world.imports import logging as host
from wit_world.imports.logging import Level

# What is longer is cut: the host bounds all lines of a call together, and one should not use that up.
_LINE_CHARS_MAX = 64 * 1024


def write(level, text):
    excess = len(text) - _LINE_CHARS_MAX
    if excess > 0:
        text = f"{text[:_LINE_CHARS_MAX]}… ({excess} more characters)"
    if not text.isascii():
        text = text.encode(errors="backslashreplace").decode()
    host.log(level, text)


class _Stream(io.TextIOBase):
    """sys.stdout or sys.stderr: a log line for each line."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, name, level):
        self.name = name
        self._level = level
        self._pending = ""
        self.buffer = _Bytes(self)

    def writable(self):
        return True

    def fileno(self):
        raise io.UnsupportedOperation("what a handler prints goes to its logs: there is no file under it")

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        *lines, self._pending = (self._pending + text).split("\n")
        for line in lines:
            write(self._level, line)
        if len(self._pending) > _LINE_CHARS_MAX:
            self.finish()
        return len(text)

    def finish(self):
        """The last line, whether it ended or not."""
        if self._pending:
            pending, self._pending = self._pending, ""
            write(self._level, pending)


class _Bytes(io.RawIOBase):
    """What is written as bytes, such as by `sys.stdout.buffer`."""

    def __init__(self, stream):
        self._stream = stream

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        self._stream.write(data.decode(errors="backslashreplace"))
        return len(data)


class Handler(logging.Handler):
    def emit(self, record):
        try:
            level = next(level for least, level in _LEVELS if record.levelno >= least)
            write(level, self.format(record))
        except Exception:
            self.handleError(record)


_LEVELS = (logging.ERROR, Level.ERROR), (logging.WARNING, Level.WARN), (logging.INFO, Level.INFO), (-1, Level.DEBUG)

stdout = _Stream("<stdout>", Level.INFO)
stderr = _Stream("<stderr>", Level.ERROR)


def flush():
    if stdout._pending:
        stdout.finish()
    if stderr._pending:
        stderr.finish()


class _Formatter(logging.Formatter):
    """The message; the logger's name before it, unless it is the root. Time and level are the host's to add."""

    def format(self, record):
        text = super().format(record)
        return text if record.name == "root" else f"{record.name}: {text}"


def _basic_config(*, level=None, format=None, datefmt=None, style="%", **options):
    """logging.basicConfig: where no other place is named, the lines still go to the host, at the level that is asked for."""
    if options.keys() & {"filename", "stream", "handlers"}:
        return _original_basic_config(level=level, format=format, datefmt=datefmt, style=style, force=True, **options)
    if level is not None:
        logging.root.setLevel(level)
    if format is not None:
        _handler.setFormatter(logging.Formatter(format, datefmt, style))


def _show_warning(message, category, filename, lineno, file=None, line=None):
    from . import load

    write(Level.WARN, f"{load.relative(filename)}:{lineno}: {category.__name__}: {message}")


_original_basic_config = logging.basicConfig
_handler = Handler()


def install():
    sys.stdout = sys.__stdout__ = stdout
    sys.stderr = sys.__stderr__ = stderr
    sys.stdin = sys.__stdin__ = io.StringIO()
    _handler.setFormatter(_Formatter())
    logging.root.addHandler(_handler)
    logging.root.setLevel(logging.INFO)
    logging.basicConfig = _basic_config
    # There are neither threads nor processes to tell apart, and asking for them imports modules.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = logging.logAsyncioTasks = False
    warnings.showwarning = _show_warning
