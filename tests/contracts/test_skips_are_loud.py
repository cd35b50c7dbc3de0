"""A skipped test fails the run on CI, whatever kind of skip it is; on a desk it stays a skip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from contracts.house import ROOT

SKIPS = {
    "a mark": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): ...\n",
    "a call": "import pytest\ndef test_it():\n    pytest.skip('later')\n",
    "a module": "import pytest\npytest.skip('later', allow_module_level=True)\n",
    "a missing package": "import pytest\npytest.importorskip('no_such_package')\n",
    "an expected failure": "import pytest\n@pytest.mark.xfail(reason='later')\ndef test_it():\n    assert False\n",
}


def run(folder: Path, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one test file beside a copy of our conftest."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "test_sly.py").write_text(text)
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
        str(folder),
    ]
    return subprocess.run(command, cwd=ROOT, env=clean | environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("kind", SKIPS)
def test_a_skip_fails_on_ci(tmp_path: Path, kind: str) -> None:
    found = run(tmp_path, SKIPS[kind], CI="true")
    assert found.returncode not in (0, 5), found.stdout
    assert "ALLOWED_SKIPS" in found.stdout


def test_a_skip_on_a_desk_stays_a_skip(tmp_path: Path) -> None:
    found = run(tmp_path, SKIPS["a call"])
    assert found.returncode == 0 and "1 skipped" in found.stdout


def test_no_test_reaches_another_host(tmp_path: Path) -> None:
    found = run(tmp_path, "import socket\ndef test_it():\n    socket.create_connection(('sts.amazonaws.com', 443), 1)\n")
    assert found.returncode == 1 and "tests reach no host but this one" in found.stdout


def test_a_developers_own_profile_is_forgotten(tmp_path: Path) -> None:
    sly = "import os\ndef test_it():\n    assert 'AWS_PROFILE' not in os.environ and 'INBOX_BUCKET' not in os.environ\n"
    assert run(tmp_path, sly, AWS_PROFILE="mine", INBOX_BUCKET="mine").returncode == 0
