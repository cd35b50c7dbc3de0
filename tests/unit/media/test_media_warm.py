"""A worker's children find everything imported: what one of them imports is gone with it, and the next one imports it again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from media_samples import private_exif, quadrants

ROOT = Path(__file__).parents[3]
IN_A_NEW_WORKER = """
import sys
from pathlib import Path
from tasks.media import inspection, Limits, pictures, renditions, sandbox
from tasks.media.formats import by_name

def news(job, *arguments):
    before = set(sys.modules)
    job(*arguments)
    return sorted(set(sys.modules) - before)

source, row = Path(sys.argv[1]), by_name(sys.argv[2])
pictures.warm(row)
make = renditions._convert if row.convert else renditions._render
with sandbox.workspace() as out:
    looked = sandbox.run(news, inspection._look, source, row, Limits(), directory=out)
    made = sandbox.run(news, make, source, row, out / "master.jpg" if row.convert else out, Limits(), directory=out)
    assert (out / "320w.webp").exists()
print(*looked, *made)
"""


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.heic"])
def test_a_child_imports_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    quadrants().save(path, exif=private_exif())
    format = {"jpg": "jpeg"}.get(path.suffix[1:], path.suffix[1:])
    done = subprocess.run(
        [sys.executable, "-c", IN_A_NEW_WORKER, path, format], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []
