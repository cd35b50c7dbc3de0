"""Search: an inverted index whose cost follows the matches, not the gallery.

A word's rows name the pages' rows and hold no card of their own: a card is stored once, so that a takedown removes it once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from tasks.catalog.rows import Key, label_count, label_key, labels_pk, named_card, word_pk, word_row
from tasks.core.aws.attributes import Row
from tasks.core.aws.dynamodb import Table, Write
from tasks.core.models.publication import Card
from tasks.core.names import words

MOST_WORDS = 40  # of one card: keeps the publishing transaction far below 100 writes
MOST_LABELS = 10  # of one card, that count as suggestions
QUERY_WORDS = 6
READ_AHEAD = 100
MOST_READS = 60  # queries for one search


def search_words(card: Card) -> list[str]:
    """The words that find a card, title and album first; at most 40, none longer than 60 characters."""
    text = " ".join((card.title, card.album_title, card.contributor, *card.labels))
    return [word for word in words(text) if len(word) <= 60][:MOST_WORDS]


def search_writes(card: Card, page: int) -> list[Write]:
    """The writes that let one card be found by its words."""
    return [Write(word_row(word, card, page)) for word in search_words(card)]


def count_labels(table: Table, card: Card) -> None:
    """Count a card's labels for the suggestions.

    Outside the publishing transaction on purpose: labels such as `person` are in every photograph, and all albums would
    queue at their counters. A process that ends in between leaves a suggestion one short, nothing else.
    """
    for label in card.labels[:MOST_LABELS]:
        table.update(*label_key(label), "ADD #count :one", one=1)


class Search:
    """Finding cards by what is in them. `cards` reads the cards' rows of many keys, in their order (Albums.cards)."""

    def __init__(self, table: Table, cards: Callable[[list[Key]], list[Card]]) -> None:
        self._table = table
        self._cards = cards

    def find(self, query: str, limit: int = 60) -> list[Card]:
        """The cards that every word of `query` finds (labels, title, album, contributor), newest first.

        Reads are bounded: a query of words that are frequent alone and rare together may end early, with what it found.
        """
        wanted = words(query)[:QUERY_WORDS]
        if not wanted:
            return []
        budget = iter(range(MOST_READS))
        streams = [_Stream(self._table, word_pk(word), budget) for word in wanted]
        return self._cards([named_card(row) for row in _common(streams, limit)])

    def labels(self, limit: int = 30) -> list[tuple[str, int]]:
        """The most frequent labels and how many published items show each."""
        counts = [label_count(row) for row in self._table.query(labels_pk())]
        return sorted(counts, key=lambda pair: (-pair[1], pair[0]))[:limit]


class _Stream:
    """One word's rows, newest first, which can jump ahead to a sort key without reading what lies between."""

    def __init__(self, table: Table, pk: str, budget: Iterator[int]) -> None:
        self._table = table
        self._pk = pk
        self._budget = budget
        self._rows: list[Row] = []
        self._ended = False

    def seek(self, bound: str) -> Row | None:
        """The newest row whose sort key is at most `bound`; None at the end or when the reads are used up."""
        self._rows = [row for row in self._rows if row["sk"] <= bound]
        if not self._rows and not self._ended:
            self._read(bound)
        return self._rows[0] if self._rows else None

    def _read(self, bound: str) -> None:
        if next(self._budget, None) is None:
            self._ended = True
            return
        rows = self._table.query(self._pk, "#sk <= :bound", forward=False, page=READ_AHEAD, bound=bound)
        self._rows = list(islice(rows, READ_AHEAD))
        self._ended = len(self._rows) < READ_AHEAD


def _common(streams: list[_Stream], limit: int) -> list[Row]:
    """The newest `limit` rows whose sort keys all streams have, each stream leaping to where the others are."""
    found: list[Row] = []
    bound = "~"  # after every time stamp
    while len(found) < limit:
        rows = [stream.seek(bound) for stream in streams]
        present = [row for row in rows if row is not None]
        if len(present) < len(streams):
            break
        bound = min(str(row["sk"]) for row in present)
        if all(row["sk"] == bound for row in present):
            found.append(present[0])
            bound = bound[:-1] + chr(ord(bound[-1]) - 1) + "~"  # right before it
    return found
