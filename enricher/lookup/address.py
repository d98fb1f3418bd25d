"""Where the key may go: which addresses of the API and of a proxy are safe to use. Sends nothing."""

from __future__ import annotations

import contextlib
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from enricher.errors import ConfigError
from enricher.model import SANDBOX_HOST

if TYPE_CHECKING:
    from urllib.parse import SplitResult


def check_url(url: str) -> str:
    """Return the API's address without a trailing slash.

    Raises ConfigError for plain http to another machine (the key would travel in the open), and for addresses that
    carry a user, a query or a fragment.
    """
    parts = _split(url, "API")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("the API address must look like https://api.asinscope.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError("the API address must be a plain address, without a user, a query or a fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigError(f"plain http:// to {parts.hostname} would send the API key in the open: use https://")
    return url.strip().rstrip("/")


def check_proxy(url: str) -> str:
    """Return the address of a proxy without a trailing slash.

    Raises ConfigError for anything but http://host:port. A proxy is only asked to open a tunnel (CONNECT), in which
    TLS goes on to the API: plain http is enough for that, and the proxy never sees the key.
    """
    parts = _split(url, "proxy")
    if parts.username or parts.password:
        raise ConfigError("the proxy address must be without a user and a password: enricher does not log in to one")
    if parts.scheme != "http" or not parts.hostname or not parts.port or parts.path.strip("/"):
        raise ConfigError("the proxy address must look like http://proxy.example:3128")
    if parts.query or parts.fragment:
        raise ConfigError("the proxy address must be a plain address, without a query or a fragment")
    return url.strip().rstrip("/")


def host_of(url: str) -> str:
    """Return the name of the service behind an address; a server of this machine is always called SANDBOX_HOST.

    Raises ConfigError as `check_url`.
    """
    host = urlsplit(check_url(url)).hostname or ""
    return SANDBOX_HOST if is_loopback(host) else host


def is_loopback(host: str) -> bool:
    """Tell whether a host, by name or number, is this machine itself.

    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("192.168.0.1")
    (True, True, True, False)
    """
    if host == SANDBOX_HOST:
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _split(url: str, whose: str) -> SplitResult:
    # Nothing of the address is repeated, nor the error that may repeat it: people paste it with the key in it.
    with contextlib.suppress(ValueError):
        parts = urlsplit(url.strip())
        parts.port  # noqa: B018 - reading it is what checks it
        return parts
    raise ConfigError(f"the {whose} address can't be read: look at its brackets and its port")
