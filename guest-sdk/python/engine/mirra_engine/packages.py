"""Packages that a handler has imported are run warm before the image is taken, as the interpreter itself is (`boot.py`): what they
make when they are first used is then in the image, and the interpreter has settled on how to run them.

Their code stays where it is: `placement.gather` over so much of it made calls write to more pages, not less (347 instead of 274 of a
group-by).

Only the scientific engine comes with these; on the other one, nothing here does anything."""

import contextlib
import os
import sys

_ROUNDS = 20

# There is no home folder: what matplotlib keeps for itself goes where something can be written.
_MATPLOTLIB_FOLDER = "/tmp/matplotlib"


def prepare(library_folder):
    """Before a handler is loaded. Imports nothing: the interpreter would note that there are no packages and no handler yet."""
    if os.path.isdir(f"{library_folder}/matplotlib"):
        os.environ["MPLCONFIGDIR"] = _MATPLOTLIB_FOLDER


def _numpy():
    import numpy

    values = numpy.asarray([3.0, 1.0, 2.0, 5.0])
    numpy.abs(numpy.fft.rfft(values)).max()
    matrix = numpy.outer(values, values) + numpy.eye(4)
    numpy.linalg.solve(matrix, values)
    (matrix @ values).tolist()
    values.sum(), values.mean(), values.std(), numpy.sort(values), values[values > 1], numpy.where(values > 1, values, 0)


def _pandas():
    import io

    import pandas

    frame = pandas.DataFrame([{"key": "ab"[index % 2], "value": index, "part": index / 2} for index in range(8)])
    frame.groupby("key")["value"].sum().to_dict()
    frame.groupby("key").agg({"value": "sum", "part": "mean"}).reset_index().to_dict("records")
    frame.sort_values("value", ascending=False).head(3)
    frame[frame["value"] > 2].describe()
    frame.merge(frame, on="key")
    pandas.read_csv(io.StringIO(frame.to_csv(index=False)))
    pandas.to_datetime(pandas.Series(["2020-01-01", "2020-01-02"]))
    frame.to_json(orient="records")


_RUNS = {"numpy": _numpy, "pandas": _pandas}


def warm_up():
    """After a handler was loaded."""
    for name, run in _RUNS.items():
        if name in sys.modules:
            # What does not work is told when the handler uses it.
            with contextlib.suppress(Exception):
                for _ in range(_ROUNDS):
                    run()
