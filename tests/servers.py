"""A server on loopback that answers as a test's script says, and remembers what it was asked.

def script(request: Recorded) -> Reply:
    return json_reply({"echo": request.body})

with ScriptedServer(script) as server:
    client = OpenAI(base_url=server.base_url, api_key="none")
assert server.requests[0].path == "/v1/chat/completions"
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came in."""

    method: str
    path: str
    """With its query string."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """The JSON body, decoded; None without one."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """Content-Type is application/json unless given; the length is set by itself."""
    body: bytes | Iterable[bytes | float] = b""
    """Bytes go with a length. An iterable is streamed in chunks, each flushed; a number in it is a
    pause in seconds."""
    delay_seconds: float = 0.0
    """Pause before the status line."""
    drop: bool = False
    """Close the connection without a single byte of answer."""
    cut: bool = False
    """Close the connection before the body is complete: bytes after half of them, a stream after
    its last piece but without the end mark."""


Script = Callable[[Recorded], Reply]


def json_reply(
    data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None, cut: bool = False
) -> Reply:
    """Return a JSON answer; NaN and Infinity are written as Python writes them."""
    return Reply(status, dict(headers or {}), json.dumps(data).encode("utf-8"), cut=cut)


def error_reply(
    status: int, message: str, *, headers: Mapping[str, str] | None = None, code: str | None = None
) -> Reply:
    """Return an error in the shape OpenAI gives it."""
    error = {"message": message, "type": "scripted", "param": None, "code": code}
    return json_reply({"error": error}, status=status, headers=headers)


def sequence(*replies: Reply | Script) -> Script:
    """Return a script that gives each reply once, in order, and the last one for ever."""
    waiting = list(replies)
    lock = threading.Lock()

    def script(request: Recorded) -> Reply:
        with lock:
            step = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return step(request) if callable(step) else step

    return script


class ScriptedServer:
    """Runs a script behind HTTP on 127.0.0.1, a thread a connection, until the block is left."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Recorded] = []
        """Every request, in the order they came in."""
        self.aborted = threading.Event()
        """Set once a client went away before its answer was complete."""
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        """The address an OpenAI client is given, with ``/v1``."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def bodies(self) -> list[Any]:
        """The JSON bodies of all requests."""
        return [request.body for request in self.requests]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the server lives: a hanging script ends with its test."""
        self._stopping.wait(seconds)

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.01)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep a client that went away out of the test's output."""


def _handler(owner: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # Else each answer waits 40 ms for an acknowledgement.

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing: tests read ``requests``."""

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            request = _read(self)
            owner.requests.append(request)
            reply = owner.script(request)
            owner.pause(reply.delay_seconds)
            try:
                _write(self, reply, owner)
            except (BrokenPipeError, ConnectionResetError, ConnectionAbortedError):
                owner.aborted.set()
                self.close_connection = True

    return Handler


def _read(handler: BaseHTTPRequestHandler) -> Recorded:
    raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    try:
        body = json.loads(raw) if raw else None
    except ValueError:
        body = None
    headers = {name.lower(): value for name, value in handler.headers.items()}
    return Recorded(handler.command, handler.path, headers, body)


def _write(handler: BaseHTTPRequestHandler, reply: Reply, owner: ScriptedServer) -> None:
    if reply.drop or reply.cut:
        handler.close_connection = True
    if not reply.drop:
        handler.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            handler.send_header(name, value)
        if isinstance(reply.body, bytes):
            _write_whole(handler, reply.body, cut=reply.cut)
        else:
            _write_stream(handler, reply.body, owner, cut=reply.cut)
    if handler.close_connection:
        # Without it the client waits for the thread's end instead of seeing the cut at once.
        handler.connection.shutdown(socket.SHUT_WR)


def _write_whole(handler: BaseHTTPRequestHandler, body: bytes, *, cut: bool) -> None:
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2] if cut else body)
    handler.wfile.flush()


def _write_stream(
    handler: BaseHTTPRequestHandler,
    pieces: Iterable[bytes | float],
    owner: ScriptedServer,
    *,
    cut: bool,
) -> None:
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for piece in pieces:
        if isinstance(piece, bytes):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            handler.wfile.flush()
        else:
            owner.pause(piece)
    if not cut:
        handler.wfile.write(b"0\r\n\r\n")
        handler.wfile.flush()


# --- embeddings -----------------------------------------------------------------------------


def vector_of(text: str, dim: int = 4) -> list[float]:
    """Return a vector that depends on the text alone, of a length other than one."""
    digest = hashlib.blake2b(text.encode("utf-8"), digest_size=dim).digest()
    return [1.0 + byte for byte in digest]


def embedding_reply(vectors: Sequence[Any], *, indexes: Sequence[int] | None = None) -> Reply:
    """Return an embeddings answer with these vectors, under these indexes."""
    places = range(len(vectors)) if indexes is None else indexes
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in zip(places, vectors, strict=True)
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return json_reply({"object": "list", "data": data, "model": "scripted", "usage": usage})


def embeddings(request: Recorded) -> Reply:
    """Answer an embeddings request as a healthy server does."""
    return embedding_reply([vector_of(text) for text in request.body["input"]])
