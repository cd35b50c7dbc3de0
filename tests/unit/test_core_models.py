"""The facts that travel between states, and the one door through which they are parsed."""

import re
import subprocess
import sys
from pathlib import Path

import tasks

RACE = """
import sys, threading
from tasks.core.json import from_json
from tasks.core.models.media import Media
from tasks.core.models.review import Prepared
sys.setswitchinterval(1e-6)
seen = {"labels": [{"name": "Cat", "confidence": 1.0}]}
prepared = {"verdict": "accepted", "reason": "", "renditions": [], "placeholder": "", "sha256": "", "recognition": seen}
media = {"verdict": "accepted", "master": {"bucket": "work", "key": "a.jpg"}}
start = threading.Barrier(8)
def parse():
    start.wait()
    for _ in range(20):
        assert from_json(prepared, Prepared).recognition.labels[0].name == "Cat"
        assert from_json(media, Media).master.key == "a.jpg"
threads = [threading.Thread(target=parse) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("parsed")
"""


def test_threads_that_parse_a_shape_first_at_once_do_not_crash_the_process():
    # Four in five of such processes crashed when msgspec was left to itself.
    ends = [subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True) for _ in range(6)]
    assert [(end.returncode, end.stdout) for end in ends] == [(0, "parsed\n")] * 6, ends[0].stderr


def test_every_shape_is_parsed_through_that_door():
    root = Path(tasks.__file__).parent
    around = re.compile(r"msgspec\.(convert|json\.Decoder|json\.decode\([^()]*(\([^()]*\))?[^()]*type=)")
    users = {str(path.relative_to(root)) for path in root.rglob("*.py") if around.search(path.read_text())}
    # Settings are plain numbers and words, read before any thread is: no shape to learn.
    assert users == {"core/json.py", "core/settings.py"}
