"""What lies beside pictures in real folders: which keys become no item, and which do."""

import unicodedata

import pytest

from tasks.core.byproducts import BY_PRODUCTS, by_product, known_by, left_out

BY_PRODUCTS_IN_KEYS = [
    "Summer/@eaDir/IMG_1.jpg/SYNOFILE_THUMB_M.jpg",
    "Summer/@eaDir/IMG_1.jpg@SynoEAStream",
    "Summer/.DS_Store",
    "Summer/._IMG_1.jpg",
    "__MACOSX/Summer/._IMG_1.jpg",
    "Summer/Icon\r",
    "Summer/Thumbs.db",
    "Summer/ehthumbs.db",
    "Summer/desktop.ini",
    "System Volume Information/IndexerVolumeGuid",
    "DCIM/.thumbnails/1000004711.jpg",
    "DCIM/100GOPRO/GOPR0001.THM",
    "DCIM/100GOPRO/GL010001.LRV",
    "DJI_0001.LRF",
    "PRIVATE/M4ROOT/THMBNL/C0001T01.JPG",
    ".picasa.ini",
    "Summer/.nomedia",
    ".Trashes/501/IMG_1.jpg",
    ".Trash-1000/files/IMG_1.jpg",
    ".Spotlight-V100/Store-V2/x",
    ".fseventsd/0000",
    "Camera/.trashed-1760000000-IMG_1.jpg",
    "Camera/.pending-1760000000-IMG_1.jpg",
    "IMG_1.jpg.crdownload",
    "IMG_1.jpg.part",
    "~$menu.docx",
    "Lightroom/Holidays.lrcat",
    "Lightroom/Holidays.lrcat-data/00/ab",
    "Lightroom/Holidays Previews.lrdata/0/00/x.jpg",
    "Photos Library.photoslibrary/resources/derivatives/0/A.jpeg",
    "Summer_$folder$",
]
SIDECARS_IN_KEYS = [
    "IMG_1.xmp",
    "IMG_1.CR2.XMP",
    "IMG_1.AAE",
    "IMG_O0001.aae",
    "IMG_1.NEF.pp3",
    "IMG_1.NEF.dop",
    "IMG_1.on1",
    "C0001M01.XML",
    "Takeout/Google Photos/Summer/metadata.json",
    "Takeout/Google Photos/Summer/metadata(1).json",
    "IMG_1.HEIC.json",
    "IMG_1(2).JPG.json",
    "IMG_1.JPG(2).json",
    "IMG_1.HEIC.supplemental-metadata.json",
    "IMG_1.HEIC.supplemental-metadata(1).json",
    "PXL_20240504_101112345.jpg.supplemental-metada.json",
    "PXL_20240504_101112345.MP.jpg.supplemental-metad.json",
    "Screenshot_20240504-101112_Messages.jpg.suppl.json",
    "123456789123456789123456789123456789_DSCN0098.JPG.su(1).json",
    "123456789123456789123456789123456789_DSCN009.JPG.s.json",
    "IMG_1.supplemental-metadata.json",
]
UPLOADS = [
    "IMG_1.jpg",
    "Summer/IMG_1.HEIC",
    "../../etc/passwd.jpg",
    "./a.jpg",
    "...And Justice for All/01.mp3",
    "Summer/...and more.jpg",
    ".NET evening/IMG_1.jpg",
    "Thumbs/IMG_1.jpg",
    "eaDir.jpg",
    "xmp.jpg",
    "THM.JPG",
    "report.json",
    "metadata.pdf",
    "IMG_1.supplemental-metadata.jpg",
    "part.jpg",
    "a.part.jpg",
    "menu.xml",
    "film.srt",
    "walk.gpx",
    "Photos Library.photoslibrary/originals/0/0A1B.heic",
    "Masters.photoslibrary/Masters/2014/05/04/IMG_1.JPG",
    "a~b.jpg",
    "Summer",
]


@pytest.mark.parametrize("key", BY_PRODUCTS_IN_KEYS)
@pytest.mark.parametrize("form", [str, str.upper, str.lower], ids=["as it is", "upper", "lower"])
def test_a_by_product_is_known_in_any_case_and_at_any_depth(key, form):
    for each in (form(key), form(f"Été 2024/{key}"), unicodedata.normalize("NFD", f"Été/{key}")):
        assert by_product(each).kind == "by-product", each


@pytest.mark.parametrize("key", SIDECARS_IN_KEYS)
@pytest.mark.parametrize("form", [str, str.upper, str.lower], ids=["as it is", "upper", "lower"])
def test_a_sidecar_is_known_by_its_usual_name(key, form):
    assert by_product(form(f"Été/{key}")).kind == "sidecar"
    assert "never published" in left_out(form(key))


@pytest.mark.parametrize("end", range(2, len(".supplemental-metadata") + 1))
def test_takeouts_tail_is_known_wherever_google_cuts_it(end):
    tail = ".supplemental-metadata"[:end]
    for name in (f"IMG_1.jpg{tail}.json", f"IMG_1.jp{tail}.json", f"IMG_1.jpg{tail}(7).json"):
        assert by_product(name).kind == "sidecar", name


@pytest.mark.parametrize("key", UPLOADS)
def test_anything_else_is_an_upload(key):
    assert (by_product(key), left_out(key)) == (None, "")


@pytest.mark.parametrize("row", BY_PRODUCTS, ids=lambda row: row.words)
def test_what_the_reference_says_of_a_kind_is_found_as_that_kind(row):
    """Its page is made of these names; `*.thm` and `folder/` stand for files."""
    for name in known_by(row):
        example = name.replace("*", "a").replace("\\r", "\r") + ("a.jpg" if name.endswith("/") else "")
        assert by_product(example) is row, example


def test_every_word_in_the_list_is_lower_case():
    for row in BY_PRODUCTS:
        words = [*row.folders, *row.names, *row.endings]
        assert words == [word.lower() for word in words]
