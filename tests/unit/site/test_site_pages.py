"""What each page says and shows, read back from its HTML."""

from base64 import b64encode
from io import BytesIO

import pytest
from html_facts import Page
from PIL import Image

from tasks.core.models.publication import PublicFile
from tasks.site import pages


def test_home_lists_albums_newest_first_as_they_come(site, album):
    page = Page(pages.home(site, [album(12, slug="b", title="Berlin"), album(3, slug="a", title="Athens")]))
    assert page.text.index("Berlin") < page.text.index("Athens")
    assert "2 albums, 15 items" in page.text
    assert page.all("a", href="/albums/b/") and page.all("a", href="/upload/")
    assert page.one("form", role="search")["action"] == "/search"


def test_an_empty_gallery_says_how_to_begin(site):
    page = Page(pages.home(site, []))
    assert "Nothing is here yet" in page.text
    assert page.all("a", href="/upload/")


def test_a_gallery_of_hundreds_of_albums_shows_the_newest_and_names_the_rest(site, album):
    page = Page(pages.home(site, [album(1, slug=f"a{number}", title=f"Album {number}") for number in range(300)]))
    assert len(page.all("img")) < 80
    assert all(page.all("a", href=f"/albums/a{number}/") for number in range(300))


def test_an_album_shows_its_newest_first_in_sizes_for_every_screen(site, album, card):
    page = Page(pages.album(site, album(3), [card(1), card(2, "video"), card(3)]))
    ids = [each["id"] for each in page.all("li") if "shot" in each.get("class", "")]
    assert ids == [card(3).id, card(2).id, card(1).id]
    webp = page.all("source", type="image/webp")[0]
    assert "320w.webp 320w" in webp["srcset"] and "1280w.webp 1280w" in webp["srcset"]
    assert all(each["width"] == "4000" and each["height"] == "3000" and each["alt"] for each in page.all("img"))


def test_the_first_row_is_loaded_at_once_and_the_rest_when_it_comes_into_sight(site, album, card):
    page = Page(pages.album(site, album(30), [card(number) for number in range(1, 31)]))
    eager = [each for each in page.all("img") if each.get("loading") != "lazy"]
    assert len(page.all("img")) == 30 and 1 <= len(eager) <= 6


def test_a_placeholder_stands_where_the_picture_will_be(site, album, card):
    page = Page(pages.album(site, album(1), [card(1)]))
    style = page.one("li", id=card(1).id)["style"]
    assert "--r: 1.3333" in style and "url(data:image/webp;base64,UklGR" in style


@pytest.mark.parametrize("opacity, shown", [(255, True), (100, False), (0, False)])
def test_a_see_through_placeholder_would_stay_visible_and_is_left_out(site, album, card, opacity, shown):
    picture, body = Image.new("RGBA", (24, 16), (200, 30, 30, 255)), BytesIO()
    picture.paste((30, 30, 200, opacity), (0, 0, 12, 16))
    picture.save(body, "WEBP", quality=30)
    placeholder = "data:image/webp;base64," + b64encode(body.getvalue()).decode()
    assert (placeholder in pages.album(site, album(1), [card(1, placeholder=placeholder)])) is shown


@pytest.mark.parametrize("broken", ["A==", "AAAAA", "UklGRiIAAABXRUJQVlA4WA"])
def test_a_placeholder_that_is_no_whole_webp_breaks_no_page(site, album, card, broken):
    assert pages.album(site, album(1), [card(1, placeholder=f"data:image/webp;base64,{broken}")])


def test_a_placeholder_that_is_no_inline_picture_is_left_out(site, album, card):
    for bad in ("data:image/svg+xml,<svg onload=alert(1)>", "https://evil.example/x.png", "data:image/webp;base64,AA);x:url(y"):
        page = Page(pages.album(site, album(1), [card(1, placeholder=bad)]))
        assert "url(" not in page.one("li", id=card(1).id)["style"]


def test_a_video_shows_its_length_and_moves_under_the_pointer(site, album, card):
    page = Page(pages.album(site, album(1), [card(1, "video")]))
    opened = page.one("a", href=card(1).url)
    assert opened["data-film"].endswith("-video.mp4") and opened["data-glimpse"].endswith("-preview.mp4")
    assert "12:34" in page.text
    assert page.all("time", datetime="PT754S")


def test_documents_are_listed_with_size_and_download(site, album, card):
    page = Page(pages.album(site, album(2), [card(1, "document", title="Programme"), card(2)]))
    assert "PDF, 482 kB" in page.text
    download = [each for each in page.all("a") if "download" in each]
    assert [each["href"] for each in download] == [f"/media/{card(1).id}/abc-file.pdf"]
    assert download[0]["aria-label"] == "Download Programme"


def test_sensitive_items_are_veiled_until_asked_for_and_in_no_preview(site, album, card):
    hidden = card(2, sensitive=True)
    page = Page(pages.album(site, album(2), [card(1), hidden]))
    assert len(page.all("input", type="checkbox")) == 1
    assert card(1).id in page.meta("og:image")
    alone = Page(pages.item(site, hidden))
    assert alone.meta("robots") == "noindex" and alone.meta("twitter:card") == "summary"
    assert not [each for _, each in alone.tags if each.get("property") == "og:image"]


def test_pages_of_an_album_have_stable_numbers(site, album, card):
    page = Page(pages.album(site, album(150), [card(number) for number in range(61, 121)], page=1, older=0, newer=2))
    assert page.one("a", rel="next")["href"] == "/albums/summer/0/"
    assert page.one("a", rel="prev")["href"] == "/albums/summer/2/"
    assert "61\u2013120" in page.text
    assert page.one("link", rel="canonical")["href"] == "https://gallery.example/albums/summer/1/"


def test_the_only_page_of_an_album_leads_nowhere_else(site, album, card):
    page = Page(pages.album(site, album(1), [card(1)]))
    assert not page.all("nav", **{"aria-label": "Pages of the album"})


def test_an_item_says_who_when_and_what(site, card):
    page = Page(pages.item(site, card(2, title="Chelsea"), older=card(1), newer=card(3), page=0))
    assert "Chelsea" in page.text and "21 June 2026, 18:42" in page.text and "4000 × 3000" in page.text
    assert page.all("a", href="/search?q=Green%20Grass") and page.all("a", href="/search?q=Ada")
    assert page.one("a", rel="next")["href"] == card(1).url and page.one("a", rel="prev")["href"] == card(3).url
    assert page.all("a", href=f"/albums/summer/0/#{card(2).id}")
    download = next(each for each in page.all("a") if "download" in each)
    assert download["href"].endswith("-2048w.jpg")


def test_a_shared_item_brings_its_picture_with_absolute_addresses(site, card):
    page = Page(pages.item(site, card(2, title="Chelsea")))
    assert page.meta("og:title") == page.meta("twitter:title") == "Chelsea"
    assert page.meta("og:url") == f"https://gallery.example{card(2).url}"
    assert page.meta("og:image") == f"https://gallery.example/media/{card(2).id}/abc-1280w.jpg"
    assert (page.meta("og:image:width"), page.meta("twitter:card")) == ("1280", "summary_large_image")
    assert page.meta("og:description") == "Photo by Ada in Summer: Cat, Green Grass."


def test_a_video_plays_in_its_page(site, card):
    page = Page(pages.item(site, card(2, "video")))
    video = page.one("video")
    assert "controls" in video and video["preload"] == "metadata" and video["poster"].endswith("-1280w.jpg")
    assert page.one("source", type="video/mp4")["src"].endswith("-video.mp4")
    assert page.meta("og:type") == "video.other" and page.meta("og:video").startswith("https://gallery.example/media/")


def recording(card, content_type):
    """A document that has a picture: a recording of 12 s."""
    waves = tuple(PublicFile(f"{w}w", f"media/x/abc-{w}w.jpg", "jpeg", "image/jpeg", w, w // 4, 9) for w in (320, 640, 1280))
    file = PublicFile("file", "media/x/abc-file.mp3", "mp3", content_type, 0, 0, 512_000)
    return card(3, "document", title="Evening song", duration=12.0, files=(file, *waves))


def test_a_recording_is_heard_and_shows_how_loud_it_is(site, album, card):
    song = recording(card, "audio/mpeg")
    page = pages.item(site, song)
    assert '<audio controls preload="metadata" src="/media/x/abc-file.mp3"' in page
    assert "abc-1280w.jpg" in page and 'property="og:image"' in page and 'class="paper"' not in page
    listed = pages.album(site, album(1), [song])
    assert "abc-320w.jpg" in listed and "0:12" in listed


def test_a_recording_that_browsers_do_not_play_is_only_offered(site, card):
    page = pages.item(site, recording(card, "audio/3gpp"))
    assert "<audio" not in page and "abc-file.mp3" in page and "abc-640w.jpg" in page


def test_a_document_is_offered_never_shown(site, card):
    page = Page(pages.item(site, card(2, "document")))
    assert not page.all("img") and not page.all("iframe") and not page.all("embed")
    assert any("download" in each for each in page.all("a"))


def test_no_capture_time_is_made_up(site, card):
    for nothing in ("", "yesterday"):
        assert "Taken" not in Page(pages.item(site, card(2, taken_at=nothing))).text


def test_search_answers_with_what_it_found(site, card):
    page = Page(pages.search(site, "cat", [card(1), card(2, "document")], [("Cat", 12), ("Dog", 3)]))
    assert "2 items match" in page.text and page.one("input", type="search")["value"] == "cat"
    assert page.one("a", href="/search?q=Cat")["aria-current"] == "true"
    assert "aria-current" not in page.one("a", href="/search?q=Dog")


def test_search_that_finds_nothing_says_so(site):
    assert "Nothing matches" in Page(pages.search(site, "zebra", [], [("Cat", 12)])).text


def test_search_says_when_there_is_more(site, card):
    found = [card(number) for number in range(1, pages.SEARCH_LIMIT + 1)]
    assert "The newest 60 that match" in Page(pages.search(site, "cat", found, [])).text


def test_the_upload_page_knows_the_limits_and_the_albums(site, album):
    page = Page(pages.upload(site, max_image_bytes=100_000_000, max_video_bytes=2_000_000_000, albums=[album()]))
    form = page.one("form", id="upload")
    assert (form["data-image-bytes"], form["data-video-bytes"]) == ("100000000", "2000000000")
    assert "up to 100 MB, videos up to 2 GB" in " ".join(page.text.split())
    assert page.all("option", value="Summer")


def test_the_page_for_what_is_missing_leads_home(site):
    page = Page(pages.not_found(site))
    assert page.all("a", href="/") and page.meta("robots") == "noindex"
