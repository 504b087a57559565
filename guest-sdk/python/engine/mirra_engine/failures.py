"""What was raised, told to the host in words. Nothing that an exception does may keep the report back."""

import traceback

from . import load

_NAME_CHARS_MAX = 256
_MESSAGE_CHARS_MAX = 8 * 1024
_STACK_CHARS_MAX = 24 * 1024
# Frames that are shown of a recursion; and exceptions in one report, whether causes or gathered.
_FRAMES_MAX = 64


def describe(error):
    """(name of the class, message, traceback in the author's own lines)."""
    try:
        name = type(error).__name__
        return _clean(name, _NAME_CHARS_MAX), _clean(_message(error), _MESSAGE_CHARS_MAX), _clean(_stack(error), _STACK_CHARS_MAX)
    except BaseException:
        return "Exception", "an exception that could not be described", ""


def _message(error):
    if isinstance(error, SystemExit):
        return f"the handler called sys.exit({error.code!r}); a handler ends by returning or by raising an exception"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing(error)
    if isinstance(error, MemoryError) and not error.args:
        return "out of memory: one object needs more than the handler can have"
    if type(error).__name__ == "ZoneInfoNotFoundError":
        return f"{error.args[0]}; time zones are a package: add the line tzdata to requirements.txt"
    try:
        return str(error)
    except BaseException as failed:
        return f"<str() of it raised {type(failed).__name__}>"


def _missing(error):
    package = error.name.partition(".")[0]
    if f"No module named {error.name!r}" != error.msg:
        return error.msg
    return f"{error.msg}; if it is a package, add it to requirements.txt beside the handler (often a line such as: {package})"


def _clean(text, chars_max):
    if len(text) > chars_max:
        text = f"{text[:chars_max]}… ({len(text) - chars_max} more characters)"
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _stack(error):
    told = traceback.TracebackException.from_exception(error, limit=-_FRAMES_MAX, compact=True)
    return "".join(_chain(told, 8)).rstrip()


def _chain(told, depth):
    cause = told.__cause__ or (told.__context__ if not told.__suppress_context__ else None)
    if isinstance(told.exc_type, type) and issubclass(told.exc_type, SyntaxError):
        yield from _syntax(told)
    yield from _frames(told.stack)
    for note in told.__notes__ or ():
        yield f"Note: {note}\n"
    for part in told.exceptions or () if depth > 0 else ():
        yield f"One of the group: {part}\n"
        yield from _chain(part, depth - 1)
    if cause is not None and depth > 0:
        yield f"Caused by: {cause}\n" if told.__cause__ else f"While this was handled: {cause}\n"
        yield from _chain(cause, depth - 1)


def _frames(stack):
    """The author's own frames first, in the order of the calls; then those of packages and of the library below them."""
    engine = f"{load.ENGINE_FOLDER}/"
    own = [frame for frame in stack if load.is_authors(frame.filename)]
    last = stack.index(own[-1]) if own else -1
    below = [frame for frame in stack[last + 1 :] if not frame.filename.startswith(engine) and not frame.filename.startswith("<frozen")]
    yield from traceback.StackSummary.from_list(_shown(own)).format()
    if below:
        yield "  in:\n" if own else ""
        yield from traceback.StackSummary.from_list(_shown(below)).format()


def _shown(frames):
    for frame in frames:
        frame.filename = load.relative(frame.filename)
    return frames


def _syntax(told):
    if told.filename is None:
        return
    yield f'  File "{load.relative(told.filename)}", line {told.lineno}\n'
    text = (told.text or "").rstrip("\n")
    line = text.lstrip()
    if line:
        start = max((told.offset or 1) - 1 - (len(text) - len(line)), 0)
        end = max((told.end_offset or 0) - 1 - (len(text) - len(line)), start + 1)
        yield f"    {line}\n    {' ' * start}{'^' * max(min(end, len(line) + 1) - start, 1)}\n"
