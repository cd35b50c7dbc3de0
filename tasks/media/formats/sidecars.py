"""Sidecars under any name, told by their content: notes about a picture or film, and tracks, which are a list of places.

As documents they would be published whole, with the place where a picture was taken to the metre. They are refused, in words that
say what to do. What is a sidecar by its usual name never comes this far (tasks/core/byproducts.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tasks.core.errors import InvalidMedia

WINDOW = 256 * 1024  # bytes from the beginning that are looked at: a long description may stand before what tells it
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# What may stand before an XML document's root: instructions (XMP's own packet header is one), comments, a document type.
PROLOG = re.compile(rb"\s+|<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<![^\[>]*(?:\[[^\]]*\]\s*)?>")
ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")


@dataclass(frozen=True)
class Sidecar:
    """One kind: the root element of its XML, else a pattern for its very beginning; and a pattern for anywhere in the window."""

    words: str
    root: str = ""
    start: bytes = b""
    inside: bytes = b""

    def matches(self, head: bytes, root: str) -> bool:
        begins = root == self.root if self.root else bool(re.match(self.start, head))
        return begins and bool(re.search(self.inside, head))


PICTURE, ALBUM, FILM, TRACK = "a sidecar of a picture", "a sidecar of an album", "a sidecar of a film", "a track of places"
# No pattern repeats a repetition: whoever sends a hostile file makes nobody wait.
SIDECARS: tuple[Sidecar, ...] = (
    Sidecar(f"{PICTURE} (XMP)", root="xmpmeta"),
    Sidecar(f"{PICTURE} (XMP)", root="xapmeta"),
    Sidecar(f"{PICTURE} (XMP)", root="RDF", inside=rb"ns\.(?:adobe\.com|exiftool\.)"),
    Sidecar(f"{PICTURE} (Apple's adjustments)", root="plist", inside=rb"<key>adjustment(?:Data|FormatIdentifier)</key>"),
    Sidecar(f"{PICTURE} (Apple's adjustments)", start=rb"bplist0", inside=rb"adjustment(?:Data|FormatIdentifier)"),
    Sidecar(f"{PICTURE} (Google Takeout)", start=rb"\{", inside=rb'"(?:photoTakenTime|geoDataExif|googlePhotosOrigin)"\s*:\s*\{'),
    Sidecar(f"{ALBUM} (Google Takeout)", start=rb"\{", inside=rb'"albumData"\s*:\s*\{'),
    Sidecar(f"{ALBUM} (Google Takeout)", start=rb'\{\s*"title"\s*:', inside=rb'"date"\s*:\s*\{\s*"timestamp"\s*:'),
    Sidecar(f"{PICTURE} (ExifTool)", start=rb"\[\s*\{", inside=rb'"SourceFile"\s*:'),
    Sidecar(f"{PICTURE} (PhotoPrism)", start=rb"[A-Z#-]", inside=rb"(?m)^UID: p[a-z0-9]{15}\s*$"),
    Sidecar(f"{PICTURE} (RawTherapee)", start=rb"\[Version\]\s+AppVersion\s*="),
    Sidecar(f"{PICTURE} (DxO)", start=rb"Sidecar\s*=\s*\{"),
    Sidecar(f"{PICTURE} (macOS)", start=rb"\0\x05\x16[\0\x07]"),
    Sidecar(f"{FILM} (Sony)", root="NonRealTimeMeta"),
    Sidecar(
        f"{FILM} (a drone's flight)",
        start=rb"\d+\s+\d\d:\d\d:\d\d[,.]\d+\s*-->",
        inside=rb"\[\s*(?:latitude|longt?itude)\s*:|\bGPS\s*\(\s*-?\d",
    ),
    Sidecar(f"{TRACK} (GPX)", root="gpx"),
    Sidecar(f"{TRACK} (KML)", root="kml"),
    Sidecar(f"{TRACK} (KML)", start=rb"PK\x03\x04[\s\S]{26}doc\.kml"),
    Sidecar(f"{TRACK} (TCX)", root="TrainingCenterDatabase"),
    Sidecar(f"{TRACK} (FIT)", start=rb"[\x0c\x0e][\s\S]{7}\.FIT"),
    Sidecar(f"{TRACK} (NMEA)", start=rb"(?:@[^\r\n]{0,200}\r?\n)?\$G[APNLB](?:GGA|RMC|GLL|GSA),"),
    Sidecar(f"{TRACK} (GeoJSON)", start=rb"\{", inside=rb'"type"\s*:\s*"FeatureCollection"'),
    Sidecar(f"{TRACK} (Google's location history)", start=rb"[\[{]", inside=rb'"latitudeE7"\s*:'),
)


def check(path: Path) -> None:
    """Raises InvalidMedia when the document at `path` is a sidecar or a track, whatever it is called."""
    with path.open("rb") as file:
        words = sidecar_of(file.read(WINDOW))
    if words:
        raise InvalidMedia(
            f"{words}: it may say where people were, and is never published as it is;"
            " leave it out, or put it into a zip archive if everybody may have it"
        )


def sidecar_of(head: bytes) -> str:
    """What kind of sidecar begins with `head`, in words; "" for any other file."""
    text = as_text(head)
    root = root_of(text)
    return next((each.words for each in SIDECARS if each.matches(text, root) or each.matches(head, root)), "")


def as_text(head: bytes) -> bytes:
    """Without a byte order mark, leading space, and the zero bytes of UTF-16 and 32: what tells a sidecar is all ASCII."""
    marked = next((bom for bom in BOMS if head.startswith(bom)), b"")
    return head.removeprefix(marked).replace(b"\0", b"").lstrip()


def root_of(text: bytes) -> str:
    """The name of an XML document's root element, without its prefix; "" where there is none."""
    at = 0
    while (before := PROLOG.match(text, at)) and before.end() > at:
        at = before.end()
    found = ROOT.match(text, at)
    return found[1].decode() if found else ""
