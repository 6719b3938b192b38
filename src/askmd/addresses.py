"""Addresses of servers: which texts are one, and which of them stay on this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit, urlunsplit

OPENAI_URL = "https://api.openai.com/v1"


def is_address(url: str) -> bool:
    """Whether a text is the address of a server: http or https, a host, no password."""
    try:
        parts = urlsplit(url)
        is_plain = "@" not in parts.netloc and parts.port != 0
        return parts.scheme in ("http", "https") and bool(parts.hostname) and is_plain
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Whether an endpoint's host is this machine itself."""
    try:
        host = (urlsplit(url).hostname or "").lower()
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """Return an address as it may be shown: without a user's name, a password and a query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2].partition("?")[0]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query="", fragment=""))
