"""Objects of an image are made immortal before it is taken.

An instance lives for one call, so nothing that was there before needs to be freed. Counting the references to it would write to
the page that it lies on: a call uses hundreds of objects, each somewhere else, and each page that is written costs a copy."""

import gc
import sys
from types import CodeType

from wit_world.imports import objects as host


# Objects that are looked at together: enough to spend little on each, and few enough to leave little garbage in the image.
_BATCH = 1000


def settle():
    """Makes everything that is there now immortal, and keeps the garbage collector from looking at it."""
    gc.collect()
    objects = gc.get_objects()
    for start in range(0, len(objects), _BATCH):
        _make_immortal(objects[start : start + _BATCH])
    assert sys._is_immortal(sys.modules)
    # Those that are tracked are looked at no more: a call that collects would write to all of them.
    gc.freeze()
    # Empties the lists of objects to be used again: calls shall make their own, where the others of theirs are.
    del objects
    gc.collect()


def _make_immortal(objects):
    """`objects` and all that they refer to, except for what is immortal already."""
    while True:
        # By address: many refer to the same, and a list of all that would be larger than the rest of the image.
        new = {id(one): one for one in objects if not sys._is_immortal(one)}
        if not new:
            return
        host.make_immortal([*new])
        objects = gc.get_referents(*new.values())
        for one in new.values():
            # Code does not tell the collector what it refers to.
            if type(one) is CodeType:
                objects += one.co_consts, one.co_names, one.co_name, one.co_qualname, one.co_filename, one.co_linetable
                objects.append(one.co_exceptiontable)
