"""What lies beside pictures in a real folder and is none itself: by-products of systems and programs, and sidecars.

`aws s3 sync` sends a folder as it is. What this list names becomes no item, whatever its content: the name alone is enough, for
nobody sends these on purpose. Sidecars often say where a picture was taken; one under another name is told by its content
(tasks/media/formats/sidecars.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PICTURES = "jpe?g|jfif|png|gif|webp|avif|bmp|tiff?|hei[cf]|dng|cr[23w]|nef|arw|raf|rw2|orf|pef|srw"
VIDEOS = "mp4?|mov|m4v|3gp|avi|mkv|webm|mpe?g|mts|wmv"
TAKEOUT_TAIL = ".supplemental-metadata"
# Google cuts the whole name at 51 characters, in the middle of this tail: `.supplemental-me.json`, `.su(1).json`.
CUT_TAILS = "|".join(re.escape(TAKEOUT_TAIL[:end]) for end in range(len(TAKEOUT_TAIL), 1, -1))


@dataclass(frozen=True)
class ByProduct:
    """One kind, and the names by which it is known. All names are lower case; a key matches in any case."""

    kind: Literal["by-product", "sidecar"]
    words: str  # what it is, as a contributor would say it
    folders: tuple[str, ...] = ()  # a folder of this name and all that is in it, at any depth
    names: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    pattern: str = ""  # searched in the whole key, where names and endings don't say it
    also: tuple[str, ...] = ()  # the pattern in a reader's words: names that it finds

    def matches(self, folders: list[str], name: str) -> bool:
        return (
            name in self.names
            or name.endswith(self.endings)
            or not set(self.folders).isdisjoint(folders)
            or bool(self.pattern and re.search(self.pattern, "/".join([*folders, name])))
        )


# The first that matches says why: the particular before the general.
BY_PRODUCTS: tuple[ByProduct, ...] = (
    ByProduct(
        "by-product",
        "what macOS keeps beside files",
        folders=(
            "__macosx",
            ".appledouble",
            ".spotlight-v100",
            ".fseventsd",
            ".temporaryitems",
            ".documentrevisions-v100",
        ),
        names=(".ds_store", "icon\r", ".localized", ".apdisk"),
        pattern=r"(^|/)\._[^/]*$",
        also=("._IMG_1.jpg",),
    ),
    ByProduct(
        "by-product",
        "what Windows keeps beside files",
        folders=("system volume information",),
        names=("thumbs.db", "thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
        endings=(".lnk",),
    ),
    ByProduct(
        "by-product",
        "a thumbnail or an index that a network drive made",
        folders=("@eadir", "@__thumb", ".@__thumb"),
        pattern=r"(^|/)syno(file|photo|video|index)_(thumb|film|media)[^/]*$",
        also=("SYNOFILE_THUMB_M.jpg", "SYNOINDEX_MEDIA_INFO"),
    ),
    ByProduct(
        "by-product",
        "what was thrown away, in a recycle bin or among a program's older versions",
        folders=(".trash", ".trashes", "$recycle.bin", "#recycle", "@recycle", ".dtrash", ".stversions"),
        pattern=r"(^|/)(\.trash-\d+/|\.trashed-[^/]*$)",
        also=(".Trash-1000/a.jpg", ".trashed-1760000000-a.jpg"),
    ),
    ByProduct(
        "by-product",
        "a thumbnail or a small copy that a camera or a program made of something else",
        folders=(".thumbnails", ".thumbs", "thmbnl", ".photostructure", ".photoprism"),
        names=("zbthumbnail.info", "pspbrwse.jbf"),
        endings=(".thm", ".lrv", ".lrf", ".lrprev"),
        pattern=r"\.lrdata/",
        also=("Holidays Previews.lrdata/a.jpg",),
    ),
    ByProduct(
        "by-product",
        "a camera's own index of its card",
        folders=("canonmsc", "nksc_param"),
        names=("autprint.mrk", "mediapro.xml"),
        endings=(".ctg", ".bdm", ".cpi", ".mpl", ".moi", ".pgi"),
    ),
    ByProduct(
        "by-product",
        "a picture program's own catalog or settings",
        folders=(".picasaoriginals",),
        names=(".picasa.ini", "picasa.ini", ".nomedia", "digikam4.db", "thumbnails-digikam.db"),
        endings=(".lrcat", ".cosessiondb"),
        # An Apple library's photographs are in its `originals` (once `Masters`), each beside many smaller copies.
        pattern=r"\.(lrcat[-.]|cocatalog/)|\.photoslibrary/(?!(originals|masters)/)",
        also=("Holidays.lrcat-data/a", "Photos.photoslibrary/resources/a.jpg"),
    ),
    ByProduct(
        "by-product",
        "a download, a copy or a document that was not finished when it was sent",
        endings=(".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".opdownload", ".download", ".aria2", "~"),
        pattern=r"(^|/)(~\$[^/]*$|[^/]*\.download/)",
        also=("~$letter.docx", "a.jpg.download/a.jpg"),
    ),
    ByProduct(
        "by-product",
        "what a synchronizing program or a version control keeps for itself",
        folders=(".git", ".svn", ".stfolder", ".sync", ".dropbox.cache", ".tmp.drivedownload", ".tmp.driveupload"),
        pattern=r"_\$folder\$$",
        also=("Summer_$folder$",),
    ),
    ByProduct(
        "sidecar",
        "what a picture program wrote beside a picture",
        endings=(
            *(".xmp", ".aae", ".pp3", ".arp", ".dop", ".on1", ".onphoto", ".acr", ".nksc", ".vrd", ".dr4"),
            *(".cos", ".cop", ".cot", ".cof", ".comask"),
        ),
        pattern=r"\.exposurex\d*$",
        also=("a.jpg.exposurex6",),
    ),
    ByProduct(
        "sidecar",
        "what Google Takeout wrote beside a picture or about an album",
        names=(
            "print-subscriptions.json",
            "shared_album_comments.json",
            "user-generated-memory-titles.json",
        ),
        pattern=rf"({CUT_TAILS}|\.({PICTURES}|{VIDEOS}))(\(\d+\))?\.json$|(^|/)metadata(\(\d+\))?\.json$",
        also=(
            "a.jpg.supplemental-metadata.json",
            "a.jpg.supplemental-me.json",
            "a.jpg.su(1).json",
            "a.jpg.json",
            "metadata.json",
        ),
    ),
    ByProduct("sidecar", "what a camera wrote beside a film", pattern=r"(^|/)c\d{4}m\d\d\.xml$", also=("C0001M01.XML",)),
    # `...and more.jpg` is none. A hidden folder counts only where it is named above: ".NET evening" may be an album.
    ByProduct("by-product", "a hidden file", pattern=r"(^|/)\.[^./][^/]*$", also=(".anything",)),
)


def left_out(key: str) -> str:
    """Why the upload under this key becomes no item, in words that follow `<its name> is `; "" when it becomes one."""
    found = by_product(key)
    if found is None:
        return ""
    if found.kind == "sidecar":
        return f"a sidecar ({found.words}): it may say where a picture was taken, and is never published"
    return f"a by-product ({found.words}): it is left out"


def by_product(key: str) -> ByProduct | None:
    """What the list says of a key, or of a path with `/` between its parts; None when it names no by-product."""
    *folders, name = key.lower().split("/")
    return next((each for each in BY_PRODUCTS if each.matches(folders, name)), None)


def known_by(row: ByProduct) -> Iterator[str]:
    """The names of one kind as a person reads them."""
    yield from (f"{name}/" for name in row.folders)
    yield from (repr(name)[1:-1] for name in row.names)
    yield from (f"*{ending}" for ending in row.endings)
    yield from row.also
