"""Raw pictures: shown through the largest JPEG that the camera put inside, with the facts of the raw file around it."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from camera_samples import CAMERAS, FACTS, REDUCED, Entry, Negative, cr3, jpeg, raf, rw2
from media_samples import CANARY, corners, private_exif
from PIL import Image

from tasks.core.errors import InvalidMedia
from tasks.media import Limits, convert_image, inspect, place, sniff, still
from tasks.media.formats import HEAD


def _dng(order: str = "<", first_at_eight: bool = True) -> bytes:
    """A thumbnail first, then in two directories of its own the sensor's values, as lossless JPEG, and the large preview."""
    file = Negative(order)
    room = file.put(bytes(400)) if first_at_eight else 0
    sensor = b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB", 17, 14, 3000, 4000, 2) + CANARY.encode() + b"\xff\xd9"
    thumb, large = jpeg(48, 32, turned=True), jpeg(600, 400, turned=True)
    raw = file.directory({254: (4, (0,)), 259: (3, (7,)), 273: (4, (file.put(sensor),)), 279: (4, (len(sensor),))})
    view = file.directory({**REDUCED, 259: (3, (7,)), 273: (4, (file.put(large),)), 279: (4, (len(large),))})
    block = file.directory({0x9003: (2, b"2024:05:04 10:11:12\0"), 0x9011: (2, b"+02:00\0"), 0xA431: (2, CANARY.encode())})
    entries: dict[int, Entry] = {**REDUCED, **FACTS, 50706: (1, (1, 4, 0, 0)), 330: (4, (raw, view)), 0x8769: (4, (block,))}
    entries |= {513: (4, (file.put(thumb),)), 514: (4, (len(thumb),)), 0xC65A: (2, CANARY.encode())}
    at = file.directory(entries)
    return file.begin(at, room)  # at the beginning, where cameras write it: the registry looks no further


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
    made = convert_image(path, media.format, out / "master.jpg", limits)
    for file in (made.file, *made.renditions.files):
        assert corners(Image.open(file.path)) == "RGBW" and CANARY.encode() not in file.path.read_bytes()


def test_canons_first_directory_is_the_preview_itself(tmp_path: Path, limits: Limits) -> None:
    file = Negative()
    file.put(b"CR\x02\0" + bytes(200))
    large = jpeg(300, 200)
    at = file.directory({273: (4, (file.put(large),)), 279: (4, (len(large),)), 271: (2, b"Canon\0")})
    path = _written(tmp_path / "a.cr2", file.begin(at, 16))
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


def test_a_camera_set_to_adobe_rgb_is_followed_though_its_preview_does_not_say_so(tmp_path: Path, limits: Limits) -> None:
    """Only EXIF's interoperability block tells: the preview has no profile."""
    file = Negative()
    preview = io.BytesIO()
    Image.new("RGB", (300, 200), (100, 200, 100)).save(preview, "JPEG", quality=95)
    block = {0xA001: (3, (0xFFFF,)), 0xA005: (4, (file.directory({1: (2, b"R03\0")}),))}
    shown = file.picture(preview.getvalue())
    room = file.put(bytes(400))
    at = file.directory({**REDUCED, **FACTS, **shown, 0x8769: (4, (file.directory(block),))})
    path = _written(tmp_path / "a.nef", file.begin(at, room))
    master = still(path, "raw", tmp_path / "still.jpg", limits)
    with Image.open(master.path) as picture:
        red, green, blue = picture.convert("RGB").getpixel((100, 100))
    assert red < 60 and green > 195 and abs(blue - 97) < 10


# ---- each maker's own ----


@pytest.mark.parametrize("name", CAMERAS)
def test_every_cameras_preview_is_shown_upright_with_its_facts(tmp_path: Path, out: Path, limits: Limits, name: str) -> None:
    path = _written(tmp_path / name, CAMERAS[name]())
    media = inspect(path, name, limits)
    kind = {"pef": "raw", "srw": "raw"}.get(name[2:], name[2:])
    assert (media.kind, media.format, media.convert, media.width, media.height) == ("image", kind, True, 600, 400)
    assert (media.taken_at, media.camera) == ("2024-05-04T10:11:12+02:00", "Greencam 3")
    assert (media.lens, media.exposure) == ("Greenglass 35", "1/250 s")
    assert media.note == "shows the preview that the camera put inside, 400 × 600"
    assert place(path, media.format, limits) == "48.137222,11.575278"
    made = convert_image(path, media.format, out / "master.jpg", limits)
    for file in (made.file, *made.renditions.files):
        assert corners(Image.open(file.path)) == "RGBW" and CANARY.encode() not in file.path.read_bytes()


@pytest.mark.parametrize("name", CAMERAS)
def test_every_camera_file_that_is_cut_off_is_refused(tmp_path: Path, limits: Limits, name: str) -> None:
    whole = CAMERAS[name]()
    with pytest.raises(InvalidMedia, match=r"cut off|no preview"):
        inspect(_written(tmp_path / name, whole[: len(whole) // 2]), name, limits)


@pytest.mark.parametrize(
    ("parts", "width"), [({}, 600), ({"large": False}, 300), ({"large": False, "middle": False}, 48), ({"middle": False}, 600)]
)
def test_canons_largest_picture_is_shown_wherever_it_is(
    tmp_path: Path, limits: Limits, parts: dict[str, bool], width: int
) -> None:
    assert inspect(_written(tmp_path / "a.cr3", cr3(**parts)), "a.cr3", limits).width == width


def test_a_camera_file_without_a_preview_says_so(tmp_path: Path, limits: Limits) -> None:
    bare = {
        "a.cr3": cr3(large=False, middle=False, small=False),
        "a.raf": raf().replace(b"\xff\xd8\xff", b"\0\0\0"),
        "a.rw2": rw2().replace(b"\xff\xd8\xff", b"\0\0\0"),
        "a.orf": CAMERAS["a.orf"]().replace(b"OLYMPUS\0", b"SOMEONE\0"),
    }
    for name, body in bare.items():
        with pytest.raises(InvalidMedia, match="holds no preview that could be shown; export it as JPEG"):
            inspect(_written(tmp_path / name, body), name, limits)


def test_canons_raw_film_is_no_picture(tmp_path: Path, limits: Limits) -> None:
    with pytest.raises(InvalidMedia, match=r"raw film of Canon's, which cannot be converted; export it as H\.264 or HEVC"):
        inspect(_written(tmp_path / "a.crm", cr3(codec=b"CanonCRM0001")), "a.crm", limits)


@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
@pytest.mark.parametrize("size", [0, 1, 8, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("name", CAMERAS)
def test_numbers_that_lie_never_lead_out_of_the_file(tmp_path: Path, name: str, size: int) -> None:
    """Numbers all over the file in turn, in both orders: a preview, or words, and no other exception even outside the cage."""
    body = CAMERAS[name]()
    row = sniff(body[:HEAD])
    assert row is not None
    start = body.index(b"\xff\xd8\xff")
    for at in range(16, len(body) - 4, 14):
        order = "big" if at % 4 else "little"
        if start <= at < start + 4_000:
            continue
        path = _written(tmp_path / name, body[:at] + size.to_bytes(4, order) + body[at + 4 :])
        try:
            row.check(path)
            assert row.content(path).read(2) == b"\xff\xd8"
        except InvalidMedia as bad:
            assert "cut off" in bad.reason or "no preview" in bad.reason


def test_tracks_without_end_are_not_followed(tmp_path: Path, limits: Limits) -> None:
    body = cr3(large=False)
    at = body.index(b"moov") - 4
    deep = b"\0\0\0\x08trak" * 200_000
    size = int.from_bytes(body[at : at + 4], "big")
    whole = body[:at] + (size + len(deep)).to_bytes(4, "big") + body[at + 4 : at + size] + deep + body[at + size :]
    assert inspect(_written(tmp_path / "a.cr3", whole), "a.cr3", limits).width == 300


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture, which cannot be shown; export it as JPEG or PNG and upload that"),
        (b"\xff\x0a\xfa\x1f", "a JPEG XL picture"),
        (b"8BPS\0\1", "a Photoshop document, which cannot be shown; export it as JPEG or PNG and upload that"),
        (b"II\x1a\0\0\0HEAPCCDR", "an old raw picture of Canon's, which cannot be shown; export it as JPEG"),
        (b"\0MRM\0\0", "a raw picture of Minolta's"),
        (b"FOVb\0\0", "a raw picture of Sigma's"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_not_published_as_a_document(
    tmp_path: Path, limits: Limits, head: bytes, words: str
) -> None:
    path = _written(tmp_path / "a", head + private_exif().tobytes())
    with pytest.raises(InvalidMedia) as caught:
        inspect(path, "a", limits)
    assert caught.value.reason.startswith(words)
