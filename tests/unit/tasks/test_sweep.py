"""Sweep: what fell between inbox, catalog and executions is found and mended, and nothing else is touched."""

import pytest

from tasks.lifecycle.admission import receive_one
from tasks.lifecycle.announced import Announced
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
    (record,) = world.catalog.items.newest()
    return record.item


def test_when_all_is_well_nothing_is_done(world, run, item):
    assert run() == Swept(versions=1, unfinished=1)


def test_an_upload_whose_event_was_dropped_is_admitted(world, run):
    world.upload("Summer/lost.jpg", album="Winter")
    world.upload("Summer/", b"")
    assert run() == Swept(versions=2, left_out=1, admitted=1)
    (record,) = world.catalog.items.newest()
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
    world.catalog.items.mark(item.id, status, attempt=1)
    world.machine.end(f"{item.id}-1", "FAILED", "States.ServiceRestart")
    assert run().restarted == 1
    record = world.catalog.items.get(item.id)
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
    assert "given up after 3 attempts" in world.catalog.items.get(item.id).reason
    assert len(world.mails()) == 1


def test_what_was_given_up_may_be_uploaded_again(world, run, item, make):
    media = make.media()
    world.catalog.items.mark(item.id, "PROCESSING", attempt=1, media=media)
    world.table.put({"pk": f"content#{media.sha256}", "sk": "claim", "item": item.id})  # as the ClaimContent state writes it
    for attempt in (1, 2, 3):
        world.machine.end(f"{item.id}-{attempt}", "ABORTED")
        run()
    assert world.catalog.items.get(item.id).status == "FAILED"
    assert world.catalog.items.claim_holder(media.sha256) == ""


def test_a_restart_of_the_engine_is_not_the_items_fault(world, run, item):
    for attempt in range(1, 8):
        world.machine.end(f"{item.id}-{attempt}", "FAILED", "States.ServiceRestart")
        assert run().restarted == 1


def test_a_failure_that_nobody_was_told_of_is_told(world, run, item):
    world.machine.end(f"{item.id}-1", "FAILED", "OSError")
    assert run().failed == 1
    assert world.catalog.items.get(item.id).status == "FAILED"
    assert len(world.mails()) == 1
    assert run().failed == 0


def test_ended_items_are_none_of_its_business(world, run, item):
    world.catalog.items.mark(item.id, "REJECTED", attempt=1)
    world.machine.executions.clear()
    assert run() == Swept(versions=1)


def test_a_decision_that_was_not_told_is_told_again(world, run, item):
    world.catalog.items.mark(item.id, "PENDING", attempt=1)
    world.reviews.request(item, "the-token", "s" * 64)
    assert run().answered == 0
    world.reviews.record(item.id, "approve", approver="ann@example.org", shown="s" * 64)
    assert [run().answered, run().answered] == [1, 0]
    assert [token for token, _ in world.machine.answers] == ["the-token"]


def test_by_products_are_counted_and_left_where_they_are(world, run):
    for key in ("Summer/.DS_Store", "Summer/@eaDir/a.jpg/SYNOFILE_THUMB_M.jpg", "Summer/a.xmp"):
        world.upload(key)
        world.withhold(key, 500)  # nobody needs to look at one to know it by its name
    assert [run(), run()] == [Swept(versions=3, left_out=3)] * 2
    assert list(world.catalog.items.newest()) == []


@pytest.mark.parametrize("status", [400, 403])
def test_one_version_that_s3_will_not_show_holds_up_nothing(world, run, item, status):
    world.catalog.items.mark(item.id, "PENDING", attempt=1)
    world.reviews.request(item, "the-token", "s" * 64)
    world.reviews.record(item.id, "approve", approver="ann@example.org", shown="s" * 64)
    for name in ("a", "b", "c"):
        world.upload(f"Lost/{name}.jpg")
    world.withhold("Lost/b.jpg", status)
    assert run() == Swept(versions=4, unfinished=1, answered=1, admitted=2, unreadable=1)


def test_the_operator_hears_once_of_what_cannot_be_read(world, run):
    world.upload("Lost/a\nb.jpg")
    world.withhold("Lost/a\nb.jpg", 403)
    assert [run().unreadable for _ in range(3)] == [1, 1, 1]
    (mail,) = world.mails()
    assert "Subject: 1 upload cannot be read" in mail
    assert "inbox 'Lost/a\\nb.jpg'" in mail, "whatever is in a key, it is one line"
    world.upload("Lost/c.jpg")
    world.withhold("Lost/c.jpg", 400)
    assert run().unreadable == 2
    assert len(world.mails()) == 2
    assert "a\\nb.jpg" not in world.mails()[1]


def test_many_that_cannot_be_read_are_one_mail(world, run):
    for number in range(25):
        world.upload(f"Lost/{number:02d}.jpg")
        world.withhold(f"Lost/{number:02d}.jpg", 400)
    assert run().unreadable == 25
    (mail,) = world.mails()
    assert "25 uploads cannot be read" in mail
    assert "and 5 more" in mail


def test_what_receive_upload_could_not_read_is_told_by_the_next_sweep(world, run):
    event = world.upload("Lost/a.jpg")
    world.withhold("Lost/a.jpg", 400)
    receive_one(Announced.parse(event), world.store, world.catalog, world.machine)
    assert world.mails() == []
    assert run(grace_seconds=120).unreadable == 1
    assert len(world.mails()) == 1


def test_what_can_be_read_again_becomes_an_item(world, run):
    world.upload("Lost/a.jpg")
    world.withhold("Lost/a.jpg", 403)
    run()
    world.withheld.clear()  # somebody mended the policy of its KMS key
    assert run() == Swept(versions=1, admitted=1)
    assert [record.key for record in world.catalog.items.newest()] == ["Lost/a.jpg"]
    assert world.catalog.unreadable.all() == []


def test_what_was_removed_is_forgotten(world, run):
    event = world.upload("Lost/a.jpg")
    world.withhold("Lost/a.jpg", 400)
    run()
    version = event["detail"]["object"]["version-id"]
    world.s3.delete_object(Bucket="inbox", Key="Lost/a.jpg", VersionId=version)
    world.withheld.clear()
    assert run() == Swept()
    assert (world.catalog.unreadable.all(), list(world.catalog.items.newest())) == ([], [])


def test_a_version_that_goes_between_the_listing_and_the_look_is_gone(world, run):
    world.upload("Lost/a.jpg")
    world.withhold("Lost/a.jpg", 404)
    assert run() == Swept(versions=1)
    assert world.mails() == []


def test_a_fault_at_one_version_is_counted_and_tried_again(world, run):
    for name in ("a", "b"):
        world.upload(f"Lost/{name}.jpg")
    world.withhold("Lost/a.jpg", 501)
    assert run() == Swept(versions=2, admitted=1, faults=1)
    world.withheld.clear()
    assert run().admitted == 1


def test_an_item_that_cannot_be_mended_holds_up_no_other(world, run):
    class Forgetful(type(world.machine)):
        """Step Functions, which has lost the description of one execution."""

        def describe(self, arn):
            if arn.endswith(f":{first.execution}"):
                raise ConnectionError("no answer")
            return super().describe(arn)

    world.machine = Forgetful()
    for name in ("a", "b"):
        receive_one(Announced.parse(world.upload(f"Summer/{name}.jpg")), world.store, world.catalog, world.machine)
    first, second = world.catalog.items.newest()
    for record in (first, second):
        world.machine.end(record.execution, "FAILED", "States.ServiceRestart")
    world.upload("Lost/c.jpg")
    assert run() == Swept(versions=3, unfinished=2, restarted=1, admitted=1, faults=1)


def test_a_mail_that_cannot_be_sent_costs_the_mail_and_nothing_else(world, run):
    world.upload("Lost/a.jpg")
    world.withhold("Lost/a.jpg", 400)
    world.aws.client("ses").delete_identity(Identity=world.settings.mail_from)
    assert run() == Swept(versions=1, unreadable=1, faults=1)
    world.aws.client("ses").verify_email_identity(EmailAddress=world.settings.mail_from)
    assert run() == Swept(versions=1, unreadable=1)
    assert len(world.mails()) == 1
