"""Raw pictures: shown through the largest JPEG that the camera put inside, with the facts of the raw file around it."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from media_samples import CANARY, corners, quadrants
from PIL import Image

from tasks.core.errors import InvalidMedia
from tasks.media import Limits, convert_image, inspect, make_renditions, place, sniff

REDUCED = {254: (4, (1,))}
Entry = tuple[int, Any]  # TIFF's type of the values, and the values; bytes stand for text


def _jpeg(width: int, height: int, turned: bool = False) -> bytes:
    body = io.BytesIO()
    picture = quadrants(width, height)
    (picture.transpose(Image.Transpose.ROTATE_90) if turned else picture).save(body, "JPEG", quality=90)
    return body.getvalue()


class Negative:
    """A raw file as cameras lay it out: directories by their names, pictures where they point to."""

    def __init__(self, order: str = "<") -> None:
        self.order = order
        self.body = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))

    def put(self, content: bytes) -> int:
        """Append `content`; returns where it stands."""
        self.body += bytes(len(self.body) % 2)
        self.body += content
        return len(self.body) - len(content)

    def directory(self, entries: dict[int, Entry], following: int = 0) -> int:
        """Append a directory; returns where it stands."""
        rows = b""
        for tag, (kind, values) in sorted(entries.items()):
            letter = {2: "s", 3: "H", 4: "I", 1: "B"}[kind]
            content = values if kind == 2 else struct.pack(f"{self.order}{len(values)}{letter}", *values)
            count = len(values)
            content = content.ljust(4, b"\0") if len(content) <= 4 else struct.pack(self.order + "I", self.put(content))
            rows += struct.pack(self.order + "HHI", tag, kind, count) + content
        table = struct.pack(self.order + "H", len(entries)) + rows + struct.pack(self.order + "I", following)
        return self.put(table)

    def begin(self, at: int) -> bytes:
        """The whole file, whose first directory stands at `at`."""
        self.body[4:8] = struct.pack(self.order + "I", at)
        return bytes(self.body)


FACTS: dict[int, Entry] = {271: (2, b"Greencam\0"), 272: (2, b"Greencam 3\0"), 274: (3, (6,))}


def _dng(order: str = "<", first_at_eight: bool = True) -> bytes:
    """A thumbnail first, then in two directories of its own the sensor's values, as lossless JPEG, and the large preview."""
    file = Negative(order)
    room = file.put(bytes(400)) if first_at_eight else 0
    sensor = b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB", 17, 14, 3000, 4000, 2) + CANARY.encode() + b"\xff\xd9"
    thumb, large = _jpeg(48, 32, turned=True), _jpeg(600, 400, turned=True)
    raw = file.directory({254: (4, (0,)), 259: (3, (7,)), 273: (4, (file.put(sensor),)), 279: (4, (len(sensor),))})
    view = file.directory({**REDUCED, 259: (3, (7,)), 273: (4, (file.put(large),)), 279: (4, (len(large),))})
    block = file.directory({0x9003: (2, b"2024:05:04 10:11:12\0"), 0x9011: (2, b"+02:00\0"), 0xA431: (2, CANARY.encode())})
    entries: dict[int, Entry] = {**REDUCED, **FACTS, 50706: (1, (1, 4, 0, 0)), 330: (4, (raw, view)), 0x8769: (4, (block,))}
    entries |= {513: (4, (file.put(thumb),)), 514: (4, (len(thumb),)), 0xC65A: (2, CANARY.encode())}
    at = file.directory(entries)
    if first_at_eight:  # where cameras write it: the registry looks at the beginning alone
        table = bytes(file.body[at:])
        file.body[room : room + len(table)] = table
        at = room
    return file.begin(at)


def _written(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_largest_preview_is_shown_upright_with_the_raw_files_facts(
    tmp_path: Path, out: Path, limits: Limits, order: str
) -> None:
    path = _written(tmp_path / "a.dng", _dng(order))
    media = inspect(path, "a.dng", limits)
    assert (media.kind, media.format, media.convert, media.width, media.height) == ("image", "raw", True, 600, 400)
    assert (media.taken_at, media.camera) == ("2024-05-04T10:11:12+02:00", "Greencam 3")
    assert media.note == "shows the preview that the camera put inside, 400 × 600"
    master = convert_image(path, "raw", tmp_path / "master.jpg", limits).file
    for file in [master, *make_renditions(master.path, master.format, out, limits).files]:
        assert corners(Image.open(file.path)) == "RGBW" and CANARY.encode() not in file.path.read_bytes()


def test_canons_first_directory_is_the_preview_itself(tmp_path: Path, limits: Limits) -> None:
    file = Negative()
    file.put(b"CR\x02\0" + bytes(200))
    large = _jpeg(300, 200)
    at = file.directory({273: (4, (file.put(large),)), 279: (4, (len(large),)), 271: (2, b"Canon\0")})
    table = bytes(file.body[at:])
    file.body[16 : 16 + len(table)] = table
    path = _written(tmp_path / "a.cr2", file.begin(16))
    assert (inspect(path, "a.cr2", limits).width, inspect(path, "a.cr2", limits).camera) == (300, "Canon")


def test_a_raw_file_without_a_preview_says_so(tmp_path: Path, limits: Limits) -> None:
    file = Negative()
    at = file.directory({**REDUCED, **FACTS})
    with pytest.raises(InvalidMedia, match="holds no preview that could be shown; export it as JPEG"):
        inspect(_written(tmp_path / "a.nef", file.begin(at)), "a.nef", limits)


def test_a_raw_file_that_is_cut_off_is_refused(tmp_path: Path, limits: Limits) -> None:
    whole = _dng(first_at_eight=True)
    with pytest.raises(InvalidMedia, match="cut off"):
        inspect(_written(tmp_path / "a.dng", whole[: len(whole) // 2]), "a.dng", limits)


def test_directories_that_point_at_each_other_end(tmp_path: Path, limits: Limits) -> None:
    file = Negative()
    at = file.directory({**REDUCED, **FACTS, 330: (4, tuple(range(8, 4000, 2)))}, following=8)
    with pytest.raises(InvalidMedia):
        inspect(_written(tmp_path / "a.nef", file.begin(at)), "a.nef", limits)


def test_a_preview_that_unfolds_beyond_the_limit_is_refused(tmp_path: Path, limits: Limits) -> None:
    body = _dng().replace(struct.pack(">HH", 600, 400), struct.pack(">HH", 60_000, 40_000))
    with pytest.raises(InvalidMedia, match="too many pixels: 2,400 MP, the limit is 120 MP"):
        inspect(_written(tmp_path / "a.dng", body), "a.dng", limits)


def test_where_a_raw_picture_was_taken_is_known_to_who_asks(tmp_path: Path, limits: Limits) -> None:
    assert place(_written(tmp_path / "a.dng", _dng()), "raw", limits) == ""


def test_a_scan_with_a_small_page_first_is_no_raw_picture() -> None:
    file = Negative()
    found = sniff(file.begin(file.directory(REDUCED)))
    assert found is not None and found.name == "tiff"
