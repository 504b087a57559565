"""Runs pip for a Python other than the one that runs it.

pip has options for that, but evaluates environment markers and dependencies' Requires-Python with the version it runs on
(pypa/pip issues 11198 and 13296). So both are told here, and whether that worked is checked before pip begins.

Nor may pip start a program: a package that is required by an address could be a source, whose build would run its code. That
--only-binary does not prevent.
"""

import json
import os
import runpy
import sys

try:
    from pip._internal.resolution.resolvelib import candidates
    from pip._vendor.packaging import markers
except ImportError as error:
    sys.exit(f"mirra: no pip: {error}")

target = json.loads(os.environ.pop("MIRRA_MARKERS"))
full_version = target["python_full_version"]
version = tuple(int(part) for part in full_version.split("."))
candidate = candidates.RequiresPythonCandidate
initialize = candidate.__init__

markers.default_environment = lambda: dict(target)
candidate.__init__ = lambda self, py_version_info: initialize(self, version)

is_told = markers.Marker(f"python_full_version == '{full_version}' and sys_platform == '{target['sys_platform']}'").evaluate()
if not is_told or str(candidate(None).version) != full_version:
    sys.exit("mirra: unfit pip")


def forbid_programs(event, arguments):
    """Refuses with an OSError, as if the program did not exist: pip also asks programs for what it tells the index of itself."""
    if event in ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"):
        raise PermissionError(event)
    if event == "subprocess.Popen":
        command = arguments[1]
        program = command if isinstance(command, (str, bytes)) else command[0]
        # Where pip gets passwords from, if it is told to.
        if os.path.basename(os.fsdecode(program)) != "keyring":
            raise PermissionError(f"pip may not run {os.fsdecode(program)}")


sys.addaudithook(forbid_programs)
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
