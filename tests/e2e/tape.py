"""A tape of ten minutes: drawn so that every frame tells its place, and read back frame by frame after it was published."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe

SIGNALS_EVERY = 60  # seconds; a white field and a beep of half a second
FIRST_SIGNAL = 37


@dataclass(frozen=True)
class Tape:
    """What is recorded: a patterned window that wanders over a quiet ground, signals, and a keyframe every 3.5 s."""

    width: int = 1920
    height: int = 1080
    rate: int = 10
    seconds: int = 600

    @property
    def frames(self) -> int:
        return self.rate * self.seconds

    @property
    def signals(self) -> list[float]:
        return [float(at) for at in range(FIRST_SIGNAL, self.seconds, SIGNALS_EVERY)]

    def record(self, path: Path) -> Path:
        """As no browser plays it (4:2:2), with open groups of pictures, so that every frame has to be encoded anew."""
        length = f"r={self.rate}:d={self.seconds}"
        window = f"testsrc2=s={self.width // 4}x{self.height // 4 // 2 * 2}:{length}"
        ground = f"color=0x406050:s={self.width}x{self.height}:{length}"
        wander = f"overlay=x='mod(n*24,{self.width * 3 // 4})':y='mod(n*10,{self.height * 3 // 4})'"
        first, every = FIRST_SIGNAL * self.rate, SIGNALS_EVERY * self.rate
        now = f"gte(n,{first})*lt(mod(n-{first},{every}),{self.rate // 2})"
        flash = f"color=white:s={self.width // 8}x{self.height // 8}:{length}[white];[both][white]overlay=enable='{now}'"
        tone = f"sin(6283*t)/2*gte(t,{FIRST_SIGNAL})*lt(mod(t-{FIRST_SIGNAL},{SIGNALS_EVERY}),0.5)"
        _ffmpeg(
            *("-f", "lavfi", "-i", f"{ground}[a];{window}[b];[a][b]{wander}[both];{flash}"),
            *("-f", "lavfi", "-i", f"aevalsrc='{tone}':s=16000:d={self.seconds}"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "28", "-pix_fmt", "yuv422p", "-g", self.rate * 7 // 2, "-bf", 2),
            *("-x264opts", "open-gop=1:scenecut=0", "-c:a", "pcm_s16le", path),
        )
        return path


def packets(path: Path, stream: str) -> list[tuple[Fraction, str]]:
    """When each packet of a stream is shown or heard, in seconds, and the checksum of its bytes; in the file's order."""
    said, _ = _ffmpeg("-i", path, "-map", stream, "-c", "copy", "-f", "framecrc", "-")
    base = re.search(r"#tb 0: (\S+)", said)
    assert base
    rows = [[part.strip() for part in line.split(",")] for line in said.splitlines() if not line.startswith("#")]
    return [(int(row[2]) * Fraction(base[1]), row[5]) for row in rows]


def pictures(path: Path, first: int, count: int, rate: int) -> list[str]:
    """The digest of each decoded frame from number `first` on."""
    begin = ("-ss", f"{max(0.0, (first - 0.5) / rate):.3f}")
    said, _ = _ffmpeg(*begin, "-i", path, "-map", "0:v:0", "-frames:v", count, "-f", "framehash", "-hash", "md5", "-")
    return [line.rsplit(",", 1)[1].strip() for line in said.splitlines() if not line.startswith("#")]


def signals_seen(path: Path, tape: Tape) -> list[float]:
    """The seconds at which the corner turns white."""
    corner = f"crop={tape.width // 16}:{tape.height // 16}:0:0,negate,blackdetect=d=0.2:pix_th=0.2"
    _, said = _ffmpeg("-v", "info", "-i", path, "-an", "-vf", corner, "-f", "null", "-")
    return [float(found) for found in re.findall(r"black_start:([\d.]+)", said)]


def signals_heard(path: Path, tape: Tape) -> list[float]:
    """The seconds at which a beep begins; the tape's end ends a silence too."""
    _, said = _ffmpeg("-v", "info", "-i", path, "-vn", "-af", "silencedetect=n=-30dB:d=0.3", "-f", "null", "-")
    return [at for found in re.findall(r"silence_end: ([\d.]+)", said) if (at := float(found)) < tape.seconds - 1]


def likeness(shown: Path, source: Path, frame: int, rate: int) -> tuple[float, float]:
    """SSIM of a frame and the two on either side to the source's frames of the same times: the least; and the most to those
    one frame later, which shows what a seam that is off by one would look like."""
    begin = ("-ss", f"{(frame - 2.5) / rate:.3f}")
    graph = (
        f"[0:v]split[a][b];[1:v]format=yuv420p,split[c][d];[d]setpts=PTS-1/{rate}/TB[e];"
        "[a][c]ssim=stats_file=same.log[x];[b][e]ssim=stats_file=late.log[y]"
    )
    maps = ("-map", "[x]", "-frames:v", 5, "-f", "null", "-", "-map", "[y]", "-frames:v", 4, "-f", "null", "-")
    folder = shown.parent
    _ffmpeg(*begin, "-i", shown, *begin, "-i", source, "-lavfi", graph, *maps, folder=folder)
    same, late = (
        [float(found) for found in re.findall(r"All:([\d.]+)", (folder / name).read_text())] for name in ("same.log", "late.log")
    )
    return min(same[:5]), max(late[:4])


def _ffmpeg(*arguments: object, folder: Path | None = None) -> tuple[str, str]:
    command = [get_ffmpeg_exe(), "-nostdin", "-y", "-v", "error", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600, cwd=folder)
    return done.stdout, done.stderr
