"""Sweep: what fell between inbox, catalog and executions is found and mended, and nothing else is touched."""

import pytest

from tasks.receive_upload import Announced, receive_one
from tasks.sweep import SweepRequest, Swept, sweep


@pytest.fixture
def run(world):
    def run(**request):
        return sweep(
            SweepRequest(**{"grace_seconds": 0, **request}),
            store=world.store,
            catalog=world.catalog,
            reviews=world.reviews,
            machine=world.machine,
            mailer=world.mailer,
            settings=world.settings,
        )

    return run


@pytest.fixture
def item(world):
    """One upload whose execution runs."""
    receive_one(Announced.parse(world.upload("Summer/a.jpg")), world.store, world.catalog, world.machine)
    (record,) = world.catalog.items()
    return record.item


def test_when_all_is_well_nothing_is_done(world, run, item):
    assert run() == Swept(versions=1, unfinished=1)


def test_an_upload_whose_event_was_dropped_is_admitted(world, run):
    world.upload("Summer/lost.jpg", album="Winter")
    world.upload("Summer/", b"")
    assert run() == Swept(versions=2, unfinished=1, admitted=1)
    (record,) = world.catalog.items()
    assert (record.album, list(world.machine.executions)) == ("winter", [record.execution])


def test_every_version_of_a_key_is_an_upload(world, run):
    world.upload("Summer/a.jpg", b"first")
    world.upload("Summer/a.jpg", b"second")
    assert run().admitted == 2


def test_what_is_young_is_left_alone(world, run):
    world.upload("Summer/a.jpg")
    assert run(grace_seconds=120) == Swept(versions=1)


def test_a_long_inbox_is_read_in_stretches(world, run):
    for number in range(5):
        world.upload(f"Summer/{number}.jpg")
    assert [run(versions=2).admitted for _ in range(4)] == [2, 2, 1, 0]


def test_an_item_whose_execution_never_began_is_started(world, run, item):
    world.machine.executions.clear()
    assert run().started == 1
    assert world.machine.status(f"{item.id}-1") == "RUNNING"


@pytest.mark.parametrize("status", ["PROCESSING", "PENDING", "ESCALATED"])
def test_an_execution_lost_in_a_restart_gets_another_attempt(world, run, item, status):
    world.catalog.mark(item.id, status, attempt=1)
    world.machine.end(f"{item.id}-1", "FAILED", "States.ServiceRestart")
    assert run().restarted == 1
    record = world.catalog.item(item.id)
    assert (record.attempt, record.status) == (2, "RECEIVED")
    assert world.machine.executions[f"{item.id}-2"]["input"]["item"]["attempt"] == 2
    assert run() == Swept(versions=1, unfinished=1)


def test_a_stopped_execution_that_nobody_noticed_is_tried_so_often_and_no_more(world, run, item):
    counts = []
    for attempt in range(1, 5):
        if f"{item.id}-{attempt}" in world.machine.executions:
            world.machine.end(f"{item.id}-{attempt}", "ABORTED")
        counts.append(run())
    assert [each.restarted for each in counts] == [1, 1, 0, 0]
    assert [each.failed for each in counts] == [0, 0, 1, 0]
    assert "given up after 3 attempts" in world.catalog.item(item.id).reason
    assert len(world.mails()) == 1


def test_a_restart_of_the_engine_is_not_the_items_fault(world, run, item):
    for attempt in range(1, 8):
        world.machine.end(f"{item.id}-{attempt}", "FAILED", "States.ServiceRestart")
        assert run().restarted == 1


def test_a_failure_that_nobody_was_told_of_is_told(world, run, item):
    world.machine.end(f"{item.id}-1", "FAILED", "OSError")
    assert run().failed == 1
    assert world.catalog.item(item.id).status == "FAILED"
    assert len(world.mails()) == 1
    assert run().failed == 0


def test_ended_items_are_none_of_its_business(world, run, item):
    world.catalog.mark(item.id, "REJECTED", attempt=1)
    world.machine.executions.clear()
    assert run() == Swept(versions=1)


def test_a_decision_that_was_not_told_is_told_again(world, run, item):
    world.catalog.mark(item.id, "PENDING", attempt=1)
    world.reviews.request(item, "the-token", "s" * 64)
    assert run().answered == 0
    world.reviews.record(item.id, "approve", approver="ann@example.org", sha256="s" * 64)
    assert [run().answered, run().answered] == [1, 0]
    assert [token for token, _ in world.machine.answers] == ["the-token"]
