"""The settings, read from the environment once. No other module reads it.

docs/reference/settings.md is generated from this table, and the templates set exactly these names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

from tasks.core.errors import SettingsMissing

Count = Annotated[int, msgspec.Meta(ge=1)]
CodePolicy = Literal["new-device", "always", "never"]
ModerationPolicy = Literal["hold", "reject"]
NoYes = Literal["no", "yes"]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


def setting(doc: str, default: str | int | None = None) -> Any:
    """One row: its documentation and, where it may be absent, its default."""
    metadata = {"doc": doc, "required": default is None}
    return field(metadata=metadata) if default is None else field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """What a function is told about its surroundings. Each field is the environment variable of the same name in capitals."""

    inbox_bucket: str = setting("Bucket that uploads arrive in; versioned.")
    work_bucket: str = setting("Private bucket for masters, renditions and segments before approval.")
    site_bucket: str = setting("Bucket that CloudFront serves.")
    audit_bucket: str = setting("Write-once bucket for execution histories.")
    catalog_table: str = setting("DynamoDB table of items, albums and labels.")
    reviews_table: str = setting("DynamoDB table of reviews, decisions, review links and approvers.")
    site_url_parameter: str = setting("SSM parameter with the site's public URL (the distribution is made after its functions).")
    machine_name: str = setting("Name of the ingest state machine.", "greenroom-ingest")
    operator: str = setting("Mail address told of failures and escalations; the first approver when empty.", "")
    mail_from: str = setting("Sender of Greenroom's mails; an SES identity.", "")
    gallery_title: str = setting("Name at the top of the site and the mails.", "Greenroom")
    approval_seconds: Count = setting("How long AwaitApproval waits before Expire.", 1_209_600)
    link_seconds: Count = setting("How long a review link works; shorter than APPROVAL_SECONDS.", 1_123_200)
    review_code: CodePolicy = setting("When the 6-digit code is asked for: new-device, always or never.", "new-device")
    moderation_policy: ModerationPolicy = setting(
        "What a moderation label does: hold (blurred until asked for) or reject.", "hold"
    )
    moderation_confidence: Percent = setting("Lowest confidence, in percent, at which a moderation label counts.", 60)
    label_confidence: Percent = setting("Lowest confidence, in percent, at which a label is kept.", 55)
    max_image_bytes: Count = setting("Largest image or document that is accepted.", 100_000_000)
    max_video_bytes: Count = setting("Largest video that is accepted.", 2_000_000_000)
    max_pixels: Count = setting("Most pixels in one picture or frame.", 120_000_000)
    max_video_seconds: Count = setting("Longest video that is accepted.", 7_200)
    max_frames: Count = setting("Most frames in one animated picture.", 1_000)
    keep_gps: NoYes = setting("Whether the catalog, and nothing else, keeps where a picture or video was taken: no or yes.", "no")
    segment_seconds: Count = setting("About how long one transcoded segment is.", 30)
    ffmpeg: str = setting("Path of another ffmpeg (9 or newer) than the one that comes along; PATH is not searched.", "")
    pair_seconds: int = setting("How long after its arrival the film of a Live Photo waits for its picture.", 60)
    page_size: Count = setting("Items on one album page; changing it later needs a rebuild.", 60)
    presign_seconds: Count = setting("How long an upload's or a preview's presigned URL works.", 900)
    max_attempts: Count = setting("Executions that the sweeper starts for one item before it gives up.", 5)
    origin_secret: str = setting("What CloudFront tells the endpoints; others are refused. Empty: anyone may come.", "")

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Parse the environment; raises SettingsMissing naming every absent or unreadable one together."""
        source = os.environ if environment is None else environment
        kinds = get_type_hints(cls, include_extras=True)
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for row in fields(cls):
            name = row.name.upper()
            if name in source:
                try:
                    values[row.name] = msgspec.convert(source[name], kinds[row.name], strict=False)
                except msgspec.ValidationError as fault:
                    wrong.append(f"{name} (is {source[name]!r}: {fault})")
            elif row.metadata["required"]:
                wrong.append(f"{name} ({row.metadata['doc']})")
        if wrong:
            raise SettingsMissing("settings missing or unreadable: " + "; ".join(wrong))
        return cls(**values)


@cache
def settings() -> Settings:
    """This process's settings."""
    return Settings.read()
