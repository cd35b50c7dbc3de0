"""Settings: every row from its environment variable, each as the type that it is declared as, and what is wrong told together."""

from __future__ import annotations

import pytest

from tasks.core.errors import SettingsMissing
from tasks.core.settings import Settings

REQUIRED = {
    "INBOX_BUCKET": "inbox",
    "WORK_BUCKET": "work",
    "SITE_BUCKET": "site",
    "AUDIT_BUCKET": "audit",
    "CATALOG_TABLE": "catalog",
    "SITE_URL_PARAMETER": "/greenroom/site-url",
}


def test_a_number_is_a_number_and_a_text_stays_one() -> None:
    found = Settings.read({**REQUIRED, "PAGE_SIZE": "12", "GALLERY_TITLE": "2026", "MAX_PIXELS": " 500 "})
    assert found.page_size + 1 == 13 and found.max_pixels == 500
    assert found.gallery_title == "2026"


def test_what_is_left_out_has_its_default_and_what_is_unknown_is_passed_over() -> None:
    found = Settings.read({**REQUIRED, "PATH": "/bin"})
    assert (found.inbox_bucket, found.review_code, found.presign_seconds) == ("inbox", "new-device", 900)


def test_all_that_is_missing_or_unreadable_is_named_together() -> None:
    with pytest.raises(SettingsMissing) as caught:
        Settings.read({"INBOX_BUCKET": "inbox", "WORK_BUCKET": "work", "PAGE_SIZE": "twelve"})
    words = str(caught.value)
    for name in ("SITE_BUCKET", "AUDIT_BUCKET", "CATALOG_TABLE", "SITE_URL_PARAMETER", "PAGE_SIZE", "twelve"):
        assert name in words
    assert "INBOX_BUCKET" not in words
