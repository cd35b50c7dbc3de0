"""Takes from a finished MP4 what stands for it: a representative still, and a few seconds that move under a pointer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tasks.core.errors import InvalidMedia
from tasks.core.models.media import VideoFacts
from tasks.media import sandbox, transcoder, video_facts
from tasks.media.limits import Limits
from tasks.media.sandbox import Bounds

PREVIEW_SECONDS = 5.0
PREVIEW_WIDTH = 480
H264 = {"vcodec": "libx264", "preset": "veryfast", "crf": 28, "g": 60, "pix_fmt": "yuv420p"}
PREVIEW = {**H264, "maxrate": "800k", "bufsize": "1600k", **transcoder.NAMELESS}
POSTER_AT = (0.2, 0.5, 0.8, 0.0)  # of the duration, until a frame that is not black is found
POSTER_WINDOW = 3.0
BLACK = {"amount": 0, "threshold": 40}


def preview_size(width: int, height: int) -> tuple[int, int]:
    """480 wide, or as wide as the video where that is less; even."""
    narrow = max(2, min(PREVIEW_WIDTH, width) // 2 * 2)
    return narrow, max(2, round(height * narrow / width / 2) * 2)


def make_poster(program: str, video: Path, facts: VideoFacts, out: Path, limits: Limits) -> None:
    """A JPEG of the frame most like its neighbours, somewhere that is not black; the first frame when all is black."""
    for part in POSTER_AT:
        picture = transcoder.source("input", limits.pixels, ss=f"{facts.duration * part:.3f}", t=POSTER_WINDOW).video
        picture = picture.filter("blackframe", **BLACK)
        picture = picture.filter("metadata", "select", key="lavfi.blackframe.pblack", value=90, function="less")
        if one_frame(program, picture.filter("thumbnail", n=50), {"input": video}, out):
            return
    if not one_frame(program, transcoder.source("input", limits.pixels).video, {"input": video}, out):
        raise InvalidMedia("the video cannot be shown: no frame of it could be decoded")


def one_frame(program: str, picture: Any, files: dict[str, Path], out: Path, bounds: Bounds = transcoder.BOUNDS) -> bool:
    """Write the first frame that comes of a graph as a JPEG; False when none does."""
    picture = picture.filter("scale", out_range="pc").filter("format", "yuvj420p")
    options = {"frames:v": 1, "q:v": 3, "f": "image2", "update": 1, "map_metadata": -1, **transcoder.NAMELESS, "an": None}
    with sandbox.workspace() as folder:
        transcoder.run(program, picture.output("poster.jpg", **options), files, folder, bounds)
        made = folder / "poster.jpg"
        if not made.exists() or not made.stat().st_size:
            return False
        shutil.move(made, out)
    return True


def make_preview(program: str, video: Path, facts: VideoFacts, out: Path, limits: Limits) -> None:
    """A few seconds without sound, small enough to move under a pointer."""
    start = min(facts.duration * 0.1, max(0.0, facts.duration - PREVIEW_SECONDS))
    picture = transcoder.source("input", limits.pixels, ss=f"{start:.3f}", t=PREVIEW_SECONDS).video
    picture = picture.filter("scale", *preview_size(facts.width, facts.height)).filter("setsar", "1")
    options = {**PREVIEW, "r": str(min(facts.frame_rate, 30)), "an": None, **transcoder.CLEAN, "bsf:v": transcoder.NO_NOTES}
    with sandbox.workspace() as folder:
        transcoder.run(program, picture.output("preview.mp4", **options), {"input": video}, folder)
        must_have_picture(folder / "preview.mp4")
        shutil.move(folder / "preview.mp4", out)


def must_have_picture(path: Path) -> None:
    """Raises InvalidMedia when the encoder was given nothing."""
    try:
        found = path.exists() and path.stat().st_size and video_facts.read(path).codec
    except InvalidMedia:  # a container of ours without a track
        found = ""
    if not found:
        raise InvalidMedia("the video cannot be converted: no frame of it could be decoded")
