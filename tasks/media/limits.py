"""What one upload may cost: the bounds on bytes, pixels, frames and seconds that every decoder is held to."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.core import text
from tasks.core.errors import InvalidMedia
from tasks.core.settings import Settings

MOST_FRAMES_A_SECOND = 240  # slow motion as phones film it

# An animation may unfold to this many times the pixels of the largest picture: half a minute of 1080p.
LONG_ANIMATION = 20


@dataclass(frozen=True)
class Limits:
    """Bytes of a file, pixels of one picture or frame, frames of an animation, seconds of a video."""

    image_bytes: int = 100_000_000  # pictures and documents
    video_bytes: int = 2_000_000_000
    pixels: int = 120_000_000
    frames: int = 1_000
    seconds: int = 7_200

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that the operator set."""
        return cls(
            image_bytes=settings.max_image_bytes,
            video_bytes=settings.max_video_bytes,
            pixels=settings.max_pixels,
            frames=settings.max_frames,
            seconds=settings.max_video_seconds,
        )

    def check_bytes(self, size: int, kind: str) -> None:
        """Raises InvalidMedia for an empty file, or one larger than its kind may be."""
        if size == 0:
            raise InvalidMedia("the file is empty")
        limit = self.video_bytes if kind == "video" else self.image_bytes
        if size > limit:
            raise InvalidMedia(f"too large: {text.size(size)}, the limit is {text.size(limit)}")

    def check_pixels(self, pixels: int) -> None:
        """Raises InvalidMedia for a picture or frame that would unfold to more than is allowed."""
        if pixels > self.pixels:
            raise InvalidMedia(f"too many pixels: {_megapixels(pixels)}, the limit is {_megapixels(self.pixels)}")

    def check_frames(self, frames: int, pixels: int) -> None:
        """Raises InvalidMedia for an animation of more frames, each of `pixels`, than allowed, or of too many pixels in all."""
        if frames > self.frames:
            raise InvalidMedia(f"too many frames: {frames:,}, the limit is {self.frames:,}")
        most = self.pixels * LONG_ANIMATION
        if frames * pixels > most:
            found, allowed = _megapixels(frames * pixels), _megapixels(most)
            raise InvalidMedia(f"too many pixels in all its frames: {found}, the limit is {allowed}; upload it as a video")

    def check_video_frames(self, frames: int) -> None:
        """Raises InvalidMedia for a video of more frames than its seconds could show."""
        most = self.seconds * MOST_FRAMES_A_SECOND
        if frames > most:
            raise InvalidMedia(f"too many frames: {frames:,}, the limit is {most:,}")

    def check_seconds(self, seconds: float) -> None:
        """Raises InvalidMedia for a video that is longer than allowed."""
        if seconds > self.seconds:
            raise InvalidMedia(f"too long: {seconds:,.0f} s, the limit is {self.seconds:,} s")


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:,.1f} MP" if pixels < 10_000_000 else f"{pixels / 1e6:,.0f} MP"
