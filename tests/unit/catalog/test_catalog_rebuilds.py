"""Rebuild leases: one renders, the others leave word, and word is never lost."""

from datetime import UTC, datetime, timedelta

from tasks.catalog import Catalog


def test_one_rebuilds_and_looks_again_when_told(world):
    catalog = world.catalog
    assert catalog.acquire_rebuild("summer", "a")
    assert not catalog.acquire_rebuild("summer", "b")
    assert catalog.finish_rebuild("summer", "a")  # b left word
    assert not catalog.finish_rebuild("summer", "a")
    assert catalog.acquire_rebuild("summer", "b")


def test_albums_do_not_wait_for_each_other(world):
    assert world.catalog.acquire_rebuild("summer", "a")
    assert world.catalog.acquire_rebuild("winter", "b")


def test_a_retry_takes_its_own_lease_again(world):
    assert world.catalog.acquire_rebuild("summer", "a")
    assert world.catalog.acquire_rebuild("summer", "a")


def test_a_lost_holders_lease_ends_and_its_late_finish_takes_nothing(world):
    moment = [datetime(2026, 6, 1, tzinfo=UTC)]
    catalog = Catalog(world.table, clock=lambda: moment[0])
    assert catalog.acquire_rebuild("summer", "lost")
    moment[0] += timedelta(minutes=10)
    assert catalog.acquire_rebuild("summer", "next")
    assert not catalog.finish_rebuild("summer", "lost")
    assert not catalog.acquire_rebuild("summer", "third")
    assert catalog.finish_rebuild("summer", "next")


def test_finishing_without_a_lease_is_no_error(world):
    assert not world.catalog.finish_rebuild("summer", "nobody")
