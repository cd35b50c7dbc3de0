"""Approve against reject, many at once, on the real catalog: one decision, one audit entry, and everybody learns the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from machines.stage import MOTO, SETTINGS, make_tables, shared_aws
from moto import mock_aws
from serial_moto import serial_dynamodb

from tasks.catalog import Catalog, Reviews
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.models.recognition import Recognition
from tasks.core.models.review import Decision, DecisionVerdict, Prepared
from tasks.core.names import item_id

RACES = 50
SHA = "5" * 64
MEDIA = Media("accepted", kind="image", format="jpeg", sha256=SHA)
PREPARED = Prepared("accepted", "", (), "", SHA, Recognition())
APPROVED = Decision("approve", "", "ann@example.org", "2026-07-05T09:12:44Z")


@pytest.fixture
def table() -> Iterator[None]:
    with mock_aws(config=MOTO), serial_dynamodb():
        make_tables(shared_aws(), SETTINGS)
        yield


@pytest.fixture
def reviews(table: None) -> Reviews:
    return Reviews.open(shared_aws(), SETTINGS)


@pytest.fixture
def catalog(table: None) -> Catalog:
    return Catalog.open(shared_aws(), SETTINGS)


def item(number: int) -> Item:
    id = item_id("inbox", f"Summer/{number}.jpg", "v1")
    return Item(id, 1, "inbox", f"Summer/{number}.jpg", "v1", "etag", 10, "summer", "Summer", "Ben", "2026-07-05T08:00:00Z")


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls from as many threads, let go in the same moment; their results in order."""
    gate = Barrier(len(calls))

    def go(call: Callable[[], Any]) -> Any:
        gate.wait(10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(go, calls))


def deciding(reviews: Reviews, id: str, verdict: DecisionVerdict, approver: str) -> Callable[[], Any]:
    return lambda: reviews.record(id, verdict, approver=approver, shown=SHA, address="192.0.2.7", agent="a browser")


def test_fifty_races_have_fifty_winners(reviews: Reviews) -> None:
    won: Counter[str] = Counter()
    for number in range(RACES):
        one = item(number)
        reviews.request(one, f"token-{number}", SHA)
        sides = [deciding(reviews, one.id, "approve", "ann@example.org"), deciding(reviews, one.id, "reject", "bob@example.org")]
        random.Random(number).shuffle(sides)
        outcomes = at_once(*sides)
        states = sorted(outcome.state for outcome in outcomes)
        assert states == ["recorded", "taken"], f"race {number}: {states}"
        audit = reviews.decisions(one.id)
        assert len(audit) == 1, f"race {number}: {audit}"
        stands = {(outcome.decision.verdict, outcome.decision.approver) for outcome in outcomes}
        assert stands == {(audit[0].verdict, audit[0].approver)}, "winner and loser are told the same decision"
        won[audit[0].verdict] += 1
    assert sum(won.values()) == RACES


def test_a_timeout_and_a_click_cannot_both_win(reviews: Reviews) -> None:
    for number in range(RACES):
        one = item(number)
        reviews.request(one, "token", SHA)
        click, timeout = at_once(
            deciding(reviews, one.id, "approve", "ann@example.org"), lambda one=one: reviews.expire(one, SHA)
        )
        assert (click.state, timeout.verdict) in [("recorded", "approve"), ("expired", "expired")], f"race {number}"
        assert len(reviews.decisions(one.id)) == 1


def test_five_clicks_of_one_approver_are_one_decision(reviews: Reviews) -> None:
    one = item(0)
    reviews.request(one, "token", SHA)
    outcomes = at_once(*[deciding(reviews, one.id, "approve", "ann@example.org")] * 5)
    assert Counter(outcome.state for outcome in outcomes) == {"recorded": 1, "repeated": 4}
    assert len(reviews.decisions(one.id)) == 1


def test_an_item_published_from_many_sides_stands_once(catalog: Catalog) -> None:
    one = item(0)
    catalog.items.create(one)
    publications = at_once(*[lambda: catalog.albums.publish(one, MEDIA, PREPARED, APPROVED, ())[0]] * 6)
    assert len(set(publications)) == 1
    assert [card.id for card in catalog.albums.page("summer", 0)] == [one.id]
    assert catalog.albums.get("summer").count == 1


def test_many_items_published_at_once_all_stand_in_their_album(catalog: Catalog) -> None:
    items = [item(number) for number in range(12)]
    for one in items:
        catalog.items.create(one)
    at_once(*[lambda one=one: catalog.albums.publish(one, MEDIA, PREPARED, APPROVED, ()) for one in items])
    cards = catalog.albums.page("summer", 0)
    assert [card.sequence for card in cards] == list(range(1, 13))
    assert {card.id for card in cards} == {one.id for one in items}


def test_two_sweepers_begin_one_attempt(catalog: Catalog) -> None:
    one = item(0)
    catalog.items.create(one)
    begun = at_once(*[lambda: catalog.items.next_attempt(one.id, 1)] * 4)
    assert [each.attempt for each in begun if each] == [2]
