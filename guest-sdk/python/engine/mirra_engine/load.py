"""Takes a handler's code in: the last step of preparing."""

import importlib.util
import os
import re
import sys
import warnings

from . import call, failures, immortal, logs, loop, operations, packages, placement, randomness

# Where the host shows files.
HANDLER_FOLDER = "/handler"
PACKAGES_FOLDER = "/packages"
LIBRARY_FOLDER = "/python"
# Where the scientific engine's library was when it was compiled, which its code remembers.
_BUILT_FOLDER = "/usr/local/lib/python315.zip"
# Where the engine's own modules seem to lie.
ENGINE_FOLDER = os.path.dirname(__file__)

# Kinds of errors, as the host knows them.
_RAISED, _NEVER_SETTLES, _NO_HANDLER = range(3)


def is_authors(filename):
    return filename.startswith(f"{HANDLER_FOLDER}/")


def relative(filename):
    """As the author knows it: without the folder where the host shows it."""
    for folder in HANDLER_FOLDER, PACKAGES_FOLDER, LIBRARY_FOLDER, _BUILT_FOLDER:
        if filename.startswith(f"{folder}/"):
            return filename[len(folder) + 1 :]
    return filename


def load(entry):
    """Imports the file `entry`. Answers None, or (kind, name, message, stack)."""
    try:
        module = _import(entry)
    except loop.NeverSettles:
        return _NEVER_SETTLES, "", "", ""
    except BaseException as error:
        return (_RAISED, *failures.describe(error))
    finally:
        logs.flush()
    try:
        handler = _find_handler(module)
        packages.warm_up()
        placement.gather_code([handler])
        call.adopt(handler)
    except TypeError as error:
        return _NO_HANDLER, "", str(error), ""
    operations.is_preparing = False
    randomness.loaded()
    immortal.settle()
    return None


def _import(entry):
    name = os.path.splitext(os.path.basename(entry))[0]
    if not name.isidentifier():
        name = "handler"
    spec = importlib.util.spec_from_file_location(name, entry)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # What is deprecated in a program's own main module is told to its author; this is that module.
    warnings.filterwarnings("default", category=DeprecationWarning, module=rf"{re.escape(name)}\Z")
    spec.loader.exec_module(module)
    return module


def _find_handler(module):
    handler = getattr(module, "handler", None)
    if callable(handler):
        return handler
    if handler is not None:
        raise TypeError(f"handler is no function but {type(handler).__name__}; write def handler(event, context)")
    own = [name for name, value in vars(module).items() if callable(value) and getattr(value, "__module__", None) == module.__name__]
    defined = f"it defines {', '.join(own)}" if own else "it defines no function"
    raise TypeError(f"the module must define a function handler(event, context); {defined}")
