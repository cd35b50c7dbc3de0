"""What cameras and programs write beside a picture stays behind: marked facts are looked for in every byte that is made."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from camera_samples import CAMERAS
from media_samples import CANARY, made_of, private_exif, quadrants
from PIL import Image, PngImagePlugin, TiffImagePlugin

from tasks.media import Limits, metadata, still

MARK = CANARY.encode()
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description aux:SerialNumber="{CANARY}"/>{CANARY}</x:xmpmeta>'.encode()
# What may not be left either: the blocks in which such facts stand, and the facts of the fixture that bear no mark.
TRACES = (MARK, MARK[::-1], CANARY.encode("utf-16-le"), b"Greencam", b"xmpmeta", b"2024:05:04", b"Photoshop", b"ns.adobe.com")


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def _jpeg(width: int = 96, **options: Any) -> bytes:
    body = io.BytesIO()
    quadrants(width).save(body, "JPEG", **options)
    return body.getvalue()


def jpeg() -> bytes:
    """EXIF with a thumbnail, XMP standard and extended, IPTC in Photoshop's block, comments, unknown segments, and a tail."""
    exif = private_exif().tobytes()
    plain = _jpeg()
    iptc = b"\x1c\x02\x78" + len(MARK).to_bytes(2, "big") + MARK
    resource = b"8BIM\x04\x04\0\0" + len(iptc).to_bytes(4, "big") + iptc
    segments = _segment(0xE1, exif + _jpeg(comment=MARK))
    segments += _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)
    segments += _segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 40 + XMP)
    segments += _segment(0xED, b"Photoshop 3.0\0" + resource) + _segment(0xFE, MARK) + _segment(0xEB, b"JP\0\0" + MARK)
    segments += _segment(0xE2, b"ICC_PROFILE\0\1\1" + _private_profile())
    return plain[:2] + segments + plain[2:] + MARK


def _private_profile() -> bytes:
    """Display P3 as far as its numbers go, with a mark in its description."""
    from tasks.media import colour

    return colour.coded(12, 13).replace(b"made by Greenroom", MARK.ljust(17, b"."))


def mpo() -> bytes:
    body = io.BytesIO()
    second = Image.new("RGB", (96, 64))
    second.info["comment"] = MARK
    quadrants().save(body, "MPO", save_all=True, append_images=[second], exif=private_exif())
    return body.getvalue() + MARK


def _png_words() -> PngImagePlugin.PngInfo:
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", CANARY)
    words.add_text("Author", CANARY, zip=True)
    words.add_itxt("XML:com.adobe.xmp", XMP.decode())
    words.add_itxt("Title", CANARY, zip=True)
    words.add(b"prVt", MARK, after_idat=True)
    return words


def png() -> bytes:
    body = io.BytesIO()
    quadrants().save(body, "PNG", pnginfo=_png_words(), exif=private_exif())
    return body.getvalue() + MARK


def apng() -> bytes:
    body = io.BytesIO()
    more = [Image.new("RGB", (96, 64), "blue")]
    quadrants().save(body, "PNG", pnginfo=_png_words(), exif=private_exif(), save_all=True, append_images=more, duration=80)
    return body.getvalue()


def gif() -> bytes:
    """A comment before each frame, and application blocks of others beside the loop's."""
    frames = [Image.new("P", (32, 32), number) for number in (1, 2)]
    body = io.BytesIO()
    frames[0].save(body, "GIF", save_all=True, append_images=frames[1:], comment=MARK, loop=0, duration=80)
    block = b"!\xff\x0bXMP DataXMP" + bytes([len(XMP[:250])]) + XMP[:250] + b"\0"
    at = body.getvalue().index(b"!\xff\x0bNETSCAPE2.0")
    return body.getvalue()[:at] + block + body.getvalue()[at:-1] + b"!\xfe" + bytes([len(MARK)]) + MARK + b"\0;"


def webp() -> bytes:
    body = io.BytesIO()
    quadrants().save(body, "WEBP", exif=private_exif(), xmp=XMP)
    return body.getvalue()


def moving_webp() -> bytes:
    body = io.BytesIO()
    more = [Image.new("RGB", (96, 64), "blue")]
    quadrants().save(body, "WEBP", exif=private_exif(), xmp=XMP, save_all=True, append_images=more, duration=80)
    return body.getvalue()


def heic() -> bytes:
    """EXIF and XMP items, a second picture with facts of its own, and boxes that nobody knows."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    body = io.BytesIO()
    second = Image.new("RGB", (64, 64))
    second.info.update(exif=private_exif().tobytes(), xmp=XMP)
    quadrants().save(body, "HEIF", exif=private_exif().tobytes(), xmp=XMP, save_all=True, append_images=[second])
    return body.getvalue() + (len(MARK) + 8).to_bytes(4, "big") + b"free" + MARK


def avif() -> bytes:
    body = io.BytesIO()
    quadrants().save(body, "AVIF", exif=private_exif(), xmp=XMP, speed=10)
    return body.getvalue() + (len(MARK) + 24).to_bytes(4, "big") + b"uuid" + bytes(16) + MARK


def moving_avif() -> bytes:
    body = io.BytesIO()
    more = [Image.new("RGB", (96, 64), "blue")]
    quadrants().save(body, "AVIF", exif=private_exif(), xmp=XMP, speed=10, save_all=True, append_images=more, duration=80)
    return body.getvalue() + (len(MARK) + 24).to_bytes(4, "big") + b"uuid" + bytes(16) + MARK


def tiff() -> bytes:
    """Tags of every kind, and a second page."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (269, 270, 285, 305, 316):
        tags[tag] = CANARY
    for tag, kind in ((700, 1), (33723, 7), (34377, 1), (50341, 7), (65000, 2)):
        tags.tagtype[tag] = kind
        tags[tag] = XMP if tag == 700 else CANARY if kind == 2 else MARK
    body = io.BytesIO()
    quadrants().save(body, "TIFF", tiffinfo=tags, exif=private_exif(), save_all=True, append_images=[quadrants(48)])
    return body.getvalue() + MARK


def bmp() -> bytes:
    body = io.BytesIO()
    quadrants().save(body, "BMP")
    return body.getvalue() + MARK


def jp2() -> bytes:
    body = io.BytesIO()
    quadrants().save(body, "JPEG2000", comment=MARK)
    boxes = ((b"xml ", XMP), (b"uuid", b"JpgTiffExif->JP2" + private_exif().tobytes()[6:]))
    return body.getvalue() + b"".join((len(content) + 8).to_bytes(4, "big") + kind + content for kind, content in boxes)


def dng() -> bytes:
    """A raw file whose one directory says everything and whose preview has comments."""
    import struct

    preview = _jpeg(120, comment=MARK, exif=private_exif(), xmp=XMP)
    entries = [(254, 4, 1, 1), (271, 2, len(MARK) + 1, 0), (513, 4, 1, 0), (514, 4, 1, len(preview)), (50706, 1, 4, 1025)]
    start = 8 + 2 + 12 * len(entries) + 4
    places = {271: start, 513: start + len(MARK) + 1}
    rows = b"".join(struct.pack("<HHII", tag, kind, count, places.get(tag, value)) for tag, kind, count, value in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + rows + bytes(4) + b"Pal Cam \0".ljust(len(MARK) + 1) + preview


WRITERS: dict[str, Callable[[], bytes]] = {
    "a.jpg": jpeg,
    "b.mpo": mpo,
    "c.png": png,
    "d.apng": apng,
    "e.gif": gif,
    "f.webp": webp,
    "g.webp": moving_webp,
    "h.heic": heic,
    "i.avif": avif,
    "j.tif": tiff,
    "k.bmp": bmp,
    "l.jp2": jp2,
    "m.dng": dng,
    "n.avif": moving_avif,
    **CAMERAS,
}


def _shown(path: Path, out: Path, limits: Limits) -> list[Path]:
    """Everything that is made of a file: what recognition sees, its master, its renditions."""
    media, master, made = made_of(path, out, limits)
    seen = still(path, media.format, out / "still.jpg", limits)
    return [file.path for file in (seen, *([master] if master else []), *made.files)]


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_private_is_in_what_is_shown(tmp_path: Path, out: Path, limits: Limits, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(WRITERS[name]())
    assert MARK in path.read_bytes(), "the fixture holds no canary: this would prove nothing"
    for file in _shown(path, out, limits):
        body = file.read_bytes()
        with Image.open(file) as picture:
            assert not dict(picture.getexif()), file.name
            assert not {"comment", "xmp", "exif", "photoshop", "XML:com.adobe.xmp", "mp"} & set(picture.info), file.name
        if file.name != "master.jpg":
            assert b"ICC_PROFILE" not in body and b"ICCP" not in body, file.name
        assert not [trace for trace in (*TRACES, b"Exif\0") if trace in body], file.name
        assert not [trace for trace in TRACES if trace in _unfolded(body)], file.name


def _unfolded(body: bytes) -> bytes:
    """What zlib can make of each place that looks like its beginning."""
    found = b""
    for start in (at for at in range(len(body) - 1) if body[at] == 0x78 and body[at + 1] in (0x01, 0x5E, 0x9C, 0xDA)):
        unfold = zlib.decompressobj()
        try:
            found += unfold.decompress(body[start:], 100_000)
        except zlib.error:
            continue
    return found


@pytest.mark.parametrize("name", ["a.jpg", "c.png", "f.webp", "j.tif", "h.heic", "i.avif"])
def test_a_name_that_is_meant_to_stay_brings_nothing_along(tmp_path: Path, out: Path, limits: Limits, name: str) -> None:
    exif = private_exif()
    exif[metadata.ARTIST] = "Pat Green"
    block: Any = exif.tobytes() if name.endswith("heic") else exif
    if name.endswith("heic"):
        import pillow_heif

        pillow_heif.register_heif_opener()
    quadrants().save(tmp_path / name, exif=block)
    for file in _shown(tmp_path / name, out, limits):
        with Image.open(file) as picture:
            kept = {tag: metadata.plain_text(value) for tag, value in picture.getexif().items()}
        assert kept == ({} if file.name == "still.jpg" else {metadata.ARTIST: "Pat Green"}), file.name
        assert not [trace for trace in TRACES if trace in file.read_bytes()], file.name
