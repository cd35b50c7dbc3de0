"""Small media made on the spot: pictures by Pillow and pillow-heif, clips by ffmpeg."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from task_bench import BUCKETS

from tasks.core.aws.s3 import Store
from tasks.core.aws.session import Aws
from tasks.core.models.item import Item
from tasks.core.models.location import Location
from tasks.media import Limits
from tasks.media.transcoder import find_ffmpeg


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., None]:
    """Runs ffmpeg to make a fixture."""

    def run(*arguments: str | Path) -> None:
        command = [find_ffmpeg(), "-v", "error", "-y", "-nostdin", *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)

    return run


@pytest.fixture(scope="session")
def levels() -> Callable[[Path], list[int]]:
    """The brightness of each frame of a clip, whose frames are each of one grey."""

    def read(path: Path) -> list[int]:
        command = [find_ffmpeg(), "-v", "error", "-nostdin", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough"]
        command += ["-vf", "scale=1:1,format=gray", "-f", "rawvideo", "-"]
        return list(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)

    return read


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in BUCKETS.values():
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="inbox", VersioningConfiguration={"Status": "Enabled"})
        yield Store(Aws())


@pytest.fixture
def dropped(store: Store) -> Callable[[str, bytes], Item]:
    """Drops a file into the inbox, and another under the same key after it: only the first is the item."""

    def drop(name: str, body: bytes) -> Item:
        version = store.put("inbox", f"Summer/{name}", body, "application/x-lie")
        store.put("inbox", f"Summer/{name}", b"overwritten since", "text/plain")
        etag = store.head(Location("inbox", f"Summer/{name}", version)).etag
        words = ("summer", "Summer", "Ada", "2026-11-21T21:40:26Z")
        return Item("abcdefghijklmnopqrst", 1, "inbox", f"Summer/{name}", version, etag, len(body), *words)

    return drop
