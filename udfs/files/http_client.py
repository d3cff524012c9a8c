"""GET and HEAD requests over connections that stay open, through the environment's proxies.

urllib3 and not fsspec: fsspec reads in blocks, a request each (a 1 GB file is hundreds of requests
to a host that asks for few), and its event-loop thread does not survive the fork that makes Spark's
Python workers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from http.client import RemoteDisconnected
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import ProtocolError
from urllib3.util import make_headers

from udfs.files.retry import RemoteReadError, StatusError, raise_for_status

CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+|\*)")
_HEADERS = {"User-Agent": "taojin (Common Crawl reader)", "Accept-Encoding": "identity"}
_URL_CHARACTERS = "%/?:@&=+$,;#!'()*[]~"
_MAX_REDIRECTS = 5
_DRAIN_BYTES = 1 << 20
# How a server's closing of an idle connection looks to the next request on it.
_STALE = (RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class HttpClient:
    """Requests to one or several hosts, one after the other. One thread's; `close` it."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._hosts: dict[tuple[str, str], _Host] = {}  # by scheme, and name with port

    def request(
        self, method: str, url: str, name: str, byte_range: str = "", token: str = ""
    ) -> urllib3.BaseHTTPResponse:
        """The response after redirects: 200, 206 or 416. Its body is still to be read.

        Args:
            method: GET or HEAD.
            name: The url for messages, without credentials.
            byte_range: Value of the Range header after ``bytes=``; empty for the whole file.
            token: For the Authorization header. Only the host of `url` receives it: the store
                that a redirect leads to must not.
        Raises:
            FileNotFoundError: 404 or 410.
            PermissionError: 401 or 403.
            StatusError: a status that is worth a retry.
            RemoteReadError: any other status; more than five redirects, or one to another scheme
                than http and https.
            urllib3.exceptions.HTTPError: the connection failed.
        """
        headers = {"Range": f"bytes={byte_range}"} if byte_range else {}
        first = {"Authorization": f"Bearer {token}"} if token else {}
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._send(method, url, headers | first)
            if response.status in (200, 206, 416):
                return response
            finish(response)
            location = response.get_redirect_location()
            if not location:
                raise_for_status(response.status, name)
                raise StatusError(response.status, response.headers)
            url, first = urljoin(url, location), {}
            if urlsplit(url).scheme not in ("http", "https"):
                break
        raise RemoteReadError(
            f"redirected more than {_MAX_REDIRECTS} times, or to another scheme than https: {name}"
        )

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        for host in self._hosts.values():
            host.pool.close()
        self._hosts.clear()

    def _send(self, method: str, url: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        """The response to one request, whatever its status."""
        url = ascii_url(url)
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        host = self._hosts.get(key)
        if host is None:
            host = self._hosts[key] = _host(*key, self._timeout_s)
        opened = host.pool.num_connections
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        send = partial(
            host.pool.urlopen, method, url if host.takes_urls else target,
            headers={**_HEADERS, **headers, **host.headers}, retries=False, redirect=False,
            assert_same_host=False, preload_content=False, decode_content=False,
        )  # fmt: skip
        try:
            return send()
        except ProtocolError as error:
            if host.pool.num_connections > opened or not isinstance(error.args[-1], _STALE):
                raise
        return send()  # the connection was idle for too long: no failure of the file


class _Host(NamedTuple):
    """The connections to a host, direct or through a proxy."""

    pool: urllib3.HTTPConnectionPool
    takes_urls: bool  # a proxy that is no tunnel is sent whole urls
    headers: Mapping[str, str]  # and its own headers beside those of the host


def _host(scheme: str, netloc: str, timeout_s: float) -> _Host:
    """A host's connections, through the proxy that the environment names for it."""
    timeout = urllib3.Timeout(connect=timeout_s, read=timeout_s)
    proxy = getproxies().get(scheme)
    if not proxy or proxy_bypass(netloc):
        manager = urllib3.PoolManager(timeout=timeout)
        return _Host(manager.connection_from_url(f"{scheme}://{netloc}"), False, {})
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    user = unquote(parts.username or "")
    login = make_headers(proxy_basic_auth=f"{user}:{unquote(parts.password or '')}") if user else {}
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    manager = urllib3.ProxyManager(address, proxy_headers=login, timeout=timeout)
    pool = manager.connection_from_url(f"{scheme}://{netloc}")
    return _Host(pool, True, login) if scheme == "http" else _Host(pool, False, {})


def finish(response: urllib3.BaseHTTPResponse) -> None:
    """Read a response to its end, which frees its connection; close it where that is far."""
    if response.length_remaining != 0:
        response.read(_DRAIN_BYTES)
    if response.length_remaining != 0:
        response.close()


def ascii_url(url: str) -> str:
    """The url with the characters percent-encoded that a request cannot hold.

    >>> ascii_url("https://h/空 a%20b?x=1&y=é")
    'https://h/%E7%A9%BA%20a%20b?x=1&y=%C3%A9'
    """
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host}{slash}{quote(path, safe=_URL_CHARACTERS)}"
