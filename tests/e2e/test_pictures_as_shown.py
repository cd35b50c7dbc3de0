"""What a browser paints of a picture is the rendition's own pixels, and the pointer meets the picture: nothing lies above it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import drawings
import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Locator, Page, expect
from showcase import Showcase, live, picture, served, video

MOST_LEVELS = 3.0
SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "desktop": {"viewport": {"width": 1280, "height": 800}},
}
# The colour that a picture stands on, by colour scheme.
RAISED = {"light": "#f2f5f3", "dark": "#1b1f1d"}
BLACK = dict.fromkeys(RAISED, "#000000")
# What is there to be read or pressed, in a corner of the picture or at its sides, and the browser's own controls.
HIDE_SIGNS = """() => {
  for (const sign of document.querySelectorAll('.length, .live, .beside')) sign.style.visibility = 'hidden'
  for (const video of document.querySelectorAll('video')) video.controls = false
}"""
# Like a browser that plays nothing by itself: the poster stays.
NOTHING_PLAYS = "HTMLMediaElement.prototype.play = () => Promise.reject(new Error('not now'))"
# Its picture or poster is decoded, and for a few frames it has not moved.
SETTLED = """async element => {
  await Object.assign(new Image(), { src: element.poster || element.currentSrc }).decode()
  await element.decode?.()
  let last
  for (let same = 0; same < 4; ) {
    await new Promise(requestAnimationFrame)
    const now = JSON.stringify(element.getBoundingClientRect())
    same = now === last ? same + 1 : 0
    last = now
  }
}"""
FACTS = """element => {
  const { left, top, right, bottom } = element.getBoundingClientRect()
  const fit = getComputedStyle(element).objectFit
  return { box: [left, top, right, bottom], fit, source: element.poster || element.currentSrc }
}"""
MEETS_POINTER = "(element, [x, y]) => document.elementFromPoint(x, y) === element"


@dataclass(frozen=True)
class Painting:
    """Where a rendition is painted, in pixels: `whole` of it, and what is `seen` where it is cropped or off the screen."""

    rendition: Image.Image
    whole: tuple[float, float, float, float]
    seen: tuple[int, int, int, int]

    @classmethod
    def of(cls, element: Locator, showcase: Showcase, screen: tuple[int, int]) -> Painting:
        facts = element.evaluate(FACTS)
        with Image.open(showcase.file(facts["source"])) as file:
            rendition = file.convert("RGBA")
        # Edges fall on whole pixels, as browsers paint them.
        left, top, right, bottom = map(round, facts["box"])
        width, height = (right - left), (bottom - top)
        if facts["fit"] in ("contain", "cover"):
            scales = width / rendition.width, height / rendition.height
            scale = min(scales) if facts["fit"] == "contain" else max(scales)
            width, height = rendition.width * scale, rendition.height * scale
        x, y = (left + right - width) / 2, (top + bottom - height) / 2
        seen = max(left, round(x), 0), max(top, round(y), 0)
        end = min(right, round(x + width), screen[0]), min(bottom, round(y + height), screen[1])
        return cls(rendition, (x, y, x + width, y + height), (*seen, *end))

    def expected(self, behind: Image.Image) -> Image.Image:
        """What is to be seen: the rendition as Pillow scales it, over what is behind it."""
        left, top, right, bottom = self.whole
        across, down = self.rendition.width / (right - left), self.rendition.height / (bottom - top)
        x, y, end, under = self.seen
        corner = max((x - left) * across, 0), max((y - top) * down, 0)
        opposite = min((end - left) * across, self.rendition.width), min((under - top) * down, self.rendition.height)
        scaled = self.rendition.resize(behind.size, Image.Resampling.LANCZOS, (*corner, *opposite))
        return Image.alpha_composite(behind.convert("RGBA"), scaled).convert("RGB")

    def points(self) -> list[tuple[float, float]]:
        """Its centre, and a little below its upper edge and above its lower one."""
        left, top, right, bottom = self.seen
        return [((left + right) / 2, top + (bottom - top) * part) for part in (0.5, 0.05, 0.95)]


@pytest.fixture(scope="module")
def showcase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showcase]:
    """A Live Photo at rest, a portrait as tall as a phone's screen, a see-through PNG, a video, a sensitive photo."""
    drawn, made = tmp_path_factory.mktemp("drawn"), tmp_path_factory.mktemp("made")
    dance = video(drawings.mov(drawn / "Dance.mov", 4, "1280x720"), made)
    pieces = [
        live(picture(drawings.mosaic(drawn / "Photo.jpg", 1, (1800, 1200)), "jpeg", made), dance),
        picture(drawings.mosaic(drawn / "Portrait.jpg", 2, (900, 1950)), "jpeg", made),
        picture(drawings.see_through(drawn / "Logo.png", 3), "png", made),
        dance,
        picture(drawings.mosaic(drawn / "Sensitive.jpg", 5, (1500, 1000)), "jpeg", made, sensitive=True),
    ]
    with served(pieces) as showcase:
        yield showcase


@pytest.fixture(params=SCREENS)
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(**SCREENS[request.param], reduced_motion="reduce")
    context.add_init_script(NOTHING_PLAYS)
    yield context.new_page()
    context.close()


def look(page: Page, element: Locator, showcase: Showcase, behind: dict[str, str]) -> dict[str, Any]:
    """How many levels each colour scheme's pixels are from the rendition, and the points where the pointer meets something else.

    `behind` is the colour that a see-through picture stands on, by colour scheme.
    """
    element.scroll_into_view_if_needed()
    element.evaluate(SETTLED)
    page.evaluate(HIDE_SIGNS)
    assert page.viewport_size
    painting = Painting.of(element, showcase, (page.viewport_size["width"], page.viewport_size["height"]))
    covered = [point for point in painting.points() if not element.evaluate(MEETS_POINTER, list(point))]
    levels = {}
    for scheme in RAISED:
        page.emulate_media(color_scheme=scheme)
        shown = seen(page, painting)
        levels[scheme] = difference(shown, painting.expected(Image.new("RGB", shown.size, behind[scheme])))
    return {**levels, "covered": covered}


def seen(page: Page, painting: Painting) -> Image.Image:
    left, top, right, bottom = painting.seen
    assert right - left > 40 and bottom - top > 40, "too little of it is on the screen"
    clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    return Image.open(BytesIO(page.screenshot(clip=clip))).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean over pixels and channels."""
    return round(sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3, 2)


def assert_as_rendered(looks: dict[str, dict[str, Any]]) -> None:
    wrong = {title: facts for title, facts in looks.items() if facts["covered"] or max(map(facts.get, RAISED)) >= MOST_LEVELS}
    assert looks and not wrong, f"{wrong}, of {looks}"


def press(page: Page, what: str) -> None:
    """Without a pointer, which would bring forth what is shown beneath one."""
    page.locator(what).evaluate_all("elements => elements.forEach(element => element.click())")


def test_the_review_page(showcase: Showcase, page: Page) -> None:
    page.goto(f"{showcase.origin}/review/link#secret")
    looks = {}
    for piece in showcase.pieces:
        expect(page.locator("#title")).to_have_text(piece.title)
        press(page, ".veil button")
        shown = page.locator("#stage > :is(img:not(.ground), video:not(.moving))")
        looks[piece.title] = look(page, shown, showcase, RAISED)
        page.keyboard.press("ArrowRight")
    assert_as_rendered(looks)


def test_an_items_own_page(showcase: Showcase, page: Page) -> None:
    looks = {}
    for piece in showcase.pieces:
        page.goto(f"{showcase.origin}/items/{piece.id}/")
        press(page, ".veil input")
        looks[piece.title] = look(page, page.locator(".frame").locator("img, video"), showcase, RAISED)
    assert_as_rendered(looks)


def test_the_tiles_of_an_album(showcase: Showcase, page: Page) -> None:
    page.goto(f"{showcase.origin}/albums/summer/")
    press(page, ".veil input")
    tiles = {piece.title: page.locator(f"[id='{piece.id}'] img") for piece in showcase.pieces}
    assert_as_rendered({title: look(page, tile, showcase, RAISED) for title, tile in tiles.items()})


def test_the_covers_of_albums(showcase: Showcase, page: Page) -> None:
    page.goto(showcase.origin)
    covers = page.locator(".albums li:not(.sensitive)")
    assert_as_rendered({cover.inner_text(): look(page, cover.locator("img"), showcase, RAISED) for cover in covers.all()})


def test_the_viewer(showcase: Showcase, page: Page) -> None:
    page.goto(f"{showcase.origin}/albums/summer/")
    press(page, ".veil input")
    press(page, "li:first-child > a.open")
    looks = {}
    for piece in reversed(showcase.pieces):
        expect(page.locator(".pswp__words")).to_have_text(piece.title)
        slide = page.locator(".pswp__item[aria-hidden=false]")
        expect(slide.locator(".pswp__img--placeholder")).to_have_count(0)
        looks[piece.title] = look(page, slide.locator("img, video"), showcase, BLACK)
        page.keyboard.press("ArrowRight")
    assert_as_rendered(looks)


def test_a_live_photo_on_the_review_page_moves_again_under_the_pointer(showcase: Showcase, browser: Browser) -> None:
    context = browser.new_context(viewport=SCREENS["desktop"]["viewport"])
    page = context.new_page()
    page.goto(f"{showcase.origin}/review/link#secret")
    film = page.locator("video.moving")
    expect(film).to_be_visible()
    expect(film).to_be_hidden(timeout=30_000)
    page.hover("#stage", position={"x": 300, "y": 300})
    expect(film).to_be_visible()
    context.close()
