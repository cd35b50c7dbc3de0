"""The deployed stack, as people meet it: the templates on the emulator with IAM enforced, the command line, and a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from drawings import MOST_BYTES
from playwright.sync_api import Browser, sync_playwright

from infra.dev import chromium
from infra.local import visitor
from infra.local.demo import free_ports

APPROVER = "approver@example.com"
PATIENCE = 180.0


@dataclass
class Town:
    """A running stack and the things that people do with it. `state` is its folder; the rest is how commands are run."""

    state: Path
    port: int
    aws_port: int
    program: tuple[str, ...] = (sys.executable, "-m", "infra.cli")
    cwd: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def site(self) -> str:
        return f"http://localhost:{self.port}"

    def up(self) -> None:
        ports = ["--port", self.port, "--aws-port", self.aws_port]
        self.greenroom("up", "--detach", "--auth", *ports, "--approver", APPROVER, "--set", f"MaxImageBytes={MOST_BYTES}")

    def down(self) -> None:
        self.greenroom("down")

    def run(self, *words: Any, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """One command, as a shell would run it; its exit code must be `expect`."""
        given = [*map(str, words), "--state", str(self.state)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | self.environment
        done = subprocess.run([*self.program, *given], capture_output=True, text=True, timeout=600, env=clean, cwd=self.cwd)
        assert done.returncode == expect, f"{' '.join(given)} ended {done.returncode}:\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr + done.stdout
        return done

    def greenroom(self, *words: Any, expect: int = 0) -> list[dict[str, Any]]:
        """One command with --json: its rows."""
        return [json.loads(line) for line in self.run(*words, "--json", expect=expect).stdout.splitlines()]

    def upload(self, *paths: Path, album: str = "Summer", by: str = "Ada") -> list[dict[str, Any]]:
        """Put files into the inbox and wait until each waits for a person or has ended; in the order given."""
        rows = {row["file"]: row for row in self.greenroom("upload", *paths, "--album", album, "--by", by, "--wait")}
        return [rows[str(path)] for path in paths]

    def show(self, item: str) -> dict[str, Any]:
        return self.greenroom("show", item)[0]

    def item_of(self, filename: str) -> dict[str, Any]:
        """The newest item whose key ends in `filename`, once there is one."""
        return self._item(filename, lambda key: key.endswith(f"/{filename}"))

    def item_with_key(self, wanted: str) -> dict[str, Any]:
        """The newest item with exactly this key, once there is one."""
        return self._item(wanted, lambda key: key == wanted)

    def _item(self, name: str, fits: Callable[[str], bool]) -> dict[str, Any]:
        found = self.until(f"an item for {name}", lambda: [row for row in self.greenroom("items") if fits(row["key"])])
        row: dict[str, Any] = found[0]
        return row

    def becomes(self, item: str, status: str, patience: float = PATIENCE) -> dict[str, Any]:
        """The item once it has this status, for at most `patience` seconds."""

        def look() -> dict[str, Any] | None:
            record = self.show(item)
            return record if record["status"] == status else None

        return self.until(f"{item} to become {status}", look, patience)

    def mail_about(self, item: str) -> str:
        """The text of the newest mail whose link is about this item."""

        def look() -> str:
            texts = [row["text"] for row in self.greenroom("mail") if visitor.LINK.search(row["text"])]
            return next((text for text in reversed(texts) if item in self.items_of(text)), "")

        return self.until(f"the mail about {item}", look)

    @staticmethod
    def items_of(text: str) -> list[str]:
        """What a mail's link is about; opening it decides nothing."""
        try:
            return visitor.Approver.from_mail(text).open()
        except visitor.Failed:
            return []  # a link that was used up by another test's wrong codes

    def decide_by_mail(self, item: str, verdict: str, reason: str = "") -> str:
        """Follow the mailed link, as the page's script does, and decide."""
        approver = visitor.Approver.from_mail(self.mail_about(item))
        approver.open()
        return approver.decide(item, verdict, reason)

    def get(self, path: str, **headers: str) -> visitor.Answer:
        return visitor.ask(self.site + path, headers=headers)

    def published_page(self, item: str) -> str:
        """A published item's page, once the site shows it."""
        path = f"/items/{item}/"
        return self.until(f"the page {path}", lambda: page if (page := self.get(path)).status == 200 else None).body.decode()

    def published_files(self, item: str) -> dict[str, bytes]:
        """Every public byte of one item, by key."""
        deployed = self.stack.deployed()
        bucket = deployed.settings.site_bucket
        keys = [*deployed.store.keys(bucket, f"media/{item}/"), f"items/{item}/index.html"]
        return {key: self.get(f"/{key}").body for key in keys}

    @property
    def stack(self) -> Any:
        from infra.local.state import read_instance

        found = read_instance(self.state)
        assert found is not None
        return found

    @staticmethod
    def until(what: str, look: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """Look until there is something; fails saying what was waited for."""
        deadline = time.monotonic() + patience
        while not (found := look()):
            assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain for {what}"
            time.sleep(0.3)
        return found


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    before = dict(os.environ)
    town = Town(tmp_path_factory.mktemp("stack"), *free_ports())
    town.up()
    yield town
    town.down()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
        browser = playwright.chromium.launch(executable_path=chromium.ensure(), args=flags)
        yield browser
        browser.close()
