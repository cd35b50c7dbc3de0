"""Settings as the environment says them: text becomes what each one is, and what cannot be meant is named, all of it together."""

import pytest

from tasks.core.errors import SettingsMissing
from tasks.core.settings import Settings

NEEDED = {
    name: name.lower()
    for name in (
        "INBOX_BUCKET",
        "WORK_BUCKET",
        "SITE_BUCKET",
        "AUDIT_BUCKET",
        "CATALOG_TABLE",
        "REVIEWS_TABLE",
        "SITE_URL_PARAMETER",
    )
}


def read(**more: str) -> Settings:
    return Settings.read({**NEEDED, **more})


def test_numbers_come_out_of_their_text():
    found = read(PAGE_SIZE="24", MODERATION_CONFIDENCE="0", PAIR_SECONDS="0")
    assert (found.page_size, found.moderation_confidence, found.pair_seconds) == (24, 0, 0)
    assert all(type(each) is int for each in (found.page_size, found.max_pixels))


def test_text_stays_text_also_where_it_looks_like_something_else():
    found = read(GALLERY_TITLE="2026", OPERATOR="null", MAIL_FROM="true")
    assert (found.gallery_title, found.operator, found.mail_from) == ("2026", "null", "true")


def test_what_is_not_said_has_its_default_and_what_is_not_ours_is_not_looked_at():
    assert read(PATH="/bin", UNKNOWN="1") == read()


def test_everything_that_lacks_or_cannot_be_meant_is_named_together():
    with pytest.raises(SettingsMissing) as raised:
        Settings.read({"WORK_BUCKET": "work", "PAGE_SIZE": "many", "REVIEW_CODE": "sometimes"})
    words = str(raised.value)
    assert all(name in words for name in ("INBOX_BUCKET", "CATALOG_TABLE", "PAGE_SIZE", "'many'", "REVIEW_CODE", "'sometimes'"))
    assert "WORK_BUCKET" not in words


@pytest.mark.parametrize(
    "wrong",
    [
        {"PAGE_SIZE": ""},
        {"PAGE_SIZE": "0"},
        {"PAGE_SIZE": "-1"},
        {"PAGE_SIZE": "1.5"},
        {"PAGE_SIZE": "0x10"},
        {"PAGE_SIZE": "\u0661"},  # a digit, and none that a program writes
        {"MODERATION_CONFIDENCE": "101"},
        {"LABEL_CONFIDENCE": "-1"},
        {"MODERATION_POLICY": "Hold"},
        {"KEEP_GPS": "true"},
        {"REVIEW_CODE": ""},
    ],
    ids=lambda wrong: "=".join(next(iter(wrong.items()))).encode("unicode_escape").decode(),
)
def test_what_cannot_be_meant_is_refused(wrong):
    with pytest.raises(SettingsMissing, match=next(iter(wrong))):
        read(**wrong)
