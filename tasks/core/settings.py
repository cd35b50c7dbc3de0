"""The settings, read from the environment once. No other module reads it.

docs/reference/settings.md is generated from this table, and the templates set exactly these names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from tasks.core.errors import SettingsMissing


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
    approval_seconds: int = setting("How long AwaitApproval waits before Expire.", 1_209_600)
    link_seconds: int = setting("How long a review link works; shorter than APPROVAL_SECONDS.", 1_123_200)
    review_code: str = setting("When the 6-digit code is asked for: new-device, always or never.", "new-device")
    moderation_policy: str = setting("What a moderation label does: hold (blurred until asked for) or reject.", "hold")
    moderation_confidence: int = setting("Lowest confidence, in percent, at which a moderation label counts.", 60)
    label_confidence: int = setting("Lowest confidence, in percent, at which a label is kept.", 55)
    max_image_bytes: int = setting("Largest image or document that is accepted.", 100_000_000)
    max_video_bytes: int = setting("Largest video that is accepted.", 2_000_000_000)
    max_pixels: int = setting("Most pixels in one picture or frame.", 120_000_000)
    max_video_seconds: int = setting("Longest video that is accepted.", 7_200)
    max_frames: int = setting("Most frames in one animated picture.", 1_000)
    keep_gps: str = setting("Whether the catalog, and nothing else, keeps where a picture or video was taken: no or yes.", "no")
    segment_seconds: int = setting("About how long one transcoded segment is.", 30)
    ffmpeg: str = setting("Path of the ffmpeg to use; empty: the one on PATH, else imageio-ffmpeg's.", "")
    pair_seconds: int = setting("How long after its arrival the film of a Live Photo waits for its picture.", 60)
    page_size: int = setting("Items on one album page; changing it later needs a rebuild.", 60)
    presign_seconds: int = setting("How long an upload's or a preview's presigned URL works.", 900)
    max_attempts: int = setting("Executions that the sweeper starts for one item before it gives up.", 5)
    origin_secret: str = setting("What CloudFront tells the endpoints; others are refused. Empty: anyone may come.", "")
    distribution_id: str = setting("CloudFront distribution whose indexes are invalidated; empty: none are.", "")

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Parse the environment; raises SettingsMissing naming every absent or unreadable one together."""
        source = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for row in fields(cls):
            name = row.name.upper()
            text = source.get(name)
            if text is None:
                if row.metadata["required"]:
                    wrong.append(f"{name} ({row.metadata['doc']})")
            elif row.type == "int":
                if text.strip().lstrip("-").isdigit():
                    values[row.name] = int(text)
                else:
                    wrong.append(f"{name} (must be a whole number, is {text!r})")
            else:
                values[row.name] = text
        if wrong:
            raise SettingsMissing("settings missing or unreadable: " + "; ".join(wrong))
        return cls(**values)


@cache
def settings() -> Settings:
    """This process's settings."""
    return Settings.read()
