"""Writes the reference pages that are made from code: `python -m infra.dev.docs` (a test says when they are out of date)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from infra.cli.main import COMMANDS, parser_for
from tasks.core.byproducts import BY_PRODUCTS, known_by
from tasks.core.settings import Settings

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
# Arguments of several commands, told once.
SHARED = ("json", "state", "stack_name")
LEFT_OUT = """\
A folder that is sent as it is (`aws s3 sync`) holds more than pictures. What `tasks/core/byproducts.py` names becomes no item and
no album, in capitals or not, at any depth. The object stays in the inbox as it is ([why](../decisions/0014-by-products.md)).
ReceiveUpload and Sweep count it in their logs; the upload page, `greenroom upload` and `greenroom try` say so of each file.
The empty object by which a console shows a folder (`Summer/`) is left out too.

A sidecar that goes by another name is told by its content, and so are tracks (GPX, KML, TCX, FIT, NMEA, GeoJSON, Google's
location history): the item ends QUARANTINED, with the reason in words. Whoever wants everybody to have one puts it into a
zip archive.
"""
GENERATED = "<!-- Written by `python -m infra.dev.docs`; change the code that it names, not this page. -->"


def pages() -> dict[str, str]:
    """Each generated page's text by its file name in docs/reference."""
    return {"settings.md": settings_page(), "cli.md": cli_page(), "left-out.md": left_out_page()}


def stale(folder: Path = FOLDER) -> list[str]:
    """The pages that don't say what the code says now."""
    return [name for name, text in pages().items() if not (folder / name).is_file() or (folder / name).read_text() != text]


def write(folder: Path = FOLDER) -> list[str]:
    """Bring every page up to date; the names of those that changed."""
    changed = stale(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        (folder / name).write_text(pages()[name])
    return changed


def settings_page() -> str:
    rows = fields(Settings)
    needed = [row for row in rows if row.metadata["required"]]
    optional = [row for row in rows if not row.metadata["required"]]
    return "\n".join(
        [
            "# Settings",
            "",
            GENERATED,
            "",
            "What every function is told about its surroundings, as environment variables. They are declared in",
            "`tasks/core/settings.py`, which alone reads them; the templates set them from their parameters.",
            "",
            "## Set by the templates",
            "",
            "A function that lacks one of these does not start, and names all that are missing together.",
            "",
            *table(("setting", "what it is"), ((_code(_variable(row)), row.metadata["doc"]) for row in needed)),
            "",
            "## With a default",
            "",
            *table(
                ("setting", "default", "what it is"),
                ((_code(_variable(row)), _default(row), row.metadata["doc"]) for row in optional),
            ),
            "",
        ]
    )


def left_out_page() -> str:
    rows = ((f"{row.kind}: {row.words}", ", ".join(map(_code, known_by(row)))) for row in BY_PRODUCTS)
    return "\n".join(["# What is left out", "", GENERATED, "", LEFT_OUT, *table(("what", "names, and examples"), rows), ""])


def cli_page() -> str:
    parsers = {name: parser_for(name) for name in COMMANDS}
    shared = {action.dest: action for parser in parsers.values() for action in arguments_of(parser) if action.dest in SHARED}
    intro = [
        "# The `greenroom` command",
        "",
        GENERATED,
        "",
        *table(
            ("command", "what it does"), ((f"[`greenroom {name}`](#greenroom-{name})", text) for name, text in COMMANDS.items())
        ),
        "",
        "Every command takes `--help`, and bad input gets one clear line and exit code 2. Names are shown in one line: control",
        "characters, bidi overrides and bytes that are not UTF-8 are spelt (`\\x1b`, `\\u202e`, `\\xff`). `--json` prints",
        "UTF-8 JSON in any locale; there only such a byte is spelt. `upload` ends with exit code 1 when a file was not uploaded;",
        "`try` with 0 when each got a verdict. Several commands take these:",
        "",
        *arguments_table(shared.values()),
    ]
    return "\n".join([*intro, *(line for name, parser in parsers.items() for line in command_section(name, parser)), ""])


def command_section(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """One command: what it does, its own arguments, which shared ones it takes, an example."""
    actions = arguments_of(parser)
    own = [action for action in actions if action.dest not in SHARED]
    also = [_code(action.option_strings[0]) for action in actions if action.dest in SHARED]
    yield from ("", f"## greenroom {name}", "", *_paragraph(parser.description or ""), "")
    if own:
        yield from (*arguments_table(own), "")
    yield f"{'Also' if own else 'Takes'} {', '.join(also)}."
    example = (parser.epilog or "").removeprefix("example:").strip("\n")
    if example:
        yield from ("", "```console", *(line.removeprefix("  ") for line in example.splitlines()), "```")


def arguments_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.dest != "help"]


def arguments_table(actions: Iterable[argparse.Action]) -> list[str]:
    return table(("argument", "meaning"), ((_code(_call(action)), _meaning(action)) for action in actions))


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _variable(row: Field[Any]) -> str:
    return row.name.upper()


def _default(row: Field[Any]) -> str:
    return _code(str(row.default)) if str(row.default) else "empty"


def _code(text: str) -> str:
    return f"`{text}`"


def _paragraph(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def _call(action: argparse.Action) -> str:
    """`--album A`, `PATH...`, `approve|reject`."""
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    shown = value if isinstance(value, str) else " ".join(value)
    if not action.option_strings:
        return shown + ("..." if action.nargs in ("+", "*") else "")
    return ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {shown}")


def _meaning(action: argparse.Action) -> str:
    """The help text with argparse's own substitutions made."""
    values = {name: value for name, value in vars(action).items() if value is not argparse.SUPPRESS}
    return (action.help or "") % values


def main() -> int:
    changed = write()
    sys.stdout.write("".join(f"wrote docs/reference/{name}\n" for name in changed) or "docs/reference is up to date\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
