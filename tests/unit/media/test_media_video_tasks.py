"""A clip's tasks on S3 (moto): planned, its parts made, joined; files in, keys and facts out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from media_samples import CANARY
from task_bench import SETTINGS, validated

from tasks.core.aws.s3 import Store
from tasks.core.models.item import Item
from tasks.core.models.location import Location
from tasks.core.models.media import Media, SegmentResult, VideoPlan
from tasks.join_video import JoinVideoRequest, join_video
from tasks.make_thumbnails import MakeThumbnailsRequest, make_thumbnails
from tasks.plan_video import PlanVideoRequest, plan_video
from tasks.transcode_segment import TranscodeSegmentRequest, transcode_segment


def _clip(tmp_path: Path, ffmpeg: Callable[..., None], *options: str) -> bytes:
    tone = ("-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac", "-metadata", f"location={CANARY}")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=2", *tone, *options, tmp_path / "a.mov")
    return (tmp_path / "a.mov").read_bytes()


@pytest.mark.parametrize(("options", "segments"), [(("-c:v", "mpeg4"), 2), (("-c:v", "libx264", "-pix_fmt", "yuv420p"), 0)])
def test_a_clip_goes_all_the_way(
    store: Store,
    dropped: Callable[[str, bytes], Item],
    tmp_path: Path,
    ffmpeg: Callable[..., None],
    options: tuple[str, ...],
    segments: int,
) -> None:
    item = dropped("clip.mov", _clip(tmp_path, ffmpeg, *options))
    media = validated(store, item)
    assert (media.kind, media.master) == ("video", None)
    plan = plan_video(PlanVideoRequest(item, media), store=store, settings=SETTINGS)
    assert (len(plan.pictures), len(plan.segments)) == (segments, segments + bool(segments))
    done = tuple(
        transcode_segment(TranscodeSegmentRequest(item, media, each), store=store, settings=SETTINGS) for each in plan.segments
    )
    media = join_video(JoinVideoRequest(item, media, plan, done[::-1]), store=store, settings=SETTINGS)
    assert media.verdict == "accepted" and media.master is not None
    assert media.master.key == f"items/{item.id}/video.mp4"
    made = make_thumbnails(MakeThumbnailsRequest(item, media), store=store, settings=SETTINGS)
    assert [row.name for row in made.renditions] == ["video", "preview", "320w", "320w"]
    for row in made.renditions:
        body = store.read(Location("work", row.key))
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (row.sha256, row.bytes)
        assert (row.width, row.height) == (96, 64)
        assert CANARY.encode() not in body


def _transcoded(store: Store, item: Item, media: Media) -> tuple[VideoPlan, tuple[SegmentResult, ...]]:
    plan = plan_video(PlanVideoRequest(item, media), store=store, settings=SETTINGS)
    requests = [TranscodeSegmentRequest(item, media, each) for each in plan.segments]
    return plan, tuple(transcode_segment(request, store=store, settings=SETTINGS) for request in requests)


class Watchful(Store):
    """Remembers what was fetched."""

    fetched: tuple[str, ...] = ()

    def download(self, location: Location, path: Path) -> str:
        self.fetched += (location.key,)
        return super().download(location, path)


@pytest.mark.parametrize(
    ("codec", "fetched"),
    [
        (("-c:v", "mpeg4"), ("0001/top.mp4", "0002/top.mp4", "0000/sound.m4a")),
        (("-c:v", "mpeg4", "-an"), ("0000/top.mp4", "0001/top.mp4")),
        (("-c:v", "libx264", "-pix_fmt", "yuv420p"), ("Summer/clip.mov",)),
    ],
    ids=["with sound", "silent", "remuxed"],
)
def test_only_a_remux_has_the_upload_on_the_joiners_disk(
    store: Store,
    dropped: Callable[[str, bytes], Item],
    tmp_path: Path,
    ffmpeg: Callable[..., None],
    codec: tuple[str, ...],
    fetched: tuple[str, ...],
) -> None:
    item = dropped("clip.mov", _clip(tmp_path, ffmpeg, *codec))
    media, watchful = validated(store, item), Watchful(store._aws)
    plan, done = _transcoded(store, item, media)
    joined = join_video(JoinVideoRequest(item, media, plan, done[::-1]), store=watchful, settings=SETTINGS)
    assert (joined.verdict, len(joined.codecs)) == ("accepted", 1 if "-an" in codec else 2)
    assert tuple(key.removeprefix(f"items/{item.id}/segments/") for key in watchful.fetched) == fetched


def test_a_task_that_is_repeated_makes_the_same_sound_and_the_same_pictures(
    store: Store, dropped: Callable[[str, bytes], Item], tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    item = dropped("clip.mov", _clip(tmp_path, ffmpeg, "-c:v", "mpeg4"))
    media = validated(store, item)

    def made() -> dict[str, bytes]:
        _, done = _transcoded(store, item, media)
        assert [each.sound for each in done] == [True, False, False]
        keys = [each.key + ("sound.m4a" if each.sound else "top.mp4") for each in done]
        return {key: store.read(Location("work", key)) for key in keys}

    assert made() == made()


def test_a_sound_that_cannot_be_decoded_rejects_the_clip(
    store: Store, dropped: Callable[[str, bytes], Item], tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    scene = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=2", "-f", "lavfi", "-i", "sine=d=2", "-c:v", "mpeg4")
    ffmpeg(*scene, "-c:a", "flac", "-bsf:a", "noise=amount=1", tmp_path / "a.mkv")
    item = dropped("clip.mkv", (tmp_path / "a.mkv").read_bytes())
    media = validated(store, item)
    plan, (sound, *pictures) = _transcoded(store, item, media)
    assert (sound.sound, sound.key, [each.reason for each in pictures]) == (True, "", ["", ""])
    assert sound.reason.startswith("the video cannot be converted: ")
    joined = join_video(JoinVideoRequest(item, media, plan, (sound, *pictures)), store=store, settings=SETTINGS)
    assert (joined.verdict, joined.reason, joined.master) == ("rejected", sound.reason, None)


def test_a_segment_that_cannot_be_decoded_rejects_the_clip(store: Store, dropped: Callable[[str, bytes], Item]) -> None:
    item = dropped("clip.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isomiso2 no more than that")
    media = Media("accepted", kind="video", format="mp4", duration=4.0)
    plan = plan_video(PlanVideoRequest(item, media), store=store, settings=SETTINGS)
    assert "cut off" in plan.reason
    failed = (SegmentResult(0, "items/x/segments/0000.mp4"), SegmentResult(1, reason="broken at 2 s"))
    for request in (JoinVideoRequest(item, media, plan), JoinVideoRequest(item, media, VideoPlan(False), failed)):
        joined = join_video(request, store=store, settings=SETTINGS)
        assert (joined.verdict, joined.reason) == ("rejected", plan.reason if request.plan.reason else "broken at 2 s")
