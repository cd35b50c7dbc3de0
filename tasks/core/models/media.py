"""What the media tasks find out and make: facts of an upload, its master, a video's plan and segments."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.core.models.location import Location
from tasks.core.models.renditions import Kind, Rendition, Thumbnails, Verdict


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
    preview_key: str = ""  # video: a short muted MP4 in the same bucket
    stream: tuple[Rendition, ...] = ()  # a long video: its playlists and sizes, `stream/main.m3u8` names the rest

    @property
    def location(self) -> Location:
        return Location(self.bucket, self.key, self.version)

    @property
    def still(self) -> Location:
        """The picture that stands for it: itself, a video's poster or a recording's waveform."""
        return Location(self.bucket, self.poster_key) if self.poster_key else self.location


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
    master: Master | None = None
    thumbnails: Thumbnails | None = None  # made beside the master; MakeThumbnails hands them on


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
    smaller: tuple[str, ...] = ()  # the sizes beside the largest that a long one is offered in

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
