"""The `greenroom` command. Each subcommand is a module of infra/cli/commands, imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import textwrap
from pathlib import Path
from typing import NoReturn

from infra.errors import Failed
from infra.terminal import SURROGATE, err, out, printable

# Name and what it does; infra/cli/commands/<name>.py has the rest.
COMMANDS = {
    "up": "start everything on this machine",
    "down": "stop it",
    "upload": "put files into the inbox",
    "items": "list items, newest first",
    "show": "all that is known of one item",
    "mail": "the mails that the local stack sent",
    "decide": "approve or reject an item",
    "approvers": "who may decide: list, add, remove or revoke",
    "audit": "an item's story, from its upload to its end",
    "try": "validate, convert and shrink local files without any AWS",
    "doctor": "what is missing here, and how to get it",
    "deploy": "deploy to an AWS account",
}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        err(f"{self.prog}: {message} (see {self.prog} --help)")
        self.exit(2)


def parser_for(name: str) -> Parser:
    """The parser of one subcommand."""
    command = importlib.import_module(f"infra.cli.commands.{name}")
    parser = Parser(
        prog=f"greenroom {name}",
        description=command.__doc__,
        epilog="example:\n" + textwrap.indent(command.EXAMPLE.strip(), "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--state", type=Path, help="the local stack's folder ($GREENROOM_STATE, else the user's data folder)")
    if getattr(command, "REMOTE", False):
        parser.add_argument(
            "--stack-name",
            default=os.environ.get("GREENROOM_STACK", ""),
            help="pipeline stack in the AWS account that the environment names, instead of the local one ($GREENROOM_STACK)",
        )
    command.arguments(parser)
    return parser


def overview() -> str:
    rows = "\n".join(f"  {name:<9} {text}" for name, text in COMMANDS.items())
    return (
        "usage: greenroom COMMAND [options]\n\n"
        "Uploads in an S3 bucket become a gallery, after a person said yes.\n\n"
        f"{rows}\n\n"
        "greenroom COMMAND --help shows its options and an example.\n"
    )


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = _answer(given)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Whoever read our output has enough of it; nothing more may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _answer(given: list[str]) -> int:
    if given[:1] == ["help"] and len(given) > 1:
        given = [given[1], "--help"]
    if not given or given[0] in ("-h", "--help", "help"):
        out(*overview().splitlines())
        return 0 if given else 2
    if given[0] == "--version":
        from importlib.metadata import version

        out(f"greenroom {version('greenroom')}")
        return 0
    if given[0] not in COMMANDS:
        return _complain(f"there is no command {given[0]!r}; choose from {', '.join(COMMANDS)}", 2)
    return _run(given[0], given[1:])


def _run(name: str, given: list[str]) -> int:
    """Run a command; whatever goes wrong is one line on standard error."""
    try:
        parsed = _parsed(parser_for(name), given)
        code: int = importlib.import_module(f"infra.cli.commands.{name}").run(parsed)
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        raise
    except Failed as fault:
        return _complain(str(fault), fault.code)
    except Exception as fault:
        if os.environ.get("GREENROOM_DEBUG"):
            raise
        return _explained(fault)


def _parsed(parser: Parser, given: list[str]) -> argparse.Namespace:
    """Parse a command's words; only a path may have bytes that are no UTF-8, as Linux hands them out."""
    parsed = parser.parse_args(given)
    for name, value in vars(parsed).items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and SURROGATE.search(text):
                parser.error(f"{name.replace('_', '-')} must be UTF-8 text, which {printable(text)} is not")
    return parsed


def _explained(fault: Exception) -> int:
    """Other people's faults in one line; the exit code of Greenroom's own says whose mistake it was."""
    from tasks.core.errors import BadRequest, GreenroomError

    if isinstance(fault, GreenroomError):
        return _complain(fault.reason, 2 if isinstance(fault, BadRequest) else 1)
    if isinstance(fault, ModuleNotFoundError) and (fault.name or "").partition(".")[0] not in ("infra", "tasks"):
        return _complain(f"this needs the package {fault.name}, which is not installed: pip install 'greenroom[local]'", 2)
    if type(fault).__module__.startswith("botocore"):
        return _complain(f"AWS: {fault}", 1)
    if isinstance(fault, OSError) and fault.filename:
        return _complain(f"{fault.filename}: {fault.strerror}", 1)
    return _complain(f"{type(fault).__name__}: {fault} (GREENROOM_DEBUG=1 shows where)", 1)


def _complain(text: str, code: int) -> int:
    err("greenroom: " + " ".join(text.split()))
    return code


if __name__ == "__main__":
    sys.exit(main())
