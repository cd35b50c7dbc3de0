"""Functions for the Lambda host's tests: each shows one way in which a worker behaves."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


class Sour(Exception):
    pass


def echo(event, context):
    return {
        "event": event,
        "greeting": os.environ["GREETING"],
        "request": context.aws_request_id,
        "left": context.get_remaining_time_in_millis(),
        "pid": os.getpid(),
        "function": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        "key": os.environ.get("AWS_ACCESS_KEY_ID", ""),
        "temporary": tempfile.gettempdir(),
    }


def sleep(event, context):
    time.sleep(event["seconds"])
    return os.getpid()


def sour(event, context):
    print("before it went sour")
    raise Sour("the milk is off")


def crash(event, context):
    os.kill(os.getpid(), signal.SIGKILL)


def starts_a_child(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(event["note"]).write_text(str(child.pid))
    time.sleep(60)


def gathers(event, context):
    bad = [each["messageId"] for each in event["Records"] if each["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": id} for id in bad], "together": len(event["Records"])}


def gathers_and_fails(event, context):
    raise Sour(f"{len(event['Records'])} at once")
