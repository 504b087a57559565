"""Compiles the standard library with the interpreter that will run it. `compile.mjs` has the engine load this as a handler, and
reads what it logs: a line for each module, with its path and what its .pyc file holds, in base64."""

import base64
import importlib.util
import marshal
import os

from wit_world.imports import logging

_LIBRARY = "/python"
# Flags and time of a source that is not there.
_HEADER = importlib.util.MAGIC_NUMBER + bytes(12)


def _sources():
    for folder, folders, names in os.walk(_LIBRARY):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                yield os.path.join(folder, name)


def _compiled(path):
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    return _HEADER + marshal.dumps(code)


for source in _sources():
    line = f"{os.path.relpath(source, _LIBRARY)} {base64.b64encode(_compiled(source)).decode()}"
    logging.log(logging.Level.INFO, line)


def handler(event, context):
    return None
