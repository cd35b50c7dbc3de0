"""Takes the mails that the emulated SES relays, whole, to be kept as files: the emulator forgets them at a restart."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

MAX_MAIL = 40 << 20


async def serve(keep: Callable[[bytes], object], sock: socket.socket) -> asyncio.Server:
    """Receive mail on a bound socket; `keep` gets each message's bytes before its sender hears `250`."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _converse(reader, writer, keep)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the sender went away; it tries again or says so itself
        finally:
            writer.close()

    return await asyncio.start_server(connected, sock=sock, limit=MAX_MAIL)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, keep: Callable[[bytes], object]) -> None:
    async def say(line: str) -> None:
        writer.write(f"{line}\r\n".encode())
        await writer.drain()

    await say("220 greenroom mailbox")
    while line := await reader.readline():
        command = line.split(None, 1)[0].upper() if line.strip() else b""
        if command == b"DATA":
            await say("354 go on")
            keep(await _message(reader))
            await say("250 kept")
        elif command == b"QUIT":
            await say("221 bye")
            return
        elif command in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP"):
            await say("250 ok")
        else:
            await say("502 not here")


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Everything up to the line with a single dot, with the doubled dots undone."""
    lines = []
    while (line := await reader.readline()) != b".\r\n":
        if not line:
            raise ConnectionError("the mail broke off")
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)
