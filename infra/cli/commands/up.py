"""Start Greenroom on this machine: the emulated AWS, the functions, the site and a mailbox. Ctrl-C stops and keeps everything."""

from __future__ import annotations

import argparse

from infra.cli.common import state_folder, usable_ffmpeg

EXAMPLE = """
greenroom up
greenroom up --port 8081 --aws-port 4567 --state ./demo --detach
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8080, help="of the site (default: 8080)")
    parser.add_argument("--aws-port", type=int, default=4566, help="of the emulated AWS (default: 4566)")
    parser.add_argument("--detach", action="store_true", help="return once it runs; `greenroom down` stops it")
    parser.add_argument("--auth", action="store_true", help="enforce the functions' IAM policies, as AWS does")
    parser.add_argument("--limit", type=int, default=0, help="functions that run at once (default: twice the cores, at least 4)")
    parser.add_argument(
        "--approver", action="append", help="mail address that decides at first (may be repeated; approver@example.com)"
    )
    parser.add_argument("--title", help="the gallery's name; kept, like all settings, until another is given")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the templates, e.g. ReviewCode=never; an empty value puts the default back",
    )


def run(given: argparse.Namespace) -> int:
    from infra.local import up
    from tasks.core.addresses import normal_address

    parameters = up.parameters(given.set)
    usable_ffmpeg(parameters.get("Ffmpeg", ""))
    options = up.UpOptions(
        state=state_folder(given),
        port=given.port,
        aws_port=given.aws_port,
        auth=given.auth,
        limit=given.limit,
        approvers=tuple(map(normal_address, given.approver or [])),
        parameters={**_named(given), **parameters},
        json=given.json,
    )
    return up.detached(options) if given.detach else up.run(options)


def _named(given: argparse.Namespace) -> dict[str, str]:
    """The parameters that have an option of their own, where it was used."""
    return {} if given.title is None else {"GalleryTitle": given.title}
