"""A DAG that calls the handler `hello` of mirra. Needs nothing but Airflow 3; MIRRA_URL and MIRRA_KEY are in the environment."""

import json
import os
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

TRIES = 5


def invoke(handler, event, key):
    """The handler's result. AirflowFailException if it failed, which Airflow does not try again; AirflowException without an answer."""
    body = json.dumps({"handler": handler, "trigger": "cron", "event": event}).encode()
    headers = {"Content-Type": "application/json", "X-API-Key": os.environ["MIRRA_KEY"], "Idempotency-Key": key}
    request = urllib.request.Request(os.environ["MIRRA_URL"] + "/v1/invocations", body, headers)
    for tried in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(request, timeout=330) as answer:
                outcome = json.load(answer)
            break
        except urllib.error.HTTPError as refusal:
            text = refusal.read().decode()
            wait = refusal.headers.get("Retry-After")
            if wait is None and refusal.code < 500:
                raise AirflowFailException(f"mirra refused the call: {text}") from refusal
            if tried == TRIES:
                raise AirflowException(f"mirra has no answer: {text}") from refusal
            time.sleep(int(wait or tried))
        except OSError as failure:
            if tried == TRIES:
                raise AirflowException(f"mirra cannot be reached: {failure}") from failure
            time.sleep(tried)
    for line in outcome["logs"]:
        print(line["level"], line["message"])
    if not outcome["success"]:
        raise AirflowFailException(f"{outcome['error']['code']}: {outcome['error']['message']}")
    return outcome["result"]


@dag(schedule="*/15 * * * *", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), catchup=False)
def mirra_hello():
    # The key is that of the run, without the number of the try: a worker that dies cannot make the call happen twice.
    @task(retries=3, retry_delay=timedelta(minutes=1))
    def hello(run_id=None):
        return invoke("hello", {"name": "Airflow"}, key=f"mirra_hello hello {run_id}")

    hello()


mirra_hello()
