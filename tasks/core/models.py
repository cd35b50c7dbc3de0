"""The facts that travel between states: small frozen dataclasses, JSON in and JSON out.

States pass keys and facts, never bytes. Sizes are in bytes, lengths in pixels, durations in seconds,
times are ISO 8601 in UTC (`2026-11-21T21:40:26Z`) unless a field says otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Lock
from typing import Any, Literal, TypeVar

import msgspec

from tasks.core.errors import BadRequest

T = TypeVar("T")

Kind = Literal["image", "video", "document"]
Verdict = Literal["accepted", "rejected"]
Triage = Literal["clear", "hold", "reject"]
DecisionVerdict = Literal["approve", "reject", "expired"]
Status = Literal[
    "RECEIVED",
    "PROCESSING",
    "PENDING",
    "PUBLISHED",
    "REJECTED",
    "EXPIRED",
    "QUARANTINED",
    "DUPLICATE",
    "ESCALATED",
    "FAILED",
    "TAKEN_DOWN",
]
# An item in one of these has an execution that is, or should be, running.
UNFINISHED: tuple[Status, ...] = ("RECEIVED", "PROCESSING", "PENDING")


@dataclass(frozen=True)
class Location:
    """One version of one object. `version` is empty where the bucket keeps none."""

    bucket: str
    key: str
    version: str = ""


@dataclass(frozen=True)
class Item:
    """One uploaded version, as every state sees it (`$.item`)."""

    id: str  # derived from bucket, key and version: the same upload is always the same item
    attempt: int  # the execution's name is `<id>-<attempt>`
    bucket: str
    key: str
    version: str
    etag: str
    bytes: int
    album: str  # slug
    album_title: str  # as the contributor wrote it
    contributor: str  # "" when nobody said
    received_at: str

    @property
    def original(self) -> Location:
        """The pinned version that was uploaded."""
        return Location(self.bucket, self.key, self.version)

    @property
    def filename(self) -> str:
        """The last part of the key: a name to show, never a path to open."""
        return self.key.rsplit("/", 1)[-1] or self.key


@dataclass(frozen=True)
class Master:
    """The file that everything shown is made from: the original where browsers can show it, else the converted file."""

    bucket: str
    key: str
    version: str = ""
    format: str = ""  # a name from the formats registry
    content_type: str = ""
    width: int = 0
    height: int = 0
    bytes: int = 0
    sha256: str = ""
    poster_key: str = ""  # video and sound: a JPEG in the same bucket that stands for it
    preview: Rendition | None = None  # video: a short muted MP4 in the same bucket
    preview_key: str = ""  # the preview of a video that was joined before decision 0018: its hash is not known
    stream: tuple[Rendition, ...] = ()  # a long video: its playlists and sizes, `stream/main.m3u8` names the rest

    @property
    def location(self) -> Location:
        return Location(self.bucket, self.key, self.version)

    @property
    def still(self) -> Location:
        """The picture that stands for it: itself, a video's poster or a recording's waveform."""
        return Location(self.bucket, self.poster_key) if self.poster_key else self.location


@dataclass(frozen=True)
class VideoFacts:
    """What an uploaded file says of its streams (`$.media.video`), read once, by ValidateMedia.

    Lengths in pixels as shown (upright, square pixels), durations in seconds, rates in bits a second.
    """

    codec: str = ""  # "" when there is no picture
    width: int = 0
    height: int = 0
    rotation: int = 0  # degrees; the stream itself lies on its side
    duration: float = 0.0
    rate: str = "30"  # frames a second that a conversion is made at, as a fraction
    bit_rate: int = 0
    bits: int = 8
    chroma: str = "4:2:0"
    transfer: str = ""  # "PQ" or "HLG" when the brightness needs mapping
    interlaced: bool = False
    square: bool = True  # pixels are as wide as high
    audio: str = ""
    audio_channels: int = 0
    audio_track: int = 0  # which of the sound tracks is heard: the default one of those that can be decoded
    demuxer: str = "mov"  # the only one that ffmpeg may open the file with
    frames: int = 0  # as the container counts them; 0 when it does not
    steady: bool = False  # the container says that every frame is shown equally long

    @property
    def frame_rate(self) -> Fraction:
        return Fraction(self.rate)


@dataclass(frozen=True)
class Media:
    """What is known of an upload's content (`$.media`); each state that learns more returns it anew."""

    verdict: Verdict
    reason: str = ""  # in words, for the contributor, when rejected
    kind: Kind = "document"
    format: str = ""  # a name from the formats registry: jpeg, heic, mp4, pdf, ...
    content_type: str = ""
    sha256: str = ""  # of the original
    bytes: int = 0
    width: int = 0  # upright
    height: int = 0  # upright
    duration: float = 0.0
    taken_at: str = ""  # as the camera says, with its offset if it has one; never the upload time
    camera: str = ""
    lens: str = ""
    exposure: str = ""  # `1/250 s, f/2.8, ISO 100, 35 mm`, as far as it is known
    note: str = ""  # what a person should know of what is shown: `shows the first of 3 pages`
    animated: bool = False
    codecs: tuple[str, ...] = ()
    convert: bool = False  # an image that browsers don't show: ConvertImage makes its master
    pair: str = ""  # what a Live Photo's picture and film have in common, a UUID as the phone wrote it; never published
    live: bool = False  # a short film with such a name: JoinPicture looks for its picture
    sound: bool = False  # a document that is listened to: DrawWaveform makes its picture
    video: VideoFacts | None = None  # of a video until it is joined: whoever works at it need not look again
    master: Master | None = None
    thumbnails: Thumbnails | None = None  # ConvertImage makes them beside its master, MakeThumbnails of any other
    recognition: Recognition | None = None  # what Recognize returns; nobody asks it about a document

    @property
    def prepared(self) -> Prepared | None:
        """What a person is shown of it, and what was recognized there; None before anything is."""
        made = self.thumbnails
        if made is None:
            return None
        seen = self.recognition or Recognition()
        return Prepared(self.verdict, self.reason, made.renditions, made.placeholder, made.sha256, seen, made.phash)

    @property
    def alone(self) -> Media:
        """Without what is kept beside it (`prepared`) or was of use on the way only: what the catalog keeps of it."""
        return replace(self, video=None, thumbnails=None, recognition=None)


@dataclass(frozen=True)
class Segment:
    """One stretch of a video's picture, or the sound of the whole: `start` and `end` in seconds from its beginning."""

    index: int
    start: float
    end: float
    frames: int = 0  # how many it is made of; 0 for the last one, which ends where the video does
    seek: float = 0.0  # the keyframe that decoding begins at; of sound: when the picture begins, by the upload's own clock
    rate: str = ""  # frames a second of the result, as a fraction; "": the stream's own
    sound: bool = False  # the sound instead of a picture; first of all segments, for it takes longest


@dataclass(frozen=True)
class VideoPlan:
    """How a video becomes its MP4 (`$.plan`). With `remux` the streams fit: segments make a long one's smaller sizes."""

    remux: bool
    segments: tuple[Segment, ...] = ()  # each at the place that its `index` says
    reason: str = ""  # why it cannot be planned; JoinVideo then rejects
    # The sizes beside the largest that a long one is offered in; None without segments, and in a plan from before decision 0010.
    smaller: tuple[str, ...] | None = None

    @property
    def pictures(self) -> tuple[Segment, ...]:
        """Its segments but for the sound."""
        return tuple(segment for segment in self.segments if not segment.sound)


@dataclass(frozen=True)
class SegmentResult:
    """A transcoded segment: the folder in the work bucket that holds its sizes or the sound, or the reason why there is none."""

    index: int
    key: str = ""
    reason: str = ""
    sound: bool = False


@dataclass(frozen=True)
class Rendition:
    """A derived file in the work bucket. `name` is `320w`..`2048w`, `video`, `preview`, `stream/...` or `file`."""

    name: str
    key: str
    format: str
    content_type: str
    width: int = 0
    height: int = 0
    bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Thumbnails:
    """What a person is shown (`$.media.thumbnails`). `sha256` covers every rendition: the approver's decision is bound to it."""

    renditions: tuple[Rendition, ...] = ()
    placeholder: str = ""  # data: URI of at most 1 KB
    sha256: str = ""
    phash: str = ""  # 16 hexadecimal digits, of pictures only; near-duplicates differ in few of their bits


@dataclass(frozen=True)
class Label:
    """One thing that Rekognition sees, `confidence` in percent."""

    name: str
    confidence: float
    parent: str = ""


@dataclass(frozen=True)
class Recognition:
    """What Recognize returns (`$.media.recognition`). `triage` is the operator's policy applied to the moderation labels."""

    labels: tuple[Label, ...] = ()
    moderation: tuple[Label, ...] = ()
    model: str = ""  # the label model's version, as Rekognition states it
    triage: Triage = "clear"


@dataclass(frozen=True)
class Prepared:
    """Thumbnails and recognition together, as the catalog keeps them; and what MakeThumbnails answers a machine of before."""

    verdict: Verdict
    reason: str
    renditions: tuple[Rendition, ...]
    placeholder: str
    sha256: str
    recognition: Recognition
    phash: str = ""


@dataclass(frozen=True)
class PreparedRequest:
    """What any state passes whose item was prepared."""

    item: Item
    media: Media

    @property
    def prepared(self) -> Prepared:
        """Raises BadRequest where nothing was made that a person could be shown."""
        if found := self.media.prepared:
            return found
        raise BadRequest(f"nothing was made of {self.item.id} that could be shown")


@dataclass(frozen=True)
class Film:
    """The moving part of a Live Photo, kept with its picture's item. `sha256` covers its renditions."""

    item: str  # the upload that it came as
    duration: float
    renditions: tuple[Rendition, ...]  # `motion`: small and muted, for a glimpse; `live`: all of it
    sha256: str
    moderation: tuple[Label, ...] = ()
    triage: Triage = "clear"


@dataclass(frozen=True)
class Decision:
    """What became of a review (`$.decision`). Who and when stand in the audit and the catalog."""

    verdict: DecisionVerdict
    reason: str = ""
    approver: str = ""
    decided_at: str = ""


@dataclass(frozen=True)
class Publication:
    """Where an item stands in the gallery (`$.publication`)."""

    url: str  # path on the site: /items/<id>/
    album: str
    sequence: int  # 1 for an album's first; fixes its page
    page: int
    published_at: str


@dataclass(frozen=True)
class ItemRecord:
    """All that the catalog keeps of one item; `greenroom show --json` prints it."""

    id: str
    status: Status
    attempt: int
    bucket: str
    key: str
    version: str
    etag: str
    bytes: int
    album: str
    album_title: str
    contributor: str
    received_at: str
    updated_at: str
    reason: str = ""
    duplicate_of: str = ""  # the item that holds the same bytes, when DUPLICATE
    media: Media | None = None
    prepared: Prepared | None = None
    decision: Decision | None = None
    publication: Publication | None = None
    film: Film | None = None  # a Live Photo's, for as long as its picture has it

    @property
    def shown(self) -> str:
        """The digest of all that a person is shown of it: a decision is bound to it. "" before anything is."""
        return shown(self.prepared.sha256, self.film.sha256 if self.film else "") if self.prepared else ""

    @property
    def item(self) -> Item:
        """What an execution of this item is started with."""
        return Item(
            id=self.id,
            attempt=self.attempt,
            bucket=self.bucket,
            key=self.key,
            version=self.version,
            etag=self.etag,
            bytes=self.bytes,
            album=self.album,
            album_title=self.album_title,
            contributor=self.contributor,
            received_at=self.received_at,
        )

    @property
    def execution(self) -> str:
        """The name of its newest execution."""
        return f"{self.id}-{self.attempt}"


@dataclass(frozen=True)
class PublicFile:
    """One published file: `path` on the site, from the root."""

    name: str  # the rendition's name
    path: str
    format: str
    content_type: str
    width: int = 0
    height: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Card:
    """What a page shows of one published item: a row of an album's page."""

    id: str
    kind: Kind
    title: str  # the file's name without its ending
    album: str
    album_title: str
    sequence: int
    url: str  # /items/<id>/
    contributor: str
    taken_at: str
    published_at: str
    width: int
    height: int
    duration: float
    placeholder: str
    labels: tuple[str, ...] = ()
    files: tuple[PublicFile, ...] = ()
    bytes: int = 0
    format: str = ""
    sensitive: bool = False  # blurred until asked for


@dataclass(frozen=True)
class Album:
    """One album as the home page lists it. `count` is how many items were ever published to it: the last sequence number."""

    slug: str
    title: str
    count: int
    updated_at: str
    cover: Card | None = None


def digest(renditions: Iterable[Rendition]) -> str:
    """SHA-256 over what a person is shown: the sorted names, formats and hashes of all renditions, as compact JSON."""
    return _hashed(sorted([one.name, one.format, one.sha256] for one in renditions))


def shown(pictures: str, film: str) -> str:
    """One digest of a picture's renditions and its film's: the picture's own where there is no film."""
    return _hashed([pictures, film]) if film else pictures


def _hashed(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()


_built: set[Any] = set()
_building = Lock()


def from_json(value: Any, shape: type[T]) -> T:
    """Parse plain JSON values into `shape`; raises msgspec.ValidationError naming the path that is wrong."""
    if shape not in _built:
        _build(shape)
    return msgspec.convert(value, shape)


def _build(shape: Any) -> None:
    """Let msgspec learn a shape, one thread at a time: when two meet at its first use, it crashes the process (0.22.0)."""
    with _building:
        msgspec.json.Decoder(shape)
        _built.add(shape)


def to_json(value: Any) -> Any:
    """Turn dataclasses into plain JSON values: dicts, lists, strings, numbers."""
    return msgspec.to_builtins(value)
