"""A state folder says who wrote it, and is opened by a Greenroom that understands it; its queues are found under another port."""

import json
import subprocess
import sys

import pytest

from infra.errors import Misused
from infra.local.emulator import readdress
from infra.local.state import lock, sign
from infra.local.up import hold

# How MiniStack 1.5.33 persists a queue: a JSON text as key, with the port that the queue was created under.
KEY = "000000000000\0us-east-1\0'http://localhost:4566/000000000000/greenroom-uploads'"
URL = "http://localhost:4566/000000000000/greenroom-uploads"


def test_a_folder_of_before_there_were_versions_is_signed(tmp_path):
    sign(tmp_path)
    told = json.loads((tmp_path / "greenroom.json").read_text())
    assert told == {"greenroom": "0.1.0", "shapes": {"row": 1, "fact": 1, "execution": 1, "record": 1}}
    sign(tmp_path)


def newer(tmp_path, **shapes):
    text = json.dumps({"greenroom": "7.2.0", "shapes": {"row": 1, **shapes}, "more": "of what it knows"})
    (tmp_path / "greenroom.json").write_text(text)
    return text


@pytest.mark.parametrize("shapes", [{"row": 2}, {"fact": 3}, {"dream": 1}])
def test_a_folder_of_a_newer_greenroom_is_left_alone_in_words(tmp_path, shapes):
    text = newer(tmp_path, **shapes)
    with pytest.raises(Misused, match=r"a newer Greenroom \(7\.2\.0\) wrote .* update Greenroom, or choose another folder"):
        hold(tmp_path)
    assert (tmp_path / "greenroom.json").read_text() == text
    held = lock(tmp_path)
    assert held is not None, "the folder is not left locked"
    held.close()


def test_a_newer_release_that_stores_the_same_shapes_is_no_hindrance(tmp_path):
    newer(tmp_path)
    sign(tmp_path)
    assert json.loads((tmp_path / "greenroom.json").read_text())["greenroom"] == "0.1.0"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"greenroom": 7}', '{"shapes": {"row": "new"}}', "\x00"])
def test_a_broken_signature_is_said_in_a_line(tmp_path, text):
    (tmp_path / "greenroom.json").write_text(text)
    with pytest.raises(Misused, match=r"greenroom\.json cannot be read"):
        sign(tmp_path)


@pytest.mark.parametrize("detach", [[], ["--detach"]])
def test_up_on_a_newer_folder_ends_with_exit_code_2_and_starts_nothing(tmp_path, detach):
    newer(tmp_path, execution=4)
    command = [sys.executable, "-m", "infra.cli", "up", *detach, "--state", str(tmp_path), "--port", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("greenroom: a newer Greenroom (7.2.0) wrote ")
    assert not (tmp_path / "ministack").exists()


def emulator_state(tmp_path):
    queue = {"name": "greenroom-uploads", "url": URL, "messages": [{"body": "see http://localhost:4566/about"}]}
    (tmp_path / "sqs.json").write_text(json.dumps({"payload": {"queues": {"data": {KEY: queue}}}}))
    (tmp_path / "cloudformation.json").write_text(json.dumps({"resources": {"Uploads": {"PhysicalResourceId": URL}}}))
    (tmp_path / "s3.json").write_text("{}")
    return tmp_path


def test_queues_are_found_under_another_port(tmp_path):
    state = emulator_state(tmp_path)
    readdress(state, "4999")
    ((key, queue),) = json.loads((state / "sqs.json").read_text())["payload"]["queues"]["data"].items()
    assert key == KEY.replace("4566", "4999")
    assert queue["url"] == URL.replace("4566", "4999")
    assert queue["messages"] == [{"body": "see http://localhost:4566/about"}]
    assert json.loads((state / "cloudformation.json").read_text())["resources"]["Uploads"]["PhysicalResourceId"] == queue["url"]


def test_under_the_same_port_nothing_is_written(tmp_path):
    state = emulator_state(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in state.iterdir()}
    readdress(state, "4566")
    readdress(tmp_path / "nothing", "4566")
    assert {path: path.stat().st_mtime_ns for path in state.iterdir()} == before
