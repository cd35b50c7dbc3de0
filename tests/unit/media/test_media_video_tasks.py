"""A clip's tasks on S3 (moto): planned, its parts made, joined; files in, keys and facts out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from media_samples import CANARY
from task_bench import SETTINGS, thumbnails, validated

from tasks.core.aws.s3 import Store
from tasks.core.json import to_json
from tasks.core.models.item import Item
from tasks.core.models.location import Location
from tasks.core.models.media import Media, Segment, SegmentResult, VideoPlan
from tasks.join_video import JoinVideoRequest, join_video
from tasks.media import video_facts
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
    watchful = Watchful(store._aws)
    made = thumbnails(watchful, item, media)
    assert watchful.fetched == (f"items/{item.id}/poster.jpg",), "the preview was hashed where it was made"
    assert [row.name for row in made.renditions] == ["video", "preview", "320w", "320w"]
    for row in made.renditions:
        body = store.read(Location("work", row.key))
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (row.sha256, row.bytes)
        assert (row.width, row.height) == (96, 64)
        assert CANARY.encode() not in body


def _with(media: Media, **facts: Any) -> Media:
    """As if the file had said otherwise."""
    assert media.video is not None
    return replace(media, video=replace(media.video, **facts))


def test_what_a_file_says_of_its_video_is_read_once(
    store: Store, dropped: Callable[[str, bytes], Item], tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    """Each task believes what travels, not what it would find by looking again."""
    item = dropped("clip.mov", _clip(tmp_path, ffmpeg, "-c:v", "mpeg4"))
    media = validated(store, item)
    plan = plan_video(PlanVideoRequest(item, _with(media, codec="")), store=store, settings=SETTINGS)
    assert plan.reason == "it holds no picture that could be shown as a video"
    small = TranscodeSegmentRequest(item, _with(media, width=48, height=32), Segment(0, 0.0, 1.0, 25, rate="25"))
    made = transcode_segment(small, store=store, settings=SETTINGS)
    store.download(Location("work", made.key + "top.mp4"), tmp_path / "top.mp4")
    facts = video_facts.read(tmp_path / "top.mp4")
    assert (facts.width, facts.height) == (48, 32)


def test_a_remux_believes_what_travels_too(
    store: Store, dropped: Callable[[str, bytes], Item], tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    item = dropped("clip.mov", _clip(tmp_path, ffmpeg, "-c:v", "libx264", "-pix_fmt", "yuv420p"))
    media = validated(store, item)
    for told, sound in ((media, "aac"), (_with(media, audio=""), "")):
        joined = join_video(JoinVideoRequest(item, told, VideoPlan(remux=True)), store=store, settings=SETTINGS)
        assert joined.master is not None and joined.video is None, "of no use any more"
        store.download(joined.master.location, tmp_path / "video.mp4")
        assert video_facts.read(tmp_path / "video.mp4").audio == sound


@pytest.mark.parametrize("codec", [("-c:v", "mpeg4"), ("-c:v", "libx264", "-pix_fmt", "yuv420p")], ids=["segments", "remux"])
def test_an_execution_that_does_not_say_what_the_streams_are_comes_to_the_same(
    store: Store, dropped: Callable[[str, bytes], Item], tmp_path: Path, ffmpeg: Callable[..., None], codec: tuple[str, ...]
) -> None:
    item = dropped("clip.mov", _clip(tmp_path, ffmpeg, *codec))
    media = validated(store, item)
    assert media.video is not None
    made = []
    for told in (media, replace(media, video=None)):
        plan, done = _transcoded(store, item, told)
        made.append((plan, join_video(JoinVideoRequest(item, told, plan, done), store=store, settings=SETTINGS)))
    assert made[0] == made[1]


def test_what_travels_of_a_video_says_neither_where_nor_with_what_it_was_filmed(
    store: Store, dropped: Callable[[str, bytes], Item], tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    media = validated(store, dropped("clip.mov", _clip(tmp_path, ffmpeg, "-c:v", "mpeg4")))
    assert CANARY not in json.dumps(to_json(media))
    assert set(to_json(media.video)).isdisjoint({"taken_at", "camera", "lens", "pair", "place"})


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

    def read(self, location: Location) -> bytes:
        self.fetched += (location.key,)
        return super().read(location)


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
