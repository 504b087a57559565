"""Puts side by side what calls write to.

A conditional jump notes in the code itself which way it went, so every function that runs writes to the page that its code lies on.
Functions lie where they were imported, each somewhere else. Here the code of those that a call runs is made again, one after the other,
in the range where the objects of calls will be."""

import gc
import sys
from types import CodeType, FunctionType

from wit_world.imports import objects as host


def gather(run, make):
    """Moves the code of what `run` runs, and has `make` make objects that calls change. `run` has to be run again then, since
    code that is made again has settled on nothing."""
    running = _code_of(run)
    gather_code([one for one in gc.get_objects() if type(one) is FunctionType and one.__code__ in running])
    host.lie_together(True)
    try:
        make()
        run()
    finally:
        host.lie_together(False)


def gather_code(functions):
    """Makes the code of these functions again. What is callable in another way stays as it is."""
    host.lie_together(True)
    try:
        for function in functions:
            if type(function) is FunctionType:
                # replace() makes a new object, however much is the same in it.
                function.__code__ = function.__code__.replace(co_name=function.__code__.co_name)
    finally:
        host.lie_together(False)


def _code_of(run):
    found = set()

    def note(frame, event, argument):
        if event == "call" and type(frame.f_code) is CodeType:
            found.add(frame.f_code)

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return found
