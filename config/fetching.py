"""The one guard for every address that callers name: what is read from, or posted to, and for how long.

A name is resolved once, all its addresses must be public, and the connection is made to one that was checked: that the
name means another address a moment later (DNS rebinding) changes nothing. Each redirect passes the same checks. Neither
errors nor logs tell an address: its query may hold a signature, and what it resolves to is nobody's business.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import cache
from http.client import HTTPException
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple
from urllib.parse import urljoin

from django.conf import settings
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import Url, parse_url

from config.places import NoPlace, Place, Places

Address = IPv4Address | IPv6Address

# Seconds until a name is resolved, until one address is connected to, and in all, however slowly an answer drips.
RESOLVE, CONNECT, WHOLE = 5.0, 3.0, 20.0
MAX_REDIRECTS = 3
DEFAULT_PORTS = {"http": 80, "https": 443}
PORTS = (80, 443, 8080, 8443)  # those of other services are no web servers', and not to be knocked at through us
# So many calls of a process at once: half of the web server's threads stay free however slowly others' servers answer.
# And of one caller, whose slow addresses must not keep everybody else's from being fetched.
MOST_AT_ONCE, EACH = 16, 4
# Seconds that nobody is disturbed for. Six callers with slow addresses can have all places, and keep them for as long.
UNDISTURBED = 2.0
LEAVING = 4  # calls that gave way and have not ended yet: a connection that is being made is waited for
RESOLVERS = 64  # threads: a name server that is silent holds one for longer than a call has its place
USER_AGENT = f"object-remover/{settings.VERSION}"
UNREADABLE = "The address cannot be read."
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
LONGEST_LABEL = 63  # characters between two dots of a name: RFC 1035
MAX_ANSWER = 1 << 14  # bytes that are kept of the answer to a POST

GLOBAL_UNICAST, NAT64 = ip_network("2000::/3"), ip_network("64:ff9b::/96")  # RFC 4291 and 6052
# What counts as global and yet leads to a provider's inside: protocol assignments, 6to4 relays, Azure's platform.
INSIDE = [ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")]

_lock = threading.Lock()
_places = Places(MOST_AT_ONCE, EACH, leaving=LEAVING, even=UNDISTURBED, uneven=UNDISTURBED)
_resolving = Counter[str]()  # names of each caller's, also those that it waits for no longer
_resolvers = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolver")  # the system's own has no time limit


class FetchError(ValueError):
    """What is wrong with the caller's address."""


class UrlNotAllowed(FetchError):
    pass


class UrlUnreachable(FetchError):
    pass


class UrlTooLarge(FetchError):
    pass


class TooManyFetches(Exception):
    """Come later: as many addresses are being fetched as may be at once, in all or of this caller."""

    retry_after = 2  # seconds

    def __init__(self) -> None:
        super().__init__("The server is busy fetching pictures. Please try again later.")


class GaveWay(Exception):
    """The address is slow, and its place was another caller's turn. Come later."""

    retry_after = 2  # seconds

    def __init__(self) -> None:
        super().__init__("The address's server is slow while others wait. Please try again later.")


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]  # in any case
    body: bytes


class Call(NamedTuple):
    """One that goes on until its place is another caller's turn, or its time is over."""

    place: Place
    deadline: float

    def left(self) -> float:
        """Seconds. Raises UrlUnreachable where there are none, GaveWay."""
        if self.place.gave_way.done():
            raise GaveWay
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise UrlUnreachable(f"The address's server took longer than {WHOLE:g} seconds.")
        return left

    def connected(self, address: Address) -> None:
        """To one of the addresses that whoever is behind them may have by the thousand."""
        self.place.group = ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False)


def get(url: str, max_bytes: int, caller: str) -> bytes:
    """What lies at `url`, after at most MAX_REDIRECTS. Raises FetchError, TooManyFetches, GaveWay.

    `caller`: equal for all calls of one account, or of one address that has none.
    """
    parsed = _parsed(url)
    with _call(caller) as call:
        for _ in range(1 + MAX_REDIRECTS):
            with _asked(parsed, call) as response:
                location = response.get_redirect_location()
                if not location:
                    return _whole(response, max_bytes, call)
            parsed = _parsed(location, parsed.url)
    raise UrlUnreachable(f"The address is redirected more than {MAX_REDIRECTS} times.")


def post(url: str, body: bytes, headers: Mapping[str, str], caller: str) -> Answer:
    """Whatever is answered, redirects too; its first MAX_ANSWER bytes. https alone, but in DEBUG. Raises as get."""
    parsed = check_target(url)
    with _call(caller) as call, _asked(parsed, call, body, headers) as response:
        return Answer(response.status, response.headers, response.read(MAX_ANSWER))


def check_source(url: str) -> None:
    """Refuse what may never be read from, as far as the address itself tells. Raises UrlNotAllowed."""
    _check_unresolved(_parsed(url))


def _check_unresolved(parsed: Url) -> None:
    address = _written(_host(parsed).rstrip(".").lower())
    if address is not None:
        _check([address], _port(parsed))
    elif not settings.FETCH_ALLOWED_NETWORKS:  # it may be in one of those, where every port is allowed
        _check_port(_port(parsed))


def _written(host: str) -> Address | None:
    """The address that `host` is; None: it is a name, which is resolved when it is fetched. Raises UrlNotAllowed."""
    labels = host.split(".")
    if labels[-1] == "localhost":  # this machine, whatever resolves it: RFC 6761
        return IPv4Address("127.0.0.1")
    with suppress(ValueError):
        return ip_address(host)
    if NUMBER.fullmatch(labels[-1]):  # no domain is called so: an IPv4 address, as 127.1, 0x7f.1 or 2130706433
        with suppress(OSError):
            return IPv4Address(socket.inet_aton(host))
        raise UrlNotAllowed(UNREADABLE)
    if "%" in host or not all(0 < len(label) <= LONGEST_LABEL for label in labels):
        raise UrlNotAllowed(UNREADABLE)
    return None


def check_target(url: str) -> Url:
    """Refuse what may never be posted to, whatever its name resolves to. Raises UrlNotAllowed."""
    parsed = _parsed(url)
    if parsed.scheme != "https" and not settings.DEBUG:
        raise UrlNotAllowed("The address must be https.")
    _check_unresolved(parsed)
    return parsed


@contextmanager
def _call(caller: str) -> Iterator[Call]:
    try:
        place = _places.take(caller)
    except NoPlace:
        raise TooManyFetches from None
    try:
        yield Call(place, time.monotonic() + WHOLE)
    finally:
        _places.leave(place)


def _parsed(url: str, base: str = "") -> Url:
    """`url` may be relative where there is a `base`."""
    try:
        parsed = parse_url(urljoin(base, url))
    except ValueError as error:
        raise UrlNotAllowed(UNREADABLE) from error
    if parsed.port == 0:  # which would mean any
        raise UrlNotAllowed(UNREADABLE)
    if parsed.scheme not in DEFAULT_PORTS or not parsed.host:
        raise UrlNotAllowed("Only http and https addresses are allowed.")
    if parsed.auth is not None:
        raise UrlNotAllowed("An address with a user name or password is not allowed.")
    return parsed


@contextmanager
def _asked(
    url: Url, call: Call, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Iterator[BaseHTTPResponse]:
    """The answer of the first of the url's addresses that can be connected to: to a POST, where there is a body."""
    method = "GET" if body is None else "POST"
    ours = {"Host": url.netloc or "", "User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Connection": "close"}
    sent = {**ours, **(headers or {})}
    connection = _connected(url, call)
    try:
        with _cut_off(connection.sock, call):
            connection.request(method, url.request_uri, body, sent, preload_content=False, decode_content=False)
            with connection.getresponse() as response:
                yield response
    except (OSError, HTTPException, HTTPError) as error:
        call.left()
        raise UrlUnreachable("The address's server broke off, or does not speak HTTP.") from error
    finally:
        connection.close()


@contextmanager
def _cut_off(sock: socket.socket, call: Call) -> Iterator[None]:
    """Once the call's time is over, or it gives way, nothing more comes from `sock`.

    A time limit of the socket's own would begin anew with each byte.
    """

    def cut(_: object = None) -> None:
        with suppress(OSError):  # it has just been closed
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not TLS's own, which takes it from under its reader

    timer = threading.Timer(call.left(), cut)
    timer.start()
    call.place.gave_way.add_done_callback(cut)
    try:
        yield
    finally:
        timer.cancel()


def _whole(response: BaseHTTPResponse, max_bytes: int, call: Call) -> bytes:
    if response.status != 200:
        raise UrlUnreachable(f"The address's server answered {response.status}.")
    body = bytearray()
    too_large = (response.length_remaining or 0) > max_bytes  # as the server says
    while not too_large and (block := response.read(1 << 16)):
        body += block
        too_large = len(body) > max_bytes
    if too_large:
        raise UrlTooLarge(f"What lies at the address is too large. Max size: {max_bytes / (1 << 20):.3g}MB")
    call.left()  # a body that was cut off may look like a whole one
    return bytes(body)


def _connected(url: Url, call: Call) -> HTTPConnection:
    failure: Exception | None = None
    for address in _checked_addresses(url, call):
        connection = _connection(url, address, min(CONNECT, call.left()))
        try:
            connection.connect()
        except (OSError, HTTPError) as error:
            failure = error
            connection.close()
        else:
            call.connected(address)
            connection.timeout = WHOLE
            return connection
    how = "trusted: its certificate or TLS is broken" if isinstance(failure, ssl.SSLError) else "connected to"
    raise UrlUnreachable(f"The address's server cannot be {how}.") from failure


def _connection(url: Url, address: Address, timeout: float) -> HTTPConnection:
    where, port = str(address), _port(url)
    if url.scheme == "http":
        return HTTPConnection(where, port, timeout=timeout)
    return HTTPSConnection(where, port, timeout=timeout, server_hostname=_host(url), ssl_context=_tls())


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _checked_addresses(url: Url, call: Call) -> list[Address]:
    """All of the url's, resolved now. Raises UrlNotAllowed if one of them may not be connected to."""
    lookup = _lookup(url, str(call.place.caller))
    wait([lookup, call.place.gave_way], min(RESOLVE, call.left()), FIRST_COMPLETED)
    try:
        found = lookup.result(0)
    except (OSError, UnicodeError) as error:
        lookup.cancel()
        call.left()
        raise UrlUnreachable("The address's name cannot be resolved.") from error
    addresses = list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
    _check(addresses, _port(url))
    return addresses


def _lookup(url: Url, caller: str) -> Future[Any]:
    """The system's answer, some day: a name server that is silent holds its thread longer than anybody waits.

    Raises TooManyFetches: the caller has as many threads as one may.
    """

    def ended(_: object) -> None:
        with _lock:
            _resolving[caller] -= 1
            if not _resolving[caller]:
                del _resolving[caller]

    with _lock:
        if _resolving[caller] >= EACH:
            raise TooManyFetches
        _resolving[caller] += 1
    lookup = _resolvers.submit(socket.getaddrinfo, _host(url), _port(url), type=socket.SOCK_STREAM)
    lookup.add_done_callback(ended)
    return lookup


def _check(addresses: list[Address], port: int) -> None:
    """Raises UrlNotAllowed if one of them may not be connected to."""
    others = [address for address in addresses if not _is_in(address, settings.FETCH_ALLOWED_NETWORKS)]
    if not all(_is_public(address) for address in others):
        raise UrlNotAllowed("Only addresses on the public internet are allowed.")
    if others:
        _check_port(port)


def _check_port(port: int) -> None:
    if port not in PORTS:
        raise UrlNotAllowed(f"Only the ports {', '.join(map(str, PORTS))} are allowed.")


def _is_public(address: Address) -> bool:
    """Judged by the IPv4 address that it stands for, where it is a translated or tunnelled one."""
    if isinstance(address, IPv6Address):
        low = IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None
        inner = address.ipv4_mapped or address.sixtofour or low
        if inner is None:
            return address in GLOBAL_UNICAST and address.is_global
        address = inner
    return address.is_global and not address.is_multicast and not _is_in(address, INSIDE)


def _is_in(address: Address, networks: list[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _host(url: Url) -> str:
    return (url.host or "").strip("[]")


def _port(url: Url) -> int:
    return DEFAULT_PORTS[url.scheme or ""] if url.port is None else url.port
