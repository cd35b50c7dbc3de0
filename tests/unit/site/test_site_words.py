"""Times, words and addresses, as people read them."""

from tasks.site import STATIC, view


def test_a_capture_time_keeps_the_cameras_own_clock():
    assert view.minute("2026-06-21T18:42:00+02:00") == "21 June 2026, 18:42"
    assert view.minute("2026-06-21T08:02:00Z") == "21 June 2026, 08:02"
    assert view.minute("last summer") == ""


def test_the_words_for_a_picture_come_from_its_title_and_labels(card):
    assert view.alt(card(1, title="Chelsea", labels=("Cat", "Pet"))) == "Chelsea: Cat, Pet"
    assert view.alt(card(1, title="Chelsea", labels=())) == "Chelsea"
    assert view.alt(card(4, "video", title=" ", labels=())) == "Video 4"


def test_a_line_of_pixels_does_not_break_the_grid(card):
    assert view.ratio(card(1, width=20_000, height=10)) == view.LARGEST_RATIO
    assert view.ratio(card(1, width=10, height=20_000)) == view.SMALLEST_RATIO
    assert view.ratio(card(1, width=0, height=0)) == 1.5


def test_rows_are_as_high_as_the_style_sheet_says():
    text = (STATIC / "site.css").read_text()
    assert f"--row: {view.ROW_PHONE}px" in text and f"--row: {view.ROW_WIDE}px" in text


def test_addresses_are_encoded_once():
    assert view.search_url("a&b=c #1 +") == "/search?q=a%26b%3Dc%20%231%20%2B"
    assert view.upload_url("Ärger/2026") == "/upload/?album=%C3%84rger%2F2026"
    assert view.album_url("a/../b", 3) == "/albums/a%2F..%2Fb/3/"


def test_only_pictures_stand_in_the_grid_never_a_download(card):
    names = {file.name for file in view.pictures(card(1, "video"))}
    assert names == {"320w", "640w", "1280w", "2048w"}
    assert view.pictures(card(1, "document")) == []
