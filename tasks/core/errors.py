"""The errors that Greenroom raises, and what each one means to whoever meets it.

GreenroomError
 ├─ InvalidMedia      the upload is not media that Greenroom accepts; `reason` is for the contributor
 ├─ BadRequest        a caller's mistake; HTTP 400, command line exit code 2
 │   └─ NotFound      HTTP 404
 ├─ Unreadable        S3 has the object and does not let Greenroom read it; no retry helps, somebody has to act
 ├─ Conflict          somebody else's write won; HTTP 409
 ├─ Stale             what a step was told no longer holds (other bytes, other decision); never retried blindly
 ├─ Newer             what is stored was written by a newer Greenroom than this; no retry helps until it is updated
 └─ SettingsMissing   settings that the environment lacks, all of them named
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.core.models.location import Location


class GreenroomError(Exception):
    """Every error that Greenroom raises on purpose; `reason` says in words what is wrong and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidMedia(GreenroomError):
    """The upload is not media that Greenroom accepts; the reason is shown to the contributor."""


class BadRequest(GreenroomError):
    """The caller sent something that cannot be used; the reason says how to mend it."""


class NotFound(BadRequest):
    """What the caller named does not exist."""


class Unreadable(GreenroomError):
    """S3 has the object at `location` and does not let Greenroom read it; the reason is for the operator."""

    def __init__(self, reason: str, location: Location) -> None:
        super().__init__(reason)
        self.location = location


class Conflict(GreenroomError):
    """Another write came first; the reason names it."""


class Stale(GreenroomError):
    """What this step was told no longer holds."""


class Newer(GreenroomError):
    """A newer Greenroom wrote this; the reason says which version it has and which one is known here."""


class SettingsMissing(GreenroomError):
    """The environment lacks settings."""


def error_code(fault: Exception) -> str:
    """The AWS error code of a botocore ClientError, "" for anything else."""
    response = getattr(fault, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
