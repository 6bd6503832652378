"""What may be fetched and posted to, from real servers of the test's own."""

from __future__ import annotations

import gzip
import itertools
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from config import fetching
from config.fetching import TooManyFetches, UrlNotAllowed, UrlTooLarge, UrlUnreachable
from tests.web import Names, Web, certificate, serving

BODY = b"a picture" * 100
OK = b"HTTP/1.1 200 OK\r\n"
OPEN_END = OK + b"\r\n"  # the body ends with the connection
HERE = "127.0.0.9"  # the only inner address that may be fetched from


def get(url: str, max_bytes: int) -> bytes:
    return fetching.get(url, max_bytes, "alice")


def post(url: str, body: bytes, headers: dict[str, str]) -> fetching.Answer:
    return fetching.post(url, body, headers, "alice")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    settings.FETCH_ALLOWED_NETWORKS = [ip_network(HERE)]
    with serving(HERE) as server:
        yield server


def test_it_works(web: Web) -> None:
    url = web.put("/a b.png", BODY)

    web.pages["/a%20b.png"] = web.pages["/a b.png"]
    assert get(f"{url}?key=1#part", len(BODY)) == BODY
    head = web.heads[0]
    assert head.startswith("GET /a%20b.png?key=1 HTTP/1.1\r\n")
    assert f"Host: {HERE}:{web.server_address[1]}\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head
    assert "User-Agent: object-remover/" in head
    assert "cookie" not in head.lower()


def test_chunks(web: Web) -> None:
    web.pages["/"] = [OK + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nabcde\r\n", b"3\r\nfgh\r\n", b"0\r\n\r\n"]

    assert get(web.url(), 8) == b"abcdefgh"
    with pytest.raises(UrlTooLarge):
        get(web.url(), 7)


def test_what_is_compressed_all_the_same_is_not_unpacked(web: Web) -> None:
    bomb = gzip.compress(bytes(1 << 20))

    assert get(web.put("/", bomb, Content_Encoding="gzip"), 1 << 12) == bomb


def test_no_proxy_of_the_environment(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert get(web.put("/", BODY), 1 << 12) == BODY


# --- which addresses -------------------------------------------------------------------------------------------------

SCHEMES = [
    "gopher://127.0.0.1/",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "data:,a",
    "//127.0.0.1/",
    "a.png",
    "http:",
    "",
]
UNREADABLE = [
    "http:///a",
    "http://a b/",
    "http://[::1/",
    "http://a:99999/",
    "http://127.0.0.1\\@example.org/",
    "http://-.\xad/",
]
WITH_USERS = [f"http://user@{HERE}/", f"http://user:word@{HERE}/", f"http://:@{HERE}/"]


@pytest.mark.parametrize("url", [*SCHEMES, *UNREADABLE, *WITH_USERS])
def test_what_is_no_address_to_fetch(web: Web, url: str) -> None:
    with pytest.raises(UrlNotAllowed):
        get(url, 9)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "localhost"),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:0]"),
        *("0.0.0.0", "%31%32%37.0.0.1", "127.0.0.1\\@example.org"),  # noqa: S104 - it means this machine
        *("[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::808:808]", "[2002:7f00:1::]"),
        *("169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1", "[ff0e::1]", "[fec0::1]"),
        *("[fe80::1]", "[fd00:ec2::254]", "[2001:db8::1]", "[2001:0:7f00:1::]", "[100::1]", "[5f00::1]"),
    ],
)
@pytest.mark.parametrize("port", ["", ":443", ":22"])
def test_what_is_not_on_the_public_internet(host: str, port: str) -> None:
    with pytest.raises(UrlNotAllowed) as refused:
        get(f"http://{host}{port}/", 9)

    assert "127" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::"]
)
def test_what_is_on_the_public_internet(address: str) -> None:
    assert fetching._is_public(ip_address(address))


def test_one_inner_address_among_public_ones_is_enough(names: Names) -> None:
    names.known["pictures.test"] = [["1.1.1.1", "10.0.0.1"]]

    with pytest.raises(UrlNotAllowed):
        get("http://pictures.test/", 9)


def test_ports_of_other_services(names: Names) -> None:
    names.known["pictures.test"] = [["1.1.1.1"]]

    with pytest.raises(UrlNotAllowed, match="80, 443, 8080, 8443"):
        get("http://pictures.test:25/", 9)


def test_a_name_that_means_another_address_a_moment_later(web: Web, names: Names) -> None:
    names.known["rebinding.test"] = [[HERE], ["127.0.0.2"]]
    port = web.server_address[1]
    web.put("/", BODY)
    with socket.create_server(("127.0.0.2", port)):  # nothing may connect to it
        assert get(f"http://rebinding.test:{port}/", 1 << 12) == BODY

    assert names.asked == ["rebinding.test"]
    assert f"Host: rebinding.test:{port}\r\n" in web.heads[0]


def test_a_name_that_means_an_inner_address_the_second_time(web: Web, names: Names) -> None:
    """A redirect is another connection, so the name is resolved and checked again."""
    names.known["rebinding.test"] = [[HERE], ["127.0.0.2"]]
    web.put("/", b"", "302 Found", Location="/again")
    web.put("/again", BODY)

    with pytest.raises(UrlNotAllowed):
        get(web.url(host="rebinding.test"), 1 << 12)
    assert len(web.heads) == 1


def test_the_next_address_where_one_does_not_answer(web: Web, names: Names, settings: Settings) -> None:
    settings.FETCH_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    names.known["pictures.test"] = [["127.0.0.3", HERE]]
    web.put("/", BODY)

    assert get(web.url(host="pictures.test"), 1 << 12) == BODY


def test_names_of_any_language(web: Web, names: Names) -> None:
    names.known["xn--bcher-kva.test"] = [[HERE]]
    web.put("/", BODY)

    assert get(web.url(host="bücher.test"), 1 << 12) == BODY


@pytest.mark.parametrize("name", ["nowhere.invalid", "a" * 64 + ".test", "127.0.0.1."])
def test_a_name_that_leads_nowhere(name: str) -> None:
    with pytest.raises(UrlUnreachable, match="resolved"):
        get(f"http://{name}/", 9)


# --- redirects -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(web: Web, status: int) -> None:
    web.put("/a/1", b"", f"{status} Moved", Location="2")
    web.put("/a/2", b"", f"{status} Moved", Location="/3")
    web.put("/3", b"", f"{status} Moved", Location=web.url("/4"))
    web.put("/4", BODY)

    assert get(web.url("/a/1"), 1 << 12) == BODY
    web.put("/4", b"", f"{status} Moved", Location="/5")
    with pytest.raises(UrlUnreachable, match="3 times"):
        get(web.url("/a/1"), 1 << 12)


@pytest.mark.parametrize(
    "location",
    [
        *("http://169.254.169.254/latest/meta-data/", "http://localhost/", "http://127.0.0.2:{port}/", "//127.0.0.2/"),
        *("file:///etc/passwd", "gopher://127.0.0.1:{port}/", "http://user@127.0.0.1:{port}/", "http://[::1]/"),
        *("http://[", "http://a b/"),
    ],
)
def test_a_redirect_passes_the_same_checks(web: Web, location: str) -> None:
    web.put("/", b"", "302 Found", Location=location.format(port=web.server_address[1]))

    with pytest.raises(UrlNotAllowed):
        get(web.url(), 1 << 12)


# --- sizes and times -------------------------------------------------------------------------------------------------


def test_a_body_that_is_said_to_be_too_large_is_not_read(web: Web) -> None:
    web.pages["/"] = [OK + b"Content-Length: 1000000000000\r\n\r\n"]  # and not one byte comes

    with pytest.raises(UrlTooLarge, match="10MB"):
        get(web.url(), 10 << 20)


def test_a_body_that_does_not_end(web: Web) -> None:
    web.pages["/"] = itertools.chain([OPEN_END], itertools.repeat(bytes(1 << 16)))

    with pytest.raises(UrlTooLarge):
        get(web.url(), 1 << 20)


class Drip:
    """For ten seconds; then it would be an answer like any other. `ended`: somebody has waited for that."""

    def __init__(self, *, start: bytes = b"", drop: bytes = b"a", end: bytes = b"") -> None:
        self.start, self.drop, self.end, self.ended = start, drop, end, False

    def __iter__(self) -> Iterator[bytes]:
        yield self.start
        for _ in range(200):
            time.sleep(0.05)
            yield self.drop
        self.ended = True
        yield self.end


@pytest.mark.parametrize(
    "told",
    [
        {"drop": b"", "end": OK + b"Content-Length: 0\r\n\r\n"},
        {"start": OK + b"X: ", "end": b"\r\nContent-Length: 0\r\n\r\n"},
        {"start": OK, "drop": b"X", "end": b": a\r\n\r\n"},
        {"drop": b"HTTP/1.1 100 Continue\r\n\r\n", "end": OK + b"Content-Length: 0\r\n\r\n"},
        {"start": OPEN_END},
        {"start": OK + b"Content-Length: 200\r\n\r\n"},
        {"start": OK + b"Transfer-Encoding: chunked\r\n\r\n", "drop": b"1\r\na\r\n", "end": b"0\r\n\r\n"},
    ],
)
def test_an_answer_that_drips(web: Web, monkeypatch: pytest.MonkeyPatch, told: dict[str, bytes]) -> None:
    monkeypatch.setattr(fetching, "WHOLE", 0.3)
    web.pages["/"] = answer = Drip(**told)

    with pytest.raises(UrlUnreachable, match="longer than"):
        get(web.url(), 1 << 12)
    assert not answer.ended


def test_an_encrypted_answer_that_drips(pictures_test: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "WHOLE", 0.5)
    pictures_test.pages["/"] = answer = Drip(start=OPEN_END)

    with pytest.raises(UrlUnreachable, match="longer than"):
        get(pictures_test.url(host="pictures.test"), 1 << 12)
    assert not answer.ended


def test_redirects_share_the_time(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr("config.fetching.time.monotonic", lambda: now + 8 * len(web.heads))
    for path in range(3):
        web.put(f"/{path}", b"", "302 Found", Location=f"/{path + 1}")
    web.put("/3", BODY)

    with pytest.raises(UrlUnreachable, match="longer than 20 seconds"):
        get(web.url("/0"), 1 << 12)


def test_a_resolver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr(fetching, "RESOLVE", 0.1)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answers.wait(30))

    with pytest.raises(UrlUnreachable, match="resolved"):
        get("http://pictures.test/", 9)
    answers.set()


def test_no_caller_has_all_resolvers(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    url, answers, real = web.put("/", BODY), threading.Event(), socket.getaddrinfo

    def resolve(host: str, *arguments: Any, **named: Any) -> Any:
        if host == "silent.test":
            answers.wait(30)
            raise socket.gaierror
        return real(host, *arguments, **named)

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    with monkeypatch.context() as hurried:
        hurried.setattr(fetching, "RESOLVE", 0.01)
        for _ in range(fetching.EACH):
            with pytest.raises(UrlUnreachable, match="resolved"):
                get("http://silent.test/", 9)
        with pytest.raises(TooManyFetches):
            get("http://silent.test/", 9)
    assert fetching.get(url, 1 << 12, "bob") == BODY

    answers.set()
    while fetching._resolving:
        time.sleep(0.01)
    assert get(url, 1 << 12) == BODY


def test_nobody_there(web: Web) -> None:
    with socket.create_server((HERE, 0)) as gone:
        port = gone.getsockname()[1]

    with pytest.raises(UrlUnreachable, match="connected to"):
        get(f"http://{HERE}:{port}/", 9)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        OK + b"Content-Length: 9\r\n\r\nshort",
        OK + b"Content-Length: 5, 6\r\n\r\nshort",
        OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nshort",
        OK + b"Transfer-Encoding: chunked\r\n\r\nnone\r\n",
        OK + b"A: a\r\n" * 200 + b"\r\n",
        OK + b"A: " + b"a" * 70_000 + b"\r\n\r\n",
    ],
)
def test_an_answer_that_is_none(web: Web, answer: bytes) -> None:
    web.pages["/"] = [answer]

    with pytest.raises(UrlUnreachable):
        get(web.url(), 1 << 12)


@pytest.mark.parametrize(
    "status", ["204 No Content", "206 Partial Content", "304 Not Modified", "302 Found", "404 Not Found", "500 Oh"]
)
def test_an_answer_without_a_picture(web: Web, status: str) -> None:
    web.put("/", BODY, status)

    with pytest.raises(UrlUnreachable, match=f"answered {status[:3]}"):
        get(web.url(), 1 << 12)


def test_many_at_once(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching._places, "most", 1)
    url = web.put("/", BODY)
    with fetching._call("bob"), pytest.raises(TooManyFetches):
        get(url, 1 << 12)

    with pytest.raises(UrlUnreachable):
        get(web.url("/none"), 9)
    assert get(url, 1 << 12) == BODY  # a failure leaves its place


def test_no_caller_has_all_places(web: Web) -> None:
    url = web.put("/", BODY)
    with ExitStack() as held:
        for _ in range(fetching.EACH):
            held.enter_context(fetching._call("alice"))
        with pytest.raises(TooManyFetches):
            get(url, 1 << 12)
        assert fetching.get(url, 1 << 12, "bob") == BODY

    assert get(url, 1 << 12) == BODY
    assert not fetching._places.taken


def test_few_callers_leave_places_to_others(web: Web) -> None:
    url = web.put("/", BODY)
    with ExitStack() as held:
        for caller in ("one", "two", "three", "four"):
            with suppress(TooManyFetches):
                for _ in range(fetching.EACH):
                    held.enter_context(fetching._call(caller))

        assert fetching.get(url, 1 << 12, "five") == BODY


def test_no_log_has_the_address(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("urllib3.connection").setLevel(logging.ERROR)  # as settings.LOGGING has it; pytest takes it away
    caplog.set_level(logging.DEBUG)
    web.pages["/"] = [OK + b"no header\r\n: a\r\n\r\n"]
    get(web.url("/?signature=secret"), 9)
    web.put("/", b"", "302 Found", Location="/none?signature=secret")
    with pytest.raises(UrlUnreachable) as refused:
        get(web.url("/?signature=secret"), 9)

    assert "secret" not in caplog.text + str(refused.value)


# --- TLS -------------------------------------------------------------------------------------------------------------


def over_tls(pem: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context


@pytest.fixture
def pictures_test(tmp_path: Path, names: Names, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """https://pictures.test, whose certificate is trusted."""
    settings.FETCH_ALLOWED_NETWORKS = [ip_network(HERE)]
    names.known["pictures.test"] = names.known["other.test"] = [[HERE]]
    pem = certificate(tmp_path, "pictures.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    fetching._tls.cache_clear()
    with serving(HERE, over_tls(pem)) as server:
        yield server
    fetching._tls.cache_clear()


def test_https(pictures_test: Web) -> None:
    pictures_test.put("/", BODY)

    assert get(pictures_test.url(host="pictures.test"), 1 << 12) == BODY
    assert f"Host: pictures.test:{pictures_test.server_address[1]}\r\n" in pictures_test.heads[0]


@pytest.mark.parametrize("host", ["other.test", HERE])
def test_a_certificate_for_another_name(pictures_test: Web, host: str) -> None:
    pictures_test.put("/", BODY)

    with pytest.raises(UrlUnreachable, match="certificate"):
        get(pictures_test.url(host=host), 1 << 12)
    assert not pictures_test.heads


@pytest.mark.parametrize("days", [1, -1])
def test_a_certificate_that_nobody_trusts(web: Web, tmp_path: Path, days: int) -> None:
    with serving(HERE, over_tls(certificate(tmp_path, HERE, days=days))) as server:
        with pytest.raises(UrlUnreachable, match="certificate"):
            get(server.url(), 9)
        assert not server.heads


def test_https_where_http_is_spoken(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "CONNECT", 0.2)
    with pytest.raises(UrlUnreachable, match="connected to"):
        get(web.url().replace("http:", "https:"), 9)


def test_a_handshake_that_does_not_end(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "CONNECT", 0.2)
    with socket.create_server((HERE, 0)) as silent, pytest.raises(UrlUnreachable, match="connected to"):
        get(f"https://{HERE}:{silent.getsockname()[1]}/", 9)


# --- posting ---------------------------------------------------------------------------------------------------------


def test_post(pictures_test: Web) -> None:
    pictures_test.put("/hook", b"a" * 99_999, "503 Busy", Retry_After="7")
    url = pictures_test.url("/hook", host="pictures.test")
    answer = post(url, b"{}", {"Content-Type": "application/json"})

    assert (answer.status, answer.headers["retry-after"], answer.body) == (503, "7", b"a" * fetching.MAX_ANSWER)
    assert pictures_test.heads[0].startswith("POST /hook HTTP/1.1\r\n")
    assert "Content-Type: application/json\r\n" in pictures_test.heads[0]
    assert pictures_test.bodies == [b"{}"]


def test_post_follows_no_redirect(pictures_test: Web) -> None:
    pictures_test.put("/", b"", "307 Moved", Location="/hook")

    assert post(pictures_test.url(host="pictures.test"), b"{}", {}).status == 307
    assert len(pictures_test.heads) == 1


def test_post_wants_https_but_in_debug(web: Web, settings: Settings) -> None:
    web.put("/", b"")
    with pytest.raises(UrlNotAllowed, match="https"):
        post(web.url(), b"{}", {})
    assert not web.heads

    settings.DEBUG = True
    assert post(web.url(), b"{}", {}).status == 200


@pytest.mark.parametrize("host", ["localhost", "LocalHost.", "hook.localhost"])
def test_this_machine_by_its_name_is_refused_before_it_is_resolved(host: str, settings: Settings) -> None:
    for check in (fetching.check_source, fetching.check_target):
        with pytest.raises(UrlNotAllowed, match="public internet"):
            check(f"https://{host}/")

    settings.FETCH_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    fetching.check_source(f"http://{host}:9000/")


@pytest.mark.parametrize("host", ["127.1", "127.1.", "0x7f.1", "0X7F.1", "0177.0.0.1", "2130706433", "0", "0xa9fea9fe"])
@pytest.mark.parametrize("port", ["", ":8080"])
def test_an_inner_address_in_any_form_is_refused_before_it_is_resolved(host: str, port: str) -> None:
    for check in (fetching.check_source, fetching.check_target):
        with pytest.raises(UrlNotAllowed, match="public internet"):
            check(f"https://{host}{port}/")
        check(f"https://16843009{port}/")  # 1.1.1.1


@pytest.mark.parametrize(
    "host",
    [
        *("pictures.test:0", "pictures.test:00", "1.1.1.1:0", "pictures.test:65536"),
        *(
            "256.1.1.1",
            "1.2.3.4.5",
            "0x",
            "09.1",
            ".",
            "a..test",
            f"{'a' * 64}.test",
            "127.0.0.1%20x",
            "\uff11\uff12\uff17.0.0.1",
        ),
    ],
)
def test_what_no_name_can_be_is_refused_before_it_is_resolved(host: str, settings: Settings) -> None:
    settings.FETCH_ALLOWED_NETWORKS = [ip_network("10.0.5.0/24")]
    for check in (fetching.check_source, fetching.check_target):
        with pytest.raises(UrlNotAllowed, match=r"The address cannot be read\."):
            check(f"https://{host}/")


def test_a_names_port_is_refused_before_it_is_resolved(settings: Settings) -> None:
    for check in (fetching.check_source, fetching.check_target):
        check("https://pictures.test:8443/")
        with pytest.raises(UrlNotAllowed, match="80, 443, 8080, 8443"):
            check("https://pictures.test:22/")

    settings.FETCH_ALLOWED_NETWORKS = [ip_network("10.0.5.0/24")]
    fetching.check_target("https://pictures.test:9000/")


def test_post_to_an_inner_address(settings: Settings) -> None:
    settings.DEBUG = True
    for url in ("https://127.0.0.1/", "http://localhost/", "https://169.254.169.254/"):
        with pytest.raises(UrlNotAllowed):
            post(url, b"{}", {})
