"""Writes an animated picture as animated WebP, in as many sizes as its frames allow. Runs in the sandbox's child."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.media import colour, pictures

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

# All frames of one size are held at once: 4 bytes a pixel make this 400 MB.
PIXELS_AT_ONCE = 100_000_000
SHORTEST = 20  # ms; browsers slow anything shorter down to 100
DEFAULT = 100


def save_animations(
    picture: Picture,
    wanted: list[tuple[str, int]],
    out: Path,
    options: dict[str, Any],
    fitted: Callable[[Picture, int], Picture],
) -> list[tuple[str, int]]:
    """Write `<name>.webp` for each size, largest first; returns the sizes that were written.

    A size whose frames together exceed what may be held at once is left out; the smallest is always written.
    """
    kept = [pair for pair in wanted if _pixels(picture, pair[1]) <= PIXELS_AT_ONCE] or wanted[-1:]
    loop = picture.info.get("loop", 1)  # a GIF that says nothing plays once
    profile, turn = colour.profile_of(picture), pictures.orientation(picture)
    frames: list[Picture] = []
    delays: list[int] = []
    for frame in _frames(picture):
        delays.append(_delay(frame))
        # Reduced one by one: the full-size frames are never all there together.
        small = fitted(pictures.to_srgb(pictures.plain(frame), profile), kept[0][1])
        frames.append(pictures.upright(small, turn))
    for name, size in kept:
        frames = [fitted(frame, size) for frame in frames]
        for frame in frames:
            frame.info.clear()
        frames[0].save(out / f"{name}.webp", save_all=True, append_images=frames[1:], duration=delays, loop=loop, **options)
    return kept


def _pixels(picture: Picture, long_side: int) -> int:
    ratio = min(1.0, long_side / max(picture.size))
    return int(picture.width * ratio * picture.height * ratio * getattr(picture, "n_frames", 1))


def _frames(picture: Picture) -> Iterator[Picture]:
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        picture.load()
        yield picture.copy()  # the file itself would go on to its next frame


def _delay(frame: Picture) -> int:
    """Milliseconds that a frame is shown."""
    delay = int(frame.info.get("duration") or 0)
    return delay if delay >= SHORTEST else DEFAULT
