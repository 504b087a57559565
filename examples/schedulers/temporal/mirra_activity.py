"""A Temporal activity that calls a handler of mirra, and a workflow that uses it. MIRRA_URL and MIRRA_KEY are in the worker's environment.

The activity is a plain function: the worker needs an `activity_executor`, such as a ThreadPoolExecutor.
"""

import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError


@dataclass
class Call:
    handler: str
    event: Any


@activity.defn
def invoke(call: Call) -> Any:
    """The handler's result. Each of its log lines is a heartbeat.

    The key is that of the activity, without the number of the attempt: an attempt after a lost connection or a dead worker waits for the
    call that goes on, or gets its outcome.
    """
    info = activity.info()
    body = {
        "handler": call.handler,
        "event": call.event,
        "idempotencyKey": f"{info.workflow_id} {info.workflow_run_id} {info.activity_id}",
    }
    headers = {"Content-Type": "application/json", "Accept": "application/x-ndjson", "X-API-Key": os.environ["MIRRA_KEY"]}
    request = urllib.request.Request(os.environ["MIRRA_URL"] + "/v1/invocations", json.dumps(body).encode(), headers)
    try:
        # The server writes an empty line every 15 seconds.
        with urllib.request.urlopen(request, timeout=60) as answer:
            outcome = follow(answer)
    except urllib.error.HTTPError as refusal:
        retry_after = refusal.headers.get("Retry-After")
        is_final = retry_after is None and refusal.code < 500
        delay = timedelta(seconds=int(retry_after)) if retry_after else None
        raise ApplicationError(refusal.read().decode(), non_retryable=is_final, next_retry_delay=delay) from refusal
    if not outcome["success"]:
        error = outcome["error"]
        raise ApplicationError(error["message"], type=error["code"], non_retryable=True)
    return outcome["result"]


def follow(answer):
    """The outcome, which is the last line."""
    for line in answer:
        part = json.loads(line) if line.strip() else {}
        activity.heartbeat(part.get("log"))
        if "log" in part:
            activity.logger.info("%(level)s %(message)s", part["log"])
        if "error" in part:
            raise ApplicationError(part["error"]["message"], type=part["error"]["code"])
        if "outcome" in part:
            return part["outcome"]
    raise ApplicationError("the connection ended before the outcome came")


@workflow.defn
class Hello:
    @workflow.run
    async def run(self, name: str) -> Any:
        return await workflow.execute_activity(
            invoke,
            Call("hello", {"name": name}),
            start_to_close_timeout=timedelta(minutes=6),
            heartbeat_timeout=timedelta(minutes=1),
            retry_policy=RetryPolicy(maximum_attempts=10),
        )
