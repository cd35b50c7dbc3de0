"""The stand-in as a process: `python -m infra.local.rekognition`, started by `greenroom up`."""

from __future__ import annotations

from infra.local import service
from infra.local.rekognition.protocol import Rekognition
from infra.local.rekognition.script import NAME, Scripted
from infra.local.web import serve


async def main(options: service.Options) -> None:
    server = await serve(Rekognition(Scripted(options.state / NAME)).handle, options.socket)
    await service.until_stopped()
    server.close()


service.run(main)
