"""Whether an address is of a host that is preferred."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from udfs.normalise import normalise_host


class PreferredHosts:
    """Hosts, each with all hosts below it."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(normalise_host(host) for host in hosts)

    def match(self, url: str | None) -> bool:
        """Whether the URL's host is one of them, or below one.

        >>> PreferredHosts(["People.com.cn"]).match("http://news.people.com.cn:80/1")
        True
        >>> PreferredHosts(["people.com.cn"]).match("http://otherpeople.com.cn/")
        False
        """
        if not self._hosts or url is None:
            return False
        try:
            host = normalise_host(urlsplit(url.strip()).hostname or "")
        except ValueError:  # a broken IPv6 host
            return False
        while host:
            if host in self._hosts:
                return True
            host = host.partition(".")[2]
        return False
