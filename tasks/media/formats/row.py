"""What one row of the formats registry says, and how rows read the beginning of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tasks.core.models.renditions import Kind

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

HEAD = 4096  # bytes from the beginning of a file that `sniff` is given
OCTETS = "application/octet-stream"


@dataclass(frozen=True)
class Format:
    """One format: how it is told apart, what it is called, and what may decode it."""

    name: str  # as it stands in Media.format
    words: str  # as a contributor would say it: "a JPEG picture"
    kind: Kind
    content_type: str
    extensions: tuple[str, ...]  # lower case, with the dot; the first is the one we write
    sniff: Callable[[bytes], bool]  # from content alone
    convert: bool = False  # browsers don't show it: ConvertImage makes its master
    animates: bool = False  # may hold frames that are shown one after the other
    decoders: tuple[str, ...] = ()  # Pillow's names; any other decoder that Pillow picks is refused
    modules: tuple[str, ...] = ()  # imported before Pillow opens it
    setup: Callable[[], None] = lambda: None  # registers a decoder that does not come with Pillow
    check: Callable[[Path], None] = lambda path: None  # raises InvalidMedia when the file is cut off
    demuxer: str = ""  # ffmpeg's names, with commas, for what moves or sounds: all that it may open the file with
    content: Callable[[Path], Path | IO[bytes]] = lambda path: path  # what Pillow opens: the file, or a picture inside it
    complete: Callable[[Picture, Path], None] = lambda picture, path: None  # adds to `info` what Pillow leaves out
    note: Callable[[Picture], str] = lambda picture: ""  # what a person should know of what is shown, "" for nothing
    # Whether a file's facts are whole only after decoding: ValidateMedia then decodes it too, and does not read its header alone.
    decode_first: Callable[[Path], bool] = lambda path: False

    def load(self) -> None:
        """Import the decoder, so that a forked child finds it there."""
        for module in self.modules:
            import_module(module)
        self.setup()


def starts_with(*magics: bytes) -> Callable[[bytes], bool]:
    """Told apart by its first bytes."""
    return lambda head: head.startswith(magics)
