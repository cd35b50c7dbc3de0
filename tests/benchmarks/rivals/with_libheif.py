"""Nothing but libheif's decoding of a HEIC: the floor under everybody who prepares one."""

from __future__ import annotations

from pathlib import Path

import pillow_heif
from turns import serve


def prepare(source: Path, out: Path) -> None:
    assert pillow_heif.open_heif(source).data


if __name__ == "__main__":
    serve(prepare)
