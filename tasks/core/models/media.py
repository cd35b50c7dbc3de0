"""What the media tasks find out and make: facts of an upload, its master, a video's plan and segments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from tasks.core.models.digests import MasterSha256, OriginalSha256
from tasks.core.models.location import Location
from tasks.core.models.recognition import Recognition
from tasks.core.models.renditions import Kind, Rendition, Thumbnails, Verdict
from tasks.core.models.review import Prepared


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
    sha256: MasterSha256 = MasterSha256("")
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
    hidden: bool = False  # an edit list leaves out frames that the file still holds
    audio_hidden: bool = False  # the same of its sound, beyond what encoders put at its ends
    early: bool = False  # what is left out has times before zero, and nothing else tells it
    spliced: bool = False  # several stretches of it are shown one after the other: no moment of it can be sought

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
    sha256: OriginalSha256 = OriginalSha256("")
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

    def with_prepared(self, prepared: Prepared) -> Media:
        """As a state had it, of what the catalog keeps: the reverse of `alone`."""
        made = Thumbnails(prepared.renditions, prepared.placeholder, prepared.sha256, prepared.phash)
        return replace(self, thumbnails=made, recognition=prepared.recognition)

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
