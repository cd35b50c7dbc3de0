"""Rebuild leases: one renders, the others leave word, and word is never lost."""

from datetime import UTC, datetime, timedelta

from tasks.catalog import Catalog


def test_one_rebuilds_and_looks_again_when_told(world):
    catalog = world.catalog
    assert catalog.rebuilds.acquire("summer", "a")
    assert not catalog.rebuilds.acquire("summer", "b")
    assert catalog.rebuilds.finish("summer", "a")  # b left word
    assert not catalog.rebuilds.finish("summer", "a")
    assert catalog.rebuilds.acquire("summer", "b")


def test_albums_do_not_wait_for_each_other(world):
    assert world.catalog.rebuilds.acquire("summer", "a")
    assert world.catalog.rebuilds.acquire("winter", "b")


def test_a_retry_takes_its_own_lease_again(world):
    assert world.catalog.rebuilds.acquire("summer", "a")
    assert world.catalog.rebuilds.acquire("summer", "a")


def test_a_lost_holders_lease_ends_and_its_late_finish_takes_nothing(world):
    moment = [datetime(2026, 6, 1, tzinfo=UTC)]
    catalog = Catalog.of(world.table, world.reviews, world.catalog.approvers, clock=lambda: moment[0])
    assert catalog.rebuilds.acquire("summer", "lost")
    moment[0] += timedelta(minutes=10)
    assert catalog.rebuilds.acquire("summer", "next")
    assert not catalog.rebuilds.finish("summer", "lost")
    assert not catalog.rebuilds.acquire("summer", "third")
    assert catalog.rebuilds.finish("summer", "next")


def test_finishing_without_a_lease_is_no_error(world):
    assert not world.catalog.rebuilds.finish("summer", "nobody")
