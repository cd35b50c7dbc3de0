"""Failure: the item says in one line what went wrong, its bytes may be uploaded anew, and the operator hears of it."""

import json

import pytest

from tasks.core.executions import Ended
from tasks.core.models.media import Media
from tasks.lifecycle.failure import give_up, report_failure


@pytest.fixture
def item(world, make):
    item = make.item()
    world.catalog.items.create(item)
    return item


def claim(world, item):
    world.catalog.items.mark(item.id, "PROCESSING", attempt=1, media=Media("accepted", sha256="abc"))
    world.table.put({"pk": "content#abc", "sk": "claim", "item": item.id})  # as the ClaimContent state writes it


def report(world, item, status="FAILED", **more):
    ended = Ended("arn:x", f"{item.id}-{item.attempt}", status, "", "", **more)
    return report_failure(ended, world.catalog, world.mailer, world.settings)


def test_a_message_that_the_emulator_wrapped_and_cut_off_is_unwrapped(world, item):
    inner = json.dumps({"errorMessage": 'too "small"', "errorType": "InvalidParameterException", "stackTrace": ["a path"]})
    cause = json.dumps({"errorType": "Runtime.HandlerError", "errorMessage": f"Proxy target returned HTTP 500: {inner[:-12]}"})
    report(world, item, error="Runtime.HandlerError", cause=cause)
    assert world.catalog.items.get(item.id).reason == 'its processing failed: Runtime.HandlerError: too "small"'


@pytest.mark.parametrize(("status", "words"), [("TIMED_OUT", "took too long"), ("ABORTED", "was stopped")])
def test_the_reason_says_what_happened(world, item, status, words):
    report(world, item, status)
    assert words in world.catalog.items.get(item.id).reason


def test_the_same_photograph_may_be_uploaded_again_after_a_failure(world, item):
    claim(world, item)
    report(world, item)
    assert world.catalog.items.claim_holder("abc") == ""


def test_so_it_may_when_its_attempts_are_used_up(world, item):
    claim(world, item)
    assert give_up(world.catalog.items.get(item.id), world.catalog, world.mailer, world.settings)
    assert world.catalog.items.claim_holder("abc") == ""
    assert world.catalog.items.get(item.id).reason == "given up after 1 attempt: none came to an end"


def test_nobody_gives_up_what_somebody_has_begun_anew(world, item):
    stale = world.catalog.items.get(item.id)
    world.catalog.items.next_attempt(item.id, 1)
    assert not give_up(stale, world.catalog, world.mailer, world.settings)
    assert (world.catalog.items.get(item.id).status, world.mails()) == ("RECEIVED", [])
