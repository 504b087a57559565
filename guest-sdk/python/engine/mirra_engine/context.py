"""The handler's second argument."""

import json
import time


class Context:
    """What the host says of this call: `execution_id`, `script_id`, `version`, `trigger`, `deadline` (Unix milliseconds) and
    `api_key`, also under the names of JavaScript (`executionId`), and also as items (`context["executionId"]`)."""

    __slots__ = ("_closed", "_fields")

    def __init__(self, closed):
        # Read when the first field is asked for: many handlers never look.
        self._closed = closed
        self._fields = None

    def _open(self):
        if self._fields is None:
            self._fields = json.loads(self._closed)
        return self._fields

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"context has no {name!r}; it has {', '.join(self)}", name=name, obj=self) from None

    def __getitem__(self, name):
        fields = self._open()
        if name in fields:
            return fields[name]
        first, *rest = name.split("_")
        return fields[first + "".join(map(str.capitalize, rest))]

    def get(self, name, default=None):
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name):
        return self.get(name, self) is not self

    def __iter__(self):
        return iter(self._open())

    def __len__(self):
        return len(self._open())

    def keys(self):
        return self._open().keys()

    def remaining_time(self):
        """Milliseconds left."""
        return max(0, self._open()["deadline"] - time.time() * 1000)

    # As JavaScript handlers call it.
    remainingTime = remaining_time

    # As handlers of AWS Lambda call it.
    def get_remaining_time_in_millis(self):
        return int(self.remaining_time())

    @property
    def aws_request_id(self):
        return self["executionId"]

    def __repr__(self):
        return f"Context({self._open()!r})"
