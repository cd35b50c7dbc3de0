"""Raw files as cameras lay them out, a few kilobytes each: what is shown is upright `RGBW`, and what is private is marked."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

from media_samples import CANARY, private_exif, quadrants
from PIL import Image

REDUCED = {254: (4, (1,))}
Entry = tuple[int, Any]  # TIFF's type of the values, and the values; bytes stand for text, twice as many numbers for fractions
FACTS: dict[int, Entry] = {271: (2, b"Greencam\0"), 272: (2, b"Greencam 3\0"), 274: (3, (6,))}
BLOCK: dict[int, Entry] = {
    0x829A: (5, (1, 250)),
    0x9003: (2, b"2024:05:04 10:11:12\0"),
    0x9011: (2, b"+02:00\0"),
    0xA431: (2, CANARY.encode()),
    0xA434: (2, b"Greenglass 35\0"),
}
PLACE: dict[int, Entry] = {1: (2, b"N\0"), 2: (5, (48, 1, 8, 1, 14, 1)), 3: (2, b"E\0"), 4: (5, (11, 1, 34, 1, 31, 1))}
LETTERS = {1: "B", 3: "H", 4: "I", 5: "I", 13: "I"}


def jpeg(width: int, height: int, turned: bool = False, **options: Any) -> bytes:
    body = io.BytesIO()
    picture = quadrants(width, height)
    picture = picture.transpose(Image.Transpose.ROTATE_90) if turned else picture
    picture.save(body, "JPEG", quality=90, comment=CANARY, **options)
    return body.getvalue()


class Negative:
    """A raw file that is a TIFF: directories by their names, pictures where they point to."""

    def __init__(self, order: str = "<", magic: bytes = b"") -> None:
        self.order = order
        self.body = bytearray((magic or (b"II*\0" if order == "<" else b"MM\0*")) + bytes(4))

    def put(self, content: bytes) -> int:
        """Append `content`; returns where it stands."""
        self.body += bytes(len(self.body) % 2)
        self.body += content
        return len(self.body) - len(content)

    def directory(self, entries: dict[int, Entry], following: int = 0, base: int = 0) -> int:
        """Append a directory, whose places are counted from `base`; returns where it stands."""
        rows = b""
        for tag, (kind, values) in sorted(entries.items()):
            content = values if isinstance(values, bytes) else struct.pack(f"{self.order}{len(values)}{LETTERS[kind]}", *values)
            count = len(values) // (2 if kind == 5 else 1)
            at = b"" if len(content) <= 4 else struct.pack(self.order + "I", self.put(content) - base)
            rows += struct.pack(self.order + "HHI", tag, kind, count) + (at or content.ljust(4, b"\0"))
        table = struct.pack(self.order + "H", len(entries)) + rows + struct.pack(self.order + "I", following)
        return self.put(table)

    def picture(self, body: bytes) -> dict[int, Entry]:
        """The two tags of a directory that has one JPEG."""
        return {513: (4, (self.put(body),)), 514: (4, (len(body),))}

    def begin(self, at: int, room: int = 0) -> bytes:
        """The whole file, whose first directory stands at `at`, or is moved to the room that was left for it."""
        if room:
            table = bytes(self.body[at:])
            self.body[room : room + len(table)] = table
        self.body[4:8] = struct.pack(self.order + "I", room or at)
        return bytes(self.body)


def pef() -> bytes:
    """Pentax: the sensor's values are the first page; the JPEGs are the pages after it."""
    file = Negative(">")
    room = file.put(bytes(400))
    large = file.directory(file.picture(jpeg(600, 400, turned=True)))
    small = file.directory(file.picture(jpeg(48, 32, turned=True)), following=large)
    sensor = file.put(CANARY.encode() * 40)
    block = file.directory(BLOCK)
    page: dict[int, Entry] = {259: (3, (65535,)), 262: (3, (32803,)), 273: (4, (sensor,)), 279: (4, (400,))}
    place = file.directory(PLACE)
    return file.begin(file.directory({**FACTS, **page, 0x8769: (4, (block,)), 0x8825: (4, (place,))}, small), room)


def srw() -> bytes:
    """Samsung: the first page has no picture of its own, only directories that have."""
    file = Negative()
    room = file.put(bytes(400))
    large = file.directory({254: (4, (0,)), **file.picture(jpeg(600, 400, turned=True))})
    sensor = file.put(CANARY.encode() * 40)
    values = file.directory({254: (4, (0,)), 259: (3, (32773,)), 273: (4, (sensor,)), 279: (4, (400,))})
    inside: dict[int, Entry] = {330: (4, (large, values)), 0x8769: (4, (file.directory(BLOCK),))}
    return file.begin(file.directory({**FACTS, **inside, 0x8825: (4, (file.directory(PLACE),))}), room)


def rw2() -> bytes:
    """Panasonic: the JPEG is a tag's value, and says more than the directory around it."""
    file = Negative(magic=b"IIU\0")
    inside = jpeg(600, 400, turned=True, exif=private_exif(6))
    entries: dict[int, Entry] = {0x01: (7, b"0300"), 0x2E: (7, inside), 0x118: (4, (file.put(CANARY.encode() * 40),))}
    block = file.directory({tag: BLOCK[tag] for tag in (0x829A, 0xA434)})
    return file.begin(file.directory({**FACTS, **entries, 0x111: (4, (0xFFFFFFFF,)), 0x117: (4, (0,)), 0x8769: (4, (block,))}))


def orf(note: bytes = b"OLYMPUS\0II\x03\0", magic: bytes = b"IIRO") -> bytes:
    """Olympus: the maker note, which counts its places from its own beginning, has the camera's settings, and they the JPEG's."""
    file = Negative(magic=magic)
    large, sensor = jpeg(600, 400, turned=True), CANARY.encode() * 40
    base = file.put(note + bytes(18))
    start = file.put(large)
    settings = file.directory({0x100: (4, (1,)), 0x101: (4, (start - base,)), 0x102: (4, (len(large),))})
    table = struct.pack("<HHHIII", 1, 0x2020, 13, 1, settings - base, 0)
    file.body[base + len(note) : base + len(note) + 18] = table
    return _with_note(file, base, sensor)


def old_orf() -> bytes:
    """An older Olympus: the settings are a tag's own value, and all places are counted from the beginning of the file."""
    file = Negative(magic=b"IIRS")
    large = jpeg(600, 400, turned=True)
    start = file.put(large)
    settings = file.directory({0x101: (4, (start,)), 0x102: (4, (len(large),))})
    base = file.put(b"OLYMP\0\x01\0" + struct.pack("<HHHIII", 1, 0x2020, 7, len(file.body) - settings, settings, 0))
    return _with_note(file, base, CANARY.encode() * 40)


def _with_note(file: Negative, note: int, sensor: bytes) -> bytes:
    block = file.directory({**BLOCK, 0x927C: (7, bytes(200))})
    at = bytes(file.body).index(struct.pack("<HHI", 0x927C, 7, 200))
    file.body[at + 8 : at + 12] = struct.pack("<I", note)
    page: dict[int, Entry] = {273: (4, (file.put(sensor),)), 279: (4, (len(sensor),)), 0x8769: (4, (block,))}
    return file.begin(file.directory({**FACTS, **page, 0x8825: (4, (file.directory(PLACE),))}))


def raf() -> bytes:
    """Fujifilm: a header that says where the parts are; the JPEG has all facts in it."""
    exif = private_exif(6)
    exif.get_ifd(0x8769).update({0x829A: 0.004, 0xA434: "Greenglass 35"})
    large, sensor = jpeg(600, 400, turned=True, exif=exif), CANARY.encode() * 40
    head = b"FUJIFILMCCD-RAW 0201FF392201Greencam 3".ljust(0x54, b"\0")
    parts = [(0x94, len(large)), (0x94 + len(large), 0), (0x94 + len(large), len(sensor))]
    return (head + b"".join(struct.pack(">II", *part) for part in parts)).ljust(0x94, b"\0") + large + sensor


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def cr3(large: bool = True, middle: bool = True, small: bool = True, codec: bytes = b"CanonCR3_001") -> bytes:
    """Canon: three TIFFs with the facts and a thumbnail in one box, a preview in another, the full size as a track's sample."""

    def tiff(entries: dict[int, Entry]) -> bytes:
        file = Negative()
        return file.begin(file.directory(entries))

    full, sensor = jpeg(600, 400, turned=True), CANARY.encode() * 40
    head = box(b"ftyp", b"crx \0\0\0\1crx isom")

    def movie(start: int) -> bytes:
        facts = box(b"CNCV", codec), box(b"CMT1", tiff(FACTS)), box(b"CMT2", tiff(BLOCK)), box(b"CMT4", tiff(PLACE))
        thumb = box(b"THMB", bytes(16), jpeg(48, 32, turned=True)) if small else b""
        canon = box(b"uuid", bytes.fromhex("85c0b687820f11e08111f4ce462b6a48"), *facts, thumb)
        tracks = _track(start + len(full), len(sensor), b"stco")
        return box(b"moov", canon, (_track(start, len(full), b"co64") if large else b"") + tracks)

    identity = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16") + bytes(7) + b"\1"
    view = box(b"uuid", identity, box(b"PRVW", bytes(16), jpeg(300, 200, turned=True))) if middle else b""
    start = len(head) + len(movie(0)) + len(view) + 8
    return head + movie(start) + view + box(b"mdat", full, sensor)


def _track(start: int, size: int, places: bytes) -> bytes:
    wide = 8 if places == b"co64" else 4
    sizes = box(b"stsz", bytes(4), size.to_bytes(4, "big"), (1).to_bytes(4, "big"))
    table = box(b"stbl", sizes, box(places, bytes(4), (1).to_bytes(4, "big"), start.to_bytes(wide, "big")))
    return box(b"trak", box(b"mdia", box(b"minf", table)))


CAMERAS: dict[str, Callable[[], bytes]] = {
    "a.pef": pef,
    "a.srw": srw,
    "a.rw2": rw2,
    "a.orf": orf,
    "b.orf": lambda: orf(b"OM SYSTEM\0\0\0II\x04\0"),
    "c.orf": old_orf,
    "a.raf": raf,
    "a.cr3": cr3,
}
