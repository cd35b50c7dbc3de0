"""HTTP/1.1 for the laptop's own servers: one small asyncio server and one client, both on h11, both streaming."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import h11

CHUNK = 1 << 16
IDLE_SECONDS = 75
Headers = list[tuple[str, str]]


class TooLarge(Exception):
    """A body is longer than the server reads."""


class Refused(Exception):
    """The server behind cannot be reached, or broke off."""


@dataclass
class Request:
    """One request; `target` is the raw path and query, header names are lower case."""

    method: str
    target: str
    headers: Headers
    peer: str
    body: AsyncIterator[bytes]
    # Tells the caller that the answer is still being worked on (a 100 response), so that its socket doesn't time out.
    still_working: Callable[[], Awaitable[None]]

    @property
    def path(self) -> str:
        return self.target.split("?", 1)[0]

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    async def read(self, limit: int = 64 << 20) -> bytes:
        """The whole body; raises TooLarge."""
        chunks, size = [], 0
        async for chunk in self.body:
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"the body is longer than {limit} bytes")
            chunks.append(chunk)
        return b"".join(chunks)


@dataclass
class Response:
    """One answer; a body given as an iterator is streamed."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes | AsyncIterator[bytes] = b""

    @classmethod
    def json(cls, value: Any, status: int = 200, content_type: str = "application/json") -> Response:
        return cls(status, [("content-type", content_type)], json.dumps(value).encode())

    @classmethod
    def html(cls, text: str, status: int = 200, headers: Headers | None = None) -> Response:
        return cls(status, [("content-type", "text/html; charset=utf-8"), *(headers or [])], text.encode())


Handler = Callable[[Request], Awaitable[Response]]


async def serve(handler: Handler, sock: socket.socket) -> asyncio.Server:
    """Serve on a bound socket; each connection is kept alive for IDLE_SECONDS."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Connection(handler, reader, writer).run()
        except (ConnectionError, TimeoutError, h11.ProtocolError):
            pass  # the other side went away: nobody is left to tell
        finally:
            writer.close()

    return await asyncio.start_server(connected, sock=sock, backlog=1024)


class _Connection:
    def __init__(self, handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._handler, self._reader, self._writer = handler, reader, writer
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 18)
        peer = writer.get_extra_info("peername")
        self._peer = peer[0] if peer else ""

    async def run(self) -> None:
        while request := await self._request():
            try:
                response = await self._handler(request)
            except Exception:  # the last stop before the caller: the log gets the cause, the caller a 500
                traceback.print_exc(file=sys.stderr)
                response = Response.json({"message": "internal error"}, 500)
            await self._answer(request, response)
            async for _ in request.body:
                pass
            if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
                return
            self._h11.start_next_cycle()

    async def _event(self, timeout: float | None = None) -> Any:
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            self._h11.receive_data(await asyncio.wait_for(self._reader.read(CHUNK), timeout))
        return event

    async def _request(self) -> Request | None:
        event = await self._event(IDLE_SECONDS)
        if not isinstance(event, h11.Request):
            return None
        return Request(
            method=event.method.decode(),
            target=event.target.decode("latin-1"),
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers],
            peer=self._peer,
            body=self._body(),
            still_working=self._still_working,
        )

    async def _body(self) -> AsyncIterator[bytes]:
        if self._h11.they_are_waiting_for_100_continue:
            await self._still_working()
        while self._h11.their_state is h11.SEND_BODY:
            event = await self._event(IDLE_SECONDS)
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif not isinstance(event, h11.EndOfMessage):
                raise ConnectionError("the request broke off")

    async def _still_working(self) -> None:
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))

    async def _answer(self, request: Request, response: Response) -> None:
        headers = [(name, value) for name, value in response.headers if name != "transfer-encoding"]
        if isinstance(response.body, bytes) and not any(name == "content-length" for name, _ in headers):
            headers.append(("content-length", str(len(response.body))))
        reason = HTTPStatus(response.status).phrase if response.status in HTTPStatus._value2member_map_ else ""
        await self._send(h11.Response(status_code=response.status, headers=_encoded(headers), reason=reason.encode()))
        if request.method != "HEAD":
            async for chunk in _chunks(response.body):
                await self._send(h11.Data(data=chunk))
        await self._send(h11.EndOfMessage())

    async def _send(self, event: Any) -> None:
        data = self._h11.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def _chunks(body: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        if body:
            yield body
        return
    async for chunk in body:
        yield chunk


async def fetch(
    host: str, port: int, method: str, target: str, headers: Headers, body: bytes | AsyncIterator[bytes] = b""
) -> Response:
    """One request to a server behind; the answer's body streams. Raises Refused."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError as fault:
        raise Refused(f"{host}:{port} does not answer") from fault
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 18)
    try:
        head = h11.Request(method=method, target=target, headers=_encoded([*headers, ("connection", "close")]))
        writer.write(connection.send(head) or b"")
        async for chunk in _chunks(body):
            writer.write(connection.send(h11.Data(data=chunk)) or b"")
            await writer.drain()
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        answer = await _incoming(connection, reader)
        while isinstance(answer, h11.InformationalResponse):
            answer = await _incoming(connection, reader)
    except (OSError, h11.ProtocolError) as fault:
        writer.close()
        raise Refused(f"{host}:{port} broke off: {fault}") from fault
    if not isinstance(answer, h11.Response):
        writer.close()
        raise Refused(f"{host}:{port} closed the connection without an answer")
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
    return Response(answer.status_code, pairs, _rest(connection, reader, writer))


async def _incoming(connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(CHUNK))
    return event


async def _rest(connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[bytes]:
    try:
        while isinstance(event := await _incoming(connection, reader), h11.Data):
            yield bytes(event.data)
    finally:
        writer.close()


def listen(port: int = 0) -> socket.socket:
    """A listening socket on 127.0.0.1; raises OSError when the port is in use."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen(1024)
    except OSError:
        sock.close()
        raise
    return sock
