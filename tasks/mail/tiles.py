"""The small pictures of a contact sheet, all of one shape, as JPEG bytes without any metadata."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps, UnidentifiedImageError

WIDTH, HEIGHT = 320, 240
# A sensitive picture keeps this many pixels across before it is stretched again: nothing of it can be brought back.
BLURRED = (8, 6)
QUALITY = 80


def picture_tile(jpeg: bytes, *, sensitive: bool = False, video: bool = False) -> bytes:
    """The whole picture on a ground of its own colours; blurred beyond recognition when sensitive, with a sign for video.

    Bytes that are no JPEG become a tile that says so: a mail that lacks a picture is better than no mail.
    """
    try:
        picture = Image.open(BytesIO(jpeg), formats=["JPEG"]).convert("RGB")
    except (UnidentifiedImageError, OSError):
        return file_tile("?")
    tile = _unrecognizable(picture) if sensitive else _whole(picture)
    if video:
        _play_sign(tile)
    return _jpeg(tile)


def file_tile(ending: str) -> bytes:
    """A sheet of paper with the ending of a file's name."""
    tile = Image.new("RGB", (WIDTH * 2, HEIGHT * 2), "#e4e9e4")
    draw = ImageDraw.Draw(tile)
    left, top, right, bottom, fold = 220, 80, 420, 400, 60
    draw.polygon([(left, top), (right - fold, top), (right, top + fold), (right, bottom), (left, bottom)], fill="#ffffff")
    draw.polygon([(right - fold, top), (right - fold, top + fold), (right, top + fold)], fill="#c4cfc6")
    for row in range(3):
        draw.rounded_rectangle((left + 34, 190 + row * 34, right - 34, 200 + row * 34), 5, fill="#e4e9e4")
    word = (ending.upper()[:5] or "FILE").encode("ascii", "replace").decode()
    draw.text((WIDTH, 348), word, fill="#1f6f4a", font=ImageFont.load_default(48), anchor="mm")
    return _jpeg(tile.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def _whole(picture: Image.Image) -> Image.Image:
    ground = ImageOps.fit(picture, (40, 30)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    ground = ImageEnhance.Brightness(ground.filter(ImageFilter.GaussianBlur(12))).enhance(0.6)
    shown = ImageOps.contain(picture, (WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    ground.paste(shown, ((WIDTH - shown.width) // 2, (HEIGHT - shown.height) // 2))
    return ground


def _unrecognizable(picture: Image.Image) -> Image.Image:
    few = ImageOps.fit(picture, BLURRED, Image.Resampling.BOX)
    tile = few.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(16))
    draw = ImageDraw.Draw(tile, "RGBA")
    draw.rounded_rectangle((90, 100, WIDTH - 90, 140), 20, fill=(0, 0, 0, 150))
    draw.text((WIDTH // 2, 120), "Sensitive", fill="#ffffff", font=ImageFont.load_default(22), anchor="mm")
    return tile


def _play_sign(tile: Image.Image) -> None:
    # Drawn four times as large and reduced: Pillow's shapes have hard edges.
    sign = Image.new("RGBA", (224, 224))
    draw = ImageDraw.Draw(sign)
    draw.ellipse((0, 0, 223, 223), fill=(0, 0, 0, 150))
    draw.polygon([(88, 62), (88, 162), (170, 112)], fill="#ffffff")
    small = sign.resize((56, 56), Image.Resampling.LANCZOS)
    tile.paste(small, (12, HEIGHT - 68), small)


def _jpeg(tile: Image.Image) -> bytes:
    out = BytesIO()
    tile.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
