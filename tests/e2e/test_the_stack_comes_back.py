"""Stopped and started again: what was published is there, and what waits can still be decided."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import drawings
import pytest

from infra.local.demo import free_ports
from infra.local.state import read_instance


@pytest.fixture
def short_lived(town: Any, tmp_path: Path) -> Iterator[Any]:
    """A stack of its own, so that the others' is not stopped."""
    other = type(town)(tmp_path / "state", *free_ports())
    other.up()
    yield other
    other.down()


def test_what_was_published_stays_and_what_waits_can_be_decided(short_lived: Any, tmp_path: Path) -> None:
    town = short_lived
    shown, waiting = town.upload(drawings.jpeg(tmp_path / "shown.jpg", 101), drawings.jpeg(tmp_path / "waiting.jpg", 102))
    town.decide_by_mail(shown["id"], "approve")
    town.becomes(shown["id"], "PUBLISHED")
    before = town.published_page(shown["id"])

    town.down()
    town.up()

    assert town.published_page(shown["id"]) == before
    town.becomes(waiting["id"], "PENDING")
    town.decide_by_mail(waiting["id"], "approve")
    published = town.becomes(waiting["id"], "PUBLISHED")
    assert int(published["execution"].rsplit("-", 1)[1]) > int(waiting["execution"].rsplit("-", 1)[1])
    town.published_page(waiting["id"])


def test_settings_stay_until_another_value_is_given(town: Any, tmp_path: Path) -> None:
    def settings(*words: str) -> dict[str, str]:
        """What the functions are told after a start with these words, and who decides; on other ports each time."""
        other = type(town)(tmp_path / "state", *free_ports())
        other.run("up", "--detach", "--port", other.port, "--aws-port", other.aws_port, *words)
        stack = read_instance(other.state)
        assert stack is not None
        page = urllib.request.urlopen(f"{other.site}/").read().decode()
        assert f"<title>{stack.settings['GALLERY_TITLE']}</title>" in page
        address = boto3.client("ssm", endpoint_url=stack.endpoint).get_parameter(Name="/greenroom/site-url")
        assert address["Parameter"]["Value"] == other.site
        approvers = " ".join(row["address"] for row in other.greenroom("approvers", "list"))
        other.down()
        return {**stack.settings, "approvers": approvers}

    first = settings("--title", "Ours", "--approver", "eve@example.com", "--set", "PageSize=7", "--set", "ApprovalSeconds=3600")
    assert (first["GALLERY_TITLE"], first["approvers"], first["PAGE_SIZE"]) == ("Ours", "eve@example.com", "7")
    again = settings("--title", "", "--set", "PageSize=")
    assert again == {**first, "GALLERY_TITLE": "Greenroom", "PAGE_SIZE": "60"}


def test_a_second_up_a_down_without_a_stack_and_a_wrong_item_are_told_in_one_line(town: Any, tmp_path: Path) -> None:
    again = town.run("up", "--detach", "--port", town.port, expect=2)
    assert len(again.stderr.strip().splitlines()) == 1
    nobody = type(town)(tmp_path / "nothing", 1, 2)
    assert "no stack runs" in nobody.run("down", expect=2).stderr
    assert len(town.run("show", "zzzzzzzz", expect=2).stderr.strip().splitlines()) == 1
    assert len(town.run("decide", "zzzzzzzz", "approve", expect=2).stderr.strip().splitlines()) == 1
