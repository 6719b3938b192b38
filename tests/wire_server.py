"""A server that puts exactly the bytes of a script on the wire: what no HTTP library would send.

with WireServer(lambda: [b"HTTP/1.1 200 OK\\r\\n", 0.5, RESET]) as server:
    client = OpenAI(base_url=server.base_url, api_key="none")
assert server.requests[0].path == "/v1/chat/completions"
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Literal, Self

from servers import Recorded

RESET: Final = "reset"
"""Break the connection off as a crashed machine does, and not as one that has said all."""
Piece = bytes | float | Literal["reset"]
"""Bytes are sent; a number is a pause in seconds."""
Wire = Callable[[], Iterable[Piece]]

# Made for these tests, valid for a hundred years, and trusted by nobody.
SELF_SIGNED = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglZDDMEB6RS2cJ8re
FPAm4eRfkX8eMylPSka7MF4vxrShRANCAASuuiFGN7Or4QZiJDDdZkfi/tL0odht
RC7oe3RDOYwMm4ma61Aw52267ads4ZrFwu2pczxMKp0dI93yP0ec8Fiz
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUU+LmL2RF8eDRM/LlRBTayxlLPlEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzIwMDk0OFoYDzIxMjYxMDMw
MjAwOTQ4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASuuiFGN7Or4QZiJDDdZkfi/tL0odhtRC7oe3RDOYwMm4ma61Aw5226
7ads4ZrFwu2pczxMKp0dI93yP0ec8Fizo28wbTAdBgNVHQ4EFgQU1OH6szUhUbKm
OXoVBdXJSe+IbbkwHwYDVR0jBBgwFoAU1OH6szUhUbKmOXoVBdXJSe+IbbkwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgZbCj3TSeuGl6qNTq5Voi7exxXwLuuSw8OIaVt/puMRACIQCY
kCris1YkOwMDzpDlRkb/s/9crIIlPEnunhfN+4AMFA==
-----END CERTIFICATE-----
"""
LONGEST_WAIT_SECONDS = 20.0
_NO_LINGER = struct.pack("ii", 1, 0)


class WireServer:
    """Answers every connection on 127.0.0.1 with the script's bytes, until the block is left."""

    def __init__(self, script: Wire, *, is_tls: bool = False, is_rude: bool = False) -> None:
        """is_rude: do not wait for a request before speaking."""
        self.requests: list[Recorded] = []
        self._script = script
        self._is_rude = is_rude
        self._scheme = "https" if is_tls else "http"
        self._tls = _self_signed() if is_tls else None
        self._stopping = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    @property
    def base_url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_how: object) -> None:
        self._stopping.set()
        # A close alone does not wake a thread that waits in accept on Linux.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(timeout=5)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _address = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(LONGEST_WAIT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), plain:
            if self._tls is None:
                self._answer(plain)
            else:
                with self._tls.wrap_socket(plain, server_side=True) as wrapped:
                    self._answer(wrapped)

    def _answer(self, connection: socket.socket) -> None:
        if not self._is_rude:
            self.requests.append(_read(connection))
        for piece in self._script():
            if self._stopping.is_set():
                return
            if piece == RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                return
            if isinstance(piece, bytes):
                connection.sendall(piece)
            else:
                self._stopping.wait(float(piece))
        connection.shutdown(socket.SHUT_WR)
        # Closing with something unread would reset what was just sent.
        while connection.recv(65536):
            pass


def _read(connection: socket.socket) -> Recorded:
    """Return a request, read to its end; OSError if it has none."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        seen += _some(connection)
    head, _, body = seen.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _version = first.split(" ", 2)
    pairs = [line.partition(":") for line in lines]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    while len(body) < int(headers.get("content-length", 0)):
        body += _some(connection)
    return Recorded(method, path, headers, json.loads(body) if body else None)


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ConnectionResetError
    return received


def _self_signed() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "self-signed.pem")
        file.write_text(SELF_SIGNED, encoding="ascii")
        context.load_cert_chain(file)
    return context
