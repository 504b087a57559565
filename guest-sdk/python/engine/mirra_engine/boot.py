"""What every handler starts from: the modules that most calls need, imported and run warm, and the sandbox around them."""

import gc
import sys

from . import call, http_hooks, immortal, load, logs, loop, packages, placement, randomness, sandbox, sdk

# Imported for what is then in the image; a call that imports one of these again pays nothing. More would make the image of
# every handler larger, and whatever is not here is imported from the library when it is asked for.
import asyncio  # noqa: F401
import base64  # noqa: F401
import collections.abc  # noqa: F401
import contextlib  # noqa: F401
import copy  # noqa: F401
import dataclasses  # noqa: F401
import datetime  # noqa: F401
import decimal  # noqa: F401
import enum  # noqa: F401
import functools  # noqa: F401
import hashlib  # noqa: F401
import hmac  # noqa: F401
import inspect  # noqa: F401
import io  # noqa: F401
import itertools  # noqa: F401
import json  # noqa: F401
import logging  # noqa: F401
import math  # noqa: F401
import operator  # noqa: F401
import os  # noqa: F401
import pathlib  # noqa: F401
import re  # noqa: F401
import string  # noqa: F401
import time  # noqa: F401
import traceback  # noqa: F401
import types  # noqa: F401
import typing  # noqa: F401
import urllib.parse  # noqa: F401
import uuid  # noqa: F401
import warnings  # noqa: F401

# Short calls allocate less than this many objects, and so never collect.
_GC_THRESHOLD = 50_000

_WARM_UP_ROUNDS = 50


def prepare():
    """The part that is the same on every machine, and ships in the engine."""
    # The library is read-only, and compiled where it is not source.
    sys.dont_write_bytecode = True
    sdk.install()
    logs.install()
    loop.install()
    sandbox.install()
    randomness.install()
    http_hooks.install()


def boot():
    """The part that is done once on each machine."""
    sys.path[:] = [load.HANDLER_FOLDER, load.PACKAGES_FOLDER, load.LIBRARY_FOLDER]
    sys.path_importer_cache.clear()
    # Some module of the library has imported it. A handler that uses it gets one of its own, and is then told from the others,
    # whose calls need no new seed.
    sys.modules.pop("random", None)
    gc.set_threshold(_GC_THRESHOLD)
    packages.prepare(load.LIBRARY_FOLDER)
    _warm_up()
    placement.gather(_warm_up, loop.renew)
    call.forget()
    immortal.settle()


def _warm_up():
    """Runs what calls run, so that the interpreter has settled on how to run it: it notes that in the code itself, and a page
    that is written before the image is taken is not written in every call."""
    from . import Handler

    entry = Handler()

    def handler(event, context):
        return {"greeting": f"Hello, {event.get('name')}!", "list": [1, 2.5, True, None]}

    async def handler_async(event, context, mirra):
        await asyncio.sleep(0)
        return {"success": True, "data": event}

    for function in handler, handler_async:
        call.adopt(function)
        for _ in range(_WARM_UP_ROUNDS):
            entry.handle('{"name":"Ada","nested":{"list":[1,2.5,true,null]}}', '{"executionId":"","deadline":0}')
