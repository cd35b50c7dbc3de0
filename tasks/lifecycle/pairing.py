"""Pairing: how long a Live Photo's film looks for its picture, what the picture takes of it, and when the two part again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tasks.catalog import Catalog
from tasks.core.aws.stepfunctions import Machine
from tasks.core.clock import parse, utc_now
from tasks.core.logs import log
from tasks.core.models.digests import film_digest
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.models.review import Film, Prepared
from tasks.lifecycle.attempts import begin

# Seconds between the first looks; one more look comes when the film's time is over. Most pairs are a few seconds apart, and an
# approver who is quick decides about a picture without its film.
PAUSES = (5, 10, 20)
# What a picture takes of its film, and what it is called there: nobody mistakes it for a video's own.
PARTS = {"preview": "motion", "video": "live"}


@dataclass(frozen=True)
class Joined:
    """What one look for the picture came to. `seconds` is how long to wait before the next one."""

    outcome: Literal["", "joined", "wait", "alone"] = ""
    looks: int = 0
    seconds: int = 0
    picture: str = ""  # the item that it joined


def look(item: Item, media: Media, prepared: Prepared, before: Joined, catalog: Catalog, pair_seconds: int) -> Joined:
    """Join the picture that has the film's identifier, or say when to look again: phones send the two seconds apart."""
    looks = before.looks + 1
    picture = catalog.pairs.join(item, media, film(item, media, prepared))
    if picture:
        log.info("joined", extra={"picture": picture})
        return Joined("joined", looks, picture=picture)
    age = round((utc_now() - parse(item.received_at)).total_seconds())
    seconds = pause(looks, pair_seconds - max(0, age))
    return Joined("wait", looks, seconds=seconds) if seconds else Joined("alone", looks)


def pause(looks: int, left: int) -> int:
    """How many seconds to wait after so many looks; 0: no longer, whatever the clock says."""
    return max(0, min([left, *PAUSES[looks - 1 : looks]])) if looks <= len(PAUSES) + 1 else 0


def film(item: Item, media: Media, prepared: Prepared) -> Film:
    """What the picture keeps of it: nothing is made anew, and what was recognized in it stays with it."""
    seen = prepared.recognition
    parts = tuple(replace(one, name=PARTS[one.name]) for one in prepared.renditions if one.name in PARTS)
    return Film(item.id, media.duration, parts, film_digest(parts), seen.moderation, seen.triage)


def part(item: Item, catalog: Catalog, machine: Machine) -> None:
    """Let the film of a picture that nobody will see go on by itself."""
    if alone := catalog.pairs.part(item.id):
        begin(alone, machine)
        log.info("its film goes on alone", extra={"film": alone.id})
