"""The media room: files in, files and facts out. It knows no AWS; every decoder runs in a sandbox of its own.

`inspect` says what a file is, `convert_image`, `make_renditions` and `still` make pictures; video lives in `tasks.media.video`,
so that who only needs pictures loads nothing of it.
"""

from tasks.media.formats import sniff
from tasks.media.inspection import expected_kind, inspect, place
from tasks.media.limits import Limits
from tasks.media.renditions import Converted, RenditionFile, Renditions, convert_image, make_renditions, still
from tasks.media.sandbox import Bounds, SandboxFault, workspace

__all__ = [
    "Bounds",
    "Converted",
    "Limits",
    "RenditionFile",
    "Renditions",
    "SandboxFault",
    "convert_image",
    "expected_kind",
    "inspect",
    "make_renditions",
    "place",
    "sniff",
    "still",
    "workspace",
]
