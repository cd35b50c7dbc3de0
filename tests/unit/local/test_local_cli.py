"""The `greenroom` command: what it says to a mistake, and how it finds the stack that runs."""

import json
import os
import subprocess
import sys

import pytest

from infra.cli import common
from infra.cli import main as cli
from infra.errors import Failed, Misused
from infra.local import up
from infra.local.mailbox import Mailbox
from infra.local.state import Stack, default_state, lock, read_stack, write_stack
from infra.local.web import listen
from tasks.core.errors import BadRequest, Conflict


@pytest.fixture
def greenroom(tmp_path, capsys):
    """Runs a command on an empty state folder: exit code, output, complaint."""

    def run(*arguments):
        try:
            code = cli.main(
                [*arguments, "--state", str(tmp_path)] if arguments and arguments[0] in cli.COMMANDS else [*arguments]
            )
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_overview_names_every_command(greenroom):
    code, out, _ = greenroom("--help")
    assert code == 0
    assert all(f"\n  {name} " in out for name in cli.COMMANDS)


@pytest.mark.parametrize("name", [name for name in cli.COMMANDS if name != "deploy"])
def test_every_command_explains_itself_with_an_example(greenroom, name):
    code, out, _ = greenroom(name, "--help")
    assert code == 0
    assert f"usage: greenroom {name}" in out
    assert f"example:\n  greenroom {name}" in out
    assert "--json" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["uplaod", "x"], "there is no command 'uplaod'"),
        (["upload", "x"], "the following arguments are required: --album"),
        (["items", "--status", "DONE"], "invalid choice: 'DONE'"),
        (["items"], "no stack runs in"),
        (["down"], "no stack runs in"),
        (["decide", "abcd", "perhaps"], "invalid choice: 'perhaps'"),
        (["mail", "--open", "3"], "there is no mail 3; there are 0"),
        (["try", "/nowhere/a.jpg"], "no such file: /nowhere/a.jpg"),
        (["upload", "/nowhere/a.jpg", "--album", "A"], "/nowhere/a.jpg: no such file or folder"),
        (["upload", "/", "--album", "A" * 3000], "too long together"),
        (["up", "--port", "99999"], "--port must lie between 1 and 65535"),
        (["up", "--set", "ReviewCode"], "--set takes NAME=VALUE"),
        (["up", "--set", "Ffmpeg=/nowhere/ffmpeg"], "'/nowhere/ffmpeg', which is no program; leave it out"),
        (["try", "--ffmpeg", "/nowhere/ffmpeg", "/"], "'/nowhere/ffmpeg', which is no program; leave it out"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(greenroom, arguments, words):
    code, out, err = greenroom(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (Misused("that way round"), 2, "that way round"),
        (Failed("it broke"), 1, "it broke"),
        (BadRequest("no such item"), 2, "no such item"),
        (Conflict("somebody was first"), 1, "somebody was first"),
        (PermissionError(13, "Permission denied", "/root/x"), 1, "/root/x: Permission denied"),
        (RuntimeError("two\nlines"), 1, "RuntimeError: two lines"),
        (ModuleNotFoundError("No module named 'h11'", name="h11"), 2, "pip install 'greenroom[local]'"),
        (ModuleNotFoundError("No module named 'infra.x'", name="infra.x"), 1, "ModuleNotFoundError"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_whatever_goes_wrong_is_one_line(monkeypatch, capsys, fault, code, words):
    from infra.cli.commands import mail

    def run(given):
        raise fault

    monkeypatch.setattr(mail, "run", run)
    assert cli.main(["mail"]) == code
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == (1 if words else 0)


@pytest.fixture
def folder(tmp_path):
    """A folder as people have them: two pictures, and what lies beside them."""
    names = ("a.jpg", "b.HEIC", ".DS_Store", "a.xmp", "b.HEIC.supplemental-me.json", "@eaDir/a.jpg/SYNOFILE_THUMB_M.jpg")
    for name in names:
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(b"bytes")
    return tmp_path / "photos"


def test_upload_sends_the_pictures_of_a_folder_and_says_what_it_leaves_out(monkeypatch, greenroom, world, folder):
    from infra.cli.commands import upload

    monkeypatch.setattr(upload, "deployed", lambda given: world)
    code, out, _ = greenroom("upload", str(folder), "--album", "Summer", "--json")
    rows = {row["file"].removeprefix(f"{folder}/"): row for row in map(json.loads, out.splitlines())}
    assert code == 0
    assert {name for name, row in rows.items() if "id" in row} == {"a.jpg", "b.HEIC"}
    assert {key.rpartition("/")[2] for key in world.store.keys("inbox", "")} == {"a.jpg", "b.HEIC"}
    assert rows["a.xmp"]["left_out"].startswith("a sidecar")
    assert rows["@eaDir/a.jpg/SYNOFILE_THUMB_M.jpg"]["left_out"].startswith("a by-product")
    assert len(rows) == 6


def test_upload_of_by_products_alone_is_no_success(monkeypatch, greenroom, world, folder):
    from infra.cli.commands import upload

    monkeypatch.setattr(upload, "deployed", lambda given: world)
    code, out, err = greenroom("upload", str(folder / "a.xmp"), str(folder / ".DS_Store"), "--album", "Summer")
    assert (code, err) == (1, "greenroom: nothing was uploaded\n")
    assert [" ".join(line.split()[:2]) for line in out.splitlines()] == ["not uploaded", "not uploaded"]
    assert list(world.store.keys("inbox", "")) == []


def test_help_of_a_command_is_that_commands_help(greenroom):
    asked, answered = greenroom("help", "upload"), greenroom("upload", "--help")
    assert asked == answered and asked[1].startswith("usage: greenroom upload")
    assert greenroom("help", "uplaod")[0] == 2


def test_a_reader_who_has_enough_is_no_fault():
    """`greenroom | head -1`: the pipe closes before the overview is written."""
    command = f"{sys.executable} -m infra.cli | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode in (0, 2), done.stderr) == (True, "")


def test_nothing_heavy_is_imported_for_the_overview():
    look = "print([name for name in ('boto3', 'PIL', 'jinja2') if name in sys.modules])"
    code = f"import sys; from infra.cli.main import main; main(['--help']); {look}"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.endswith("[]\n")


def test_mails_are_listed_oldest_first_and_opened_by_number(greenroom, tmp_path):
    for subject in ("first", "second"):
        Mailbox(tmp_path / "mail").keep(f"Subject: {subject}\nTo: ada@example.com\n\nhttps://x.example/{subject}\n".encode())
    _, out, _ = greenroom("mail", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["number"], row["subject"], row["links"]) for row in rows] == [
        (1, "first", ["https://x.example/first"]),
        (2, "second", ["https://x.example/second"]),
    ]
    _, out, _ = greenroom("mail", "--open", "2")
    assert "Subject: second" in out


def stack_in(folder, **more):
    return Stack(os.getpid(), str(folder), "http://localhost:8080", "http://localhost:4566", 8080, 4566, **more)


def test_a_stack_is_found_while_its_process_holds_the_folder(tmp_path):
    held = lock(tmp_path)
    write_stack(stack_in(tmp_path, ready=True))
    assert read_stack(tmp_path) == stack_in(tmp_path, ready=True)
    held.close()
    assert read_stack(tmp_path) is None


def test_a_stack_that_still_starts_says_so(greenroom, tmp_path):
    with lock(tmp_path):
        write_stack(stack_in(tmp_path))
        code, _, err = greenroom("items")
    assert code == 2
    assert "still starting" in err


def test_a_second_up_in_the_same_folder_names_the_first(greenroom, tmp_path):
    with lock(tmp_path):
        write_stack(stack_in(tmp_path, ready=True))
        code, _, err = greenroom("up")
    assert code == 2
    assert f"process {os.getpid()}, http://localhost:8080" in err


def test_a_port_in_use_is_named_with_the_option_that_changes_it(greenroom):
    with listen() as taken:
        port = taken.getsockname()[1]
        code, _, err = greenroom("up", "--port", str(port), "--aws-port", "18598")
        assert code == 2
        assert f"port {port} is in use by another program: choose another with --port" in err
        code, _, err = greenroom("up", "--aws-port", str(port))
        assert code == 2
        assert "--aws-port" in err


def test_the_state_folder_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_state() == tmp_path / "greenroom"
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_state() == tmp_path / "Library" / "Application Support" / "greenroom"


def test_parameters_for_the_templates():
    assert up.parameters(["ReviewCode=never", "GalleryTitle=a=b"]) == {"ReviewCode": "never", "GalleryTitle": "a=b"}


class Record:
    def __init__(self, id):
        self.id = id


class FakeDeployment:
    """A deployment whose catalog holds these items."""

    def __init__(self, *ids):
        self.ids = ids
        self.catalog = self.items = self

    def newest(self, limit):
        return map(Record, self.ids)

    def get(self, id):
        return Record(id)


def test_an_item_is_found_by_the_beginning_of_its_id():
    target = FakeDeployment("k3vqaaaaaaaaaaaaaaaa", "k3vraaaaaaaaaaaaaaaa")
    assert common.find_item(target, "K3VR").id == "k3vraaaaaaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("prefix", "words"), [("k3v", "too short"), ("k3vq", "the beginning of 2 items"), ("zzzz", "no item begins")]
)
def test_a_beginning_that_does_not_name_one_item(prefix, words):
    target = FakeDeployment("k3vqaaaaaaaaaaaaaaaa", "k3vqbaaaaaaaaaaaaaaa")
    with pytest.raises(Misused, match=words):
        common.find_item(target, prefix)
