"""Puts the host under libraries for HTTP when, and only when, a handler imports one."""

import importlib.abc
import importlib.machinery
import sys

from . import http_client, http_httpx, http_tls

_PATCHES = {
    "http.client": http_client.patch,
    "urllib3.connection": http_client.patch_urllib3,
    "httpx._transports.default": http_httpx.patch,
}


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        patch = _PATCHES.get(name)
        spec = None if patch is None else importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            execute = spec.loader.exec_module

            def execute_and_patch(module):
                execute(module)
                patch(module)

            spec.loader.exec_module = execute_and_patch
        return spec


def install():
    sys.modules["ssl"] = http_tls
    # Before the one that finds files, which would find these as they are.
    sys.meta_path.insert(0, _Finder())
