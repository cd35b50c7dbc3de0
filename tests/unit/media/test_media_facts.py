"""What a picture says of itself: when, with what, whose, and where only if the operator asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from media_samples import private_exif, quadrants
from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational

from tasks.media import Limits, inspect, make_renditions, metadata, place


def _xmp(inside: str = "", attributes: str = "") -> bytes:
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>'
        f'<rdf:Description rdf:about="" {attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def _taken(tmp_path: Path, limits: Limits, block: dict[int, Any] | None = None, xmp: bytes = b"") -> str:
    exif = Image.Exif()
    exif.get_ifd(metadata.EXIF_BLOCK).update(block or {})
    quadrants().save(tmp_path / "a.jpg", exif=exif, xmp=xmp)
    return inspect(tmp_path / "a.jpg", "a.jpg", limits).taken_at


@pytest.mark.parametrize(
    ("inside", "attributes", "expected"),
    [
        ("", 'exif:DateTimeOriginal="2024-05-04T10:11:12.345+02:00"', "2024-05-04T10:11:12+02:00"),
        ("", "photoshop:DateCreated='2024-05-04T10:11:12Z'", "2024-05-04T10:11:12+00:00"),
        ("<xmp:CreateDate>2024-05-04T10:11</xmp:CreateDate>", "", "2024-05-04T10:11:00"),
        ("", 'xmp:CreateDate="2024-05-04"', ""),
        ("", 'xmp:CreateDate="2024-13-44T99:99:99"', ""),
        ("", 'xmp:ModifyDate="2024-05-04T10:11:12"', ""),
    ],
)
def test_xmp_says_when_where_exif_is_silent(tmp_path: Path, limits: Limits, inside: str, attributes: str, expected: str) -> None:
    assert _taken(tmp_path, limits, xmp=_xmp(inside, attributes)) == expected


def test_the_shutter_counts_before_the_scanner(tmp_path: Path, limits: Limits) -> None:
    digitized = {0x9004: "2024:06:01 09:00:00"}
    assert _taken(tmp_path, limits, digitized) == "2024-06-01T09:00:00"
    xmp = _xmp(attributes='photoshop:DateCreated="1974-06-01T09:00:00"')
    assert _taken(tmp_path, limits, digitized, xmp) == "1974-06-01T09:00:00"
    assert _taken(tmp_path, limits, {**digitized, 0x9003: "1984:01:02 03:04:05"}, xmp) == "1984-01-02T03:04:05"


def test_the_time_of_a_file_or_of_its_last_change_is_never_taken_for_the_shutters(tmp_path: Path, limits: Limits) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2024:05:04 10:11:12"
    words = PngImagePlugin.PngInfo()
    words.add(b"tIME", bytes([7, 232, 5, 4, 10, 11, 12]))
    quadrants().save(tmp_path / "a.png", exif=exif, pnginfo=words)
    assert inspect(tmp_path / "a.png", "a.png", limits).taken_at == ""
    changed = 'xmp:ModifyDate="2024-05-04T10:11:12" xmp:MetadataDate="2024-05-04T10:11:12"'
    assert _taken(tmp_path, limits, {}, _xmp(attributes=changed)) == ""


@pytest.mark.parametrize(
    ("block", "lens", "exposure"),
    [
        (
            {0x829A: IFDRational(1, 250), 0x829D: IFDRational(28, 10), 0x8827: 100, 0x920A: IFDRational(57, 10), 0xA405: 26},
            "",
            "1/250 s, f/2.8, ISO 100, 26 mm",
        ),
        ({0x829A: IFDRational(25, 10), 0x8827: (3200, 0), 0xA434: "RF 50mm F1.2\0rest"}, "RF 50mm F1.2", "2.5 s, ISO 3200"),
        ({0xA432: (IFDRational(24), IFDRational(70), IFDRational(28, 10), IFDRational(28, 10))}, "24-70 mm f/2.8", ""),
        ({0xA432: (IFDRational(50), IFDRational(50), IFDRational(0, 0), IFDRational(0, 0))}, "50 mm", ""),
        ({0x829A: IFDRational(0, 0), 0x829D: IFDRational(1, 0), 0x8827: "many", 0xA432: "wide"}, "", ""),
    ],
)
def test_lens_and_exposure_in_words(tmp_path: Path, limits: Limits, block: dict[int, Any], lens: str, exposure: str) -> None:
    assert (metadata.lens(block), metadata.exposure(block)) == (lens, exposure)


def test_lens_and_exposure_reach_the_facts(tmp_path: Path, limits: Limits) -> None:
    exif = Image.Exif()
    exif.get_ifd(metadata.EXIF_BLOCK).update({0x829A: IFDRational(1, 60), 0xA434: "Gr\u00fcnglas 35".encode()})
    quadrants().save(tmp_path / "a.jpg", exif=exif)
    media = inspect(tmp_path / "a.jpg", "a.jpg", limits)
    assert (media.lens, media.exposure) == ("Grünglas 35", "1/60 s")


# ---- where ----


def test_where_it_was_is_said_only_to_who_asks(tmp_path: Path, limits: Limits) -> None:
    quadrants().save(tmp_path / "a.jpg", exif=private_exif())
    assert place(tmp_path / "a.jpg", "jpeg", limits) == "48.137222,11.575278"
    assert "48.1" not in str(inspect(tmp_path / "a.jpg", "a.jpg", limits))


@pytest.mark.parametrize(
    "gps",
    [
        {},
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
        {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (48.0, 8.0), 3: "E", 4: (11.0, 34.0, 31.0)},
        {1: "N", 2: (IFDRational(1, 0), 8.0, 0.0), 3: "E", 4: (11.0, 34.0, 31.0)},
    ],
)
def test_no_fix_is_no_place(tmp_path: Path, limits: Limits, gps: dict[int, Any]) -> None:
    exif = Image.Exif()
    exif.get_ifd(metadata.GPS_BLOCK).update(gps)
    quadrants().save(tmp_path / "a.jpg", exif=exif)
    assert place(tmp_path / "a.jpg", "jpeg", limits) == ""


def test_south_and_west_are_negative(tmp_path: Path, limits: Limits) -> None:
    exif = Image.Exif()
    exif.get_ifd(metadata.GPS_BLOCK).update({1: "S", 2: (33.0, 51.0, 0.0), 3: "W", 4: (70.0, 30.0, 0.0)})
    quadrants().save(tmp_path / "a.jpg", exif=exif)
    assert place(tmp_path / "a.jpg", "jpeg", limits) == "-33.850000,-70.500000"


# ---- whose ----


def _credits(path: Path) -> tuple[Any, Any, int]:
    with Image.open(path) as shown:
        exif = shown.getexif()
        return *(metadata.plain_text(exif.get(tag)) for tag in (metadata.ARTIST, metadata.COPYRIGHT)), len(exif)


def test_artist_and_copyright_stay_with_every_rendition(tmp_path: Path, out: Path, limits: Limits) -> None:
    exif = private_exif()
    exif[metadata.ARTIST], exif[metadata.COPYRIGHT] = "Ünal Grün".encode(), "© 2024 Ünal Grün".encode()
    quadrants().save(tmp_path / "a.jpg", exif=exif)
    for file in make_renditions(tmp_path / "a.jpg", "jpeg", out, limits).files:
        assert _credits(file.path) == ("Ünal Grün", "© 2024 Ünal Grün", 2)


def test_encoders_side_by_side_do_not_mix_up_what_they_were_told(tmp_path: Path, out: Path, limits: Limits) -> None:
    quadrants(330, 220).save(tmp_path / "plain.jpg", quality=80)
    with Image.open(tmp_path / "plain.jpg") as plain:
        tables = plain.quantization
    exif = Image.Exif()
    exif[metadata.ARTIST] = "Pat"
    quadrants(330, 220).save(tmp_path / "a.png", exif=exif)
    for _ in range(12):
        for file in make_renditions(tmp_path / "a.png", "png", out, limits).files:
            assert _credits(file.path) == ("Pat", "", 1)
            with Image.open(file.path) as shown:
                assert file.format == "webp" or shown.quantization == tables


def test_xmp_says_whose_it_is_where_exif_is_silent(tmp_path: Path, out: Path, limits: Limits) -> None:
    inside = (
        "<dc:creator><rdf:Seq><rdf:li>Pat &amp; Sam</rdf:li></rdf:Seq></dc:creator><dc:rights><rdf:Alt>"
        '<rdf:li xml:lang="x-default">Pat, all rights</rdf:li></rdf:Alt></dc:rights>'
    )
    quadrants().save(tmp_path / "a.jpg", xmp=_xmp(inside))
    for file in make_renditions(tmp_path / "a.jpg", "jpeg", out, limits).files:
        assert _credits(file.path) == ("Pat & Sam", "Pat, all rights", 2)


def test_a_credit_is_short_plain_text_whatever_was_written_there(tmp_path: Path, out: Path, limits: Limits) -> None:
    exif = Image.Exif()
    exif[metadata.ARTIST] = b"\x1b[31mPat\x07\r\n<b>" + b"x" * 9000
    quadrants().save(tmp_path / "a.jpg", exif=exif)
    artist = _credits(make_renditions(tmp_path / "a.jpg", "jpeg", out, limits).files[0].path)[0]
    with Image.open(make_renditions(tmp_path / "a.jpg", "jpeg", out, limits).files[0].path) as shown:
        whole = str(shown.getexif()[metadata.ARTIST])
    assert artist.startswith("[31mPat <b>xxx") and len(whole) == 200 and whole.isprintable()


def test_who_names_nobody_gets_no_exif_at_all(tmp_path: Path, out: Path, limits: Limits) -> None:
    quadrants().save(tmp_path / "a.jpg")
    assert all(b"Exif" not in file.path.read_bytes() for file in make_renditions(tmp_path / "a.jpg", "jpeg", out, limits).files)
