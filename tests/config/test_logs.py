"""What a line of the log says, and what none does."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from config import logs
from tests import pictures
from tests.conftest import Account

RESULT = "output_0123456789abcdef0123456789abcdef.png"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is logged meanwhile, as LOG_FORMAT=json writes it."""
    monkeypatch.setenv("LOG_FORMAT", "json")
    written: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    keep = Keep()
    keep.setFormatter(logs.formatter())
    keep.addFilter(logs.OfRequest())
    logging.getLogger().addHandler(keep)
    yield lambda: [json.loads(line) for line in written]
    logging.getLogger().removeHandler(keep)


def test_it_works(lines: Any) -> None:
    logging.getLogger("any").warning("a %s of water", "glass", extra={"seconds": 0.5})

    (line,) = lines()
    assert (line["level"], line["logger"], line["message"]) == ("WARNING", "any", "a glass of water")
    assert line["seconds"] == 0.5
    assert line["time"].endswith("+00:00")
    assert "request_id" not in line


def test_a_line_of_a_request_bears_its_id_and_its_account(alice: Account, lines: Any, settings: Any) -> None:
    settings.SLOW_REQUEST_SECONDS = 1e-9

    answer = alice.client.get("/api/v1/stats")

    (slow,) = [line for line in lines() if line["message"].startswith("slow request")]
    assert slow["request_id"] == answer["X-Request-Id"]
    assert slow["account_id"] == alice.user.pk
    assert (slow["endpoint"], slow["status"]) == ("stats", 200)


def test_a_slow_request_says_where_its_time_went(alice: Account, lines: Any, settings: Any) -> None:
    settings.SLOW_REQUEST_SECONDS = 1e-9
    files = {"image": pictures.file(pictures.photo()), "mask": pictures.file(pictures.box_mask())}
    alice.client.post("/api/v1/remove-watermark", {**files, "model": "patchmatch", "mode": "repaint"})

    (slow,) = [line for line in lines() if line["message"].startswith("slow request")]
    assert 0 < slow["inpaint"] <= slow["seconds"]
    assert slow["engine_wait"] >= 0


def test_fast_requests_are_not_told(alice: Account, lines: Any) -> None:
    alice.client.get("/api/v1/stats")

    assert not [line for line in lines() if "slow" in line["message"]]


def test_who_is_signed_in_to_a_page_is_told(alice: Account, lines: Any, settings: Any) -> None:
    settings.SLOW_REQUEST_SECONDS = 1e-9
    client = Client()
    client.force_login(alice.user)
    client.get("/dashboard")

    assert [line["account_id"] for line in lines() if line["message"].startswith("slow")] == [alice.user.pk]


def test_django_names_endpoints_and_no_paths(public: Client, lines: Any) -> None:
    answer = public.get(f"/download/{RESULT}?who=me")

    (line,) = [line for line in lines() if line["logger"] == "django.request"]
    assert line["message"] == "Not Found: download"
    assert line["request_id"] == answer["X-Request-Id"]


@pytest.mark.parametrize(
    "secret",
    [
        RESULT[:-4],
        "sk_live_abcDEF0123456789abcDEF0123456789",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "somebody@example.org",
        "john.doe!@example.com",
        "o'brien.secret'@example.com",
        "{john}@example.com",
        "john.smith&co@localhost",
        "john@ex\u00e4mple.com",
        "john@ex\u00adample\uff0ecom",
        "output_0123456789abcdef0123456789abcdef.john@example.com",
        "token=abc&x=1",
    ],
)
def test_what_is_never_told(lines: Any, secret: str) -> None:
    told = f'before\n{secret} "after"' if "token" not in secret else f"https://a.example/b?{secret} after"
    logging.getLogger("any").error("%s", told, exc_info=ValueError(told))

    (line,) = lines()
    assert secret not in json.dumps(line)
    assert "after" in line["message"]
    assert "ValueError" in line["exc_info"]
    assert secret not in logs.Redacted("{message}", style="{").format(_record(told))


def test_long_lines_are_read_in_time() -> None:
    """A pattern that looks back at each character would take minutes."""
    assert logs.redacted("a" * 1_000_000).startswith("aaa")
    assert logs.redacted("a.?" * 300_000)
    assert logs.redacted("a.@" * 300_000)
    assert logs.redacted("a" * 1_000_000 + "@example.com") == "[...]"


def test_another_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "xml")

    with pytest.raises(ImproperlyConfigured, match="json or line"):
        logs.formatter()


def _record(told: str) -> logging.LogRecord:
    return logging.LogRecord("any", logging.ERROR, __file__, 1, told, None, None)


def test_no_traceback_of_what_a_request_did_wrong(lines: Any, alice: Account) -> None:
    """Anybody could fill the log with them."""
    page = Client()
    page.force_login(alice.user)

    assert page.get("/admin/login/?next=/admin/").status_code == 403
    assert page.get("/batches/00000000-0000-0000-0000-000000000000").status_code == 404

    assert lines()
    assert not [line for line in lines() if "exc_info" in line]
