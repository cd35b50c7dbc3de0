"""The Lambda host: warm workers, Lambda's error shape, timeouts, and a burst that queues."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest

from infra.local import lambda_host, web

sys.path.insert(0, str(Path(__file__).parent))


class FakeLambda:
    """Knows toy functions as `toy-<handler>`; all say hello."""

    def get_function_configuration(self, FunctionName):
        return {
            "Handler": f"toy_functions.{FunctionName.split('-', 1)[1]}",
            "Role": "arn:aws:iam::000000000000:role/toy",
            "MemorySize": 256,
            "Environment": {"Variables": {"GREETING": f"hello from {FunctionName}"}},
        }

    def list_event_source_mappings(self, FunctionName):
        return {"EventSourceMappings": [{"MaximumBatchingWindowInSeconds": 120 if "gathers" in FunctionName else 0}]}


class FakeSts:
    def assume_role(self, RoleArn, RoleSessionName):
        return {"Credentials": {"AccessKeyId": f"key-of-{RoleArn}", "SecretAccessKey": "s", "SessionToken": "t"}}


class Calls:
    """Invokes functions as MiniStack does: an event by POST, the function's name and deadline in headers."""

    def __init__(self, port, host):
        self.port, self.host = port, host

    async def __call__(self, function, event=None, timeout=30):
        deadline = int((time.time() + timeout) * 1000)
        headers = [
            ("host", "localhost"),
            ("x-amzn-lambda-function-name", function),
            ("x-amzn-lambda-request-id", "r-1"),
            ("x-amzn-lambda-deadline-ms", str(deadline)),
            ("content-type", "application/json"),
        ]
        body = json.dumps(event).encode()
        answer = await web.fetch("127.0.0.1", self.port, "POST", "/", [*headers, ("content-length", str(len(body)))], body)
        return answer.status, json.loads(b"".join([chunk async for chunk in answer.body]))


@pytest.fixture
def host(tmp_path):
    """Runs a story against a host of 4 places, 2 of them for heavy functions."""
    (tmp_path / "logs").mkdir()

    def run(story):
        async def tell():
            clients = {"lambda": FakeLambda(), "sts": FakeSts()}
            made = lambda_host.make_host(tmp_path / "logs", tmp_path / "scratch", 4, 2, clients, assume=True)
            sock = web.listen()
            server = await web.serve(made.handle, sock)
            try:
                await story(Calls(sock.getsockname()[1], made))
            finally:
                server.close()
                made.pool.end_idle(0)

        asyncio.run(tell())
        return tmp_path

    return run


def test_a_function_gets_its_event_its_environment_and_its_role(host):
    async def story(invoke):
        status, answer = await invoke("toy-echo", {"x": "é"})
        assert (status, answer["event"], answer["greeting"]) == (200, {"x": "é"}, "hello from toy-echo")
        assert answer["key"] == "key-of-arn:aws:iam::000000000000:role/toy"
        assert answer["request"] == "r-1"
        assert 25_000 < answer["left"] <= 30_000
        assert answer["temporary"].startswith(str(invoke.host.pool._scratch))

    host(story)


def test_a_worker_stays_warm(host):
    async def story(invoke):
        pids = {(await invoke("toy-echo"))[1]["pid"] for _ in range(5)}
        assert len(pids) == 1
        assert pids != {os.getpid()}

    host(story)


def test_what_a_function_raises_comes_back_in_lambdas_error_shape_and_its_output_is_kept(host):
    async def story(invoke):
        status, error = await invoke("toy-sour")
        assert status == 500
        assert (error["errorType"], error["errorMessage"]) == ("Sour", "the milk is off")
        assert "sour" in error["stackTrace"][-1]
        assert (await invoke("toy-sour"))[1]["errorType"] == "Sour"
        assert invoke.host.pool.started == 1

    log = (host(story) / "logs" / "toy-sour.log").read_text()
    assert "before it went sour" in log
    assert "Sour: the milk is off" in log


def test_a_crashed_worker_is_an_error_and_the_next_call_gets_a_new_one(host):
    async def story(invoke):
        status, error = await invoke("toy-crash")
        assert (status, error["errorType"]) == (500, "Runtime.ExitError")
        assert "-9" in error["errorMessage"]
        assert invoke.host.pool.alive == 0
        assert (await invoke("toy-echo"))[0] == 200

    host(story)


def test_a_function_that_does_not_exist_says_so(host):
    async def story(invoke):
        status, error = await invoke("toy-nowhere")
        assert status == 500
        assert "nowhere" in error["errorMessage"]

    host(story)


def test_beyond_its_timeout_a_worker_is_ended_with_all_that_it_started(host, tmp_path):
    note = tmp_path / "child"

    async def story(invoke):
        status, error = await invoke("toy-starts_a_child", {"note": str(note)}, timeout=2)
        assert (status, error["errorType"]) == (500, "Sandbox.Timedout")
        assert "timed out after 2.00 seconds" in error["errorMessage"]

    host(story)
    assert not alive(int(note.read_text()))


def alive(pid):
    """Whether a process runs; one that is only waiting to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_burst_of_200_calls_queues_for_few_processes(host):
    async def story(invoke):
        answers = await asyncio.gather(*(invoke("toy-sleep", {"seconds": 0.01}, timeout=3) for _ in range(200)))
        assert {status for status, _ in answers} == {200}
        assert invoke.host.most_alive <= 4
        assert len({pid for _, pid in answers}) <= 4
        state = invoke.host.state()
        assert state["functions"]["toy-sleep"]["calls"] == 200
        assert (state["running"], state["waiting"]) == (0, 0)

    host(story)


def test_a_call_may_wait_longer_than_its_function_may_run(host):
    async def story(invoke):
        # The last of them waits for four rounds, longer than its timeout; each runs for a quarter of it.
        answers = await asyncio.gather(*(invoke("toy-sleep", {"seconds": 1}, timeout=4) for _ in range(20)))
        assert {status for status, _ in answers} == {200}

    host(story)


def test_heavy_functions_leave_places_for_the_others():
    async def story():
        gate = lambda_host.Gate(limit=4, heavy_limit=2)
        for _ in range(2):
            await gate.enter(heavy=True)
        third = asyncio.ensure_future(gate.enter(heavy=True))
        await gate.enter(heavy=False)
        assert (gate.running, gate.running_heavy, third.done()) == (3, 2, False)
        gate.leave(heavy=True)
        await third
        assert (gate.running, gate.running_heavy, gate.waiting) == (3, 2, 0)

    asyncio.run(story())


def test_a_waiting_call_that_is_given_up_frees_its_place():
    async def story():
        gate = lambda_host.Gate(limit=1, heavy_limit=1)
        await gate.enter(heavy=False)
        waiting = asyncio.ensure_future(gate.enter(heavy=False))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        gate.leave(heavy=False)
        await gate.enter(heavy=True)
        assert gate.running == 1

    asyncio.run(story())


def test_media_functions_are_the_heavy_ones():
    assert lambda_host.is_heavy("greenroom-MakeThumbnails")
    assert not lambda_host.is_heavy("greenroom-Review")


def test_a_page_in_a_browser_cannot_invoke_anything(host):
    async def story(invoke):
        answer = await web.fetch("127.0.0.1", invoke.port, "POST", "/", [("host", "x"), ("content-length", "2")], b"{}")
        assert answer.status == 400
        assert invoke.host.counts == {}

    host(story)


def from_a_queue(*messages):
    return {"Records": [{"messageId": id, "body": body, "eventSource": "aws:sqs"} for id, body in messages]}


def test_a_burst_of_messages_becomes_one_call_and_each_caller_learns_of_its_own_failures(host):
    async def story(invoke):
        work = asyncio.ensure_future(invoke("toy-sleep", {"seconds": 0.5}))
        while not invoke.host.gate.running:
            await asyncio.sleep(0.01)
        calls = [from_a_queue(("1", "good"), ("2", "bad")), from_a_queue(("3", "good")), from_a_queue(("4", "bad"))]
        answers = [answer for _, answer in await asyncio.gather(*(invoke("toy-gathers", each) for each in calls))]
        failed = [[each["itemIdentifier"] for each in answer["batchItemFailures"]] for answer in answers]
        assert work.done()
        assert failed == [["2"], [], ["4"]]
        assert [answer["together"] for answer in answers] == [4, 4, 4]
        assert invoke.host.counts["toy-gathers"].calls == 1

    host(story)


def test_a_call_that_gathered_and_failed_has_failed_for_everybody(host):
    async def story(invoke):
        calls = [from_a_queue((str(number), "good")) for number in range(3)]
        answers = await asyncio.gather(*(invoke("toy-gathers_and_fails", each) for each in calls))
        assert {(status, error["errorMessage"]) for status, error in answers} == {(500, "3 at once")}

    host(story)


def test_a_full_group_does_not_wait_for_quiet(host):
    async def story(invoke):
        work = asyncio.ensure_future(invoke("toy-sleep", {"seconds": 3}))
        while not invoke.host.gate.running:
            await asyncio.sleep(0.01)
        calls = [from_a_queue(*((f"{call}-{number}", "good") for number in range(10))) for call in range(4)]
        answers = await asyncio.gather(*(invoke("toy-gathers", each) for each in calls))
        assert not work.done()
        assert {answer["together"] for _, answer in answers} == {40}
        await work

    host(story)


def test_queues_without_a_window_are_not_held_up(host):
    async def story(invoke):
        both = (invoke("toy-echo", from_a_queue((id, "x"))) for id in ("1", "2"))
        events = [answer["event"]["Records"][0]["messageId"] for _, answer in await asyncio.gather(*both)]
        assert sorted(events) == ["1", "2"]
        assert invoke.host.counts["toy-echo"].calls == 2

    host(story)
