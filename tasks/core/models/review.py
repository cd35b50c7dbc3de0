"""What a person is asked about, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.core.models.digests import FilmDigest, RenditionsDigest
from tasks.core.models.recognition import Label, Recognition, Triage
from tasks.core.models.renditions import Rendition, Verdict

DecisionVerdict = Literal["approve", "reject", "expired"]


@dataclass(frozen=True)
class Prepared:
    """Thumbnails and recognition together, as the catalog keeps them; and what MakeThumbnails answers a machine of before."""

    verdict: Verdict
    reason: str
    renditions: tuple[Rendition, ...]
    placeholder: str
    sha256: RenditionsDigest
    recognition: Recognition
    phash: str = ""


@dataclass(frozen=True)
class Film:
    """The moving part of a Live Photo, kept with its picture's item. `sha256` covers its renditions."""

    item: str  # the upload that it came as
    duration: float
    renditions: tuple[Rendition, ...]  # `motion`: small and muted, for a glimpse; `live`: all of it
    sha256: FilmDigest
    moderation: tuple[Label, ...] = ()
    triage: Triage = "clear"


@dataclass(frozen=True)
class Decision:
    """What became of a review (`$.decision`). Who and when stand in the audit and the catalog."""

    verdict: DecisionVerdict
    reason: str = ""
    approver: str = ""
    decided_at: str = ""
