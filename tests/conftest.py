"""Who tests speak of: Alice has a key on Pro, Bob one on Free. Everybody's files are in a folder of the test's own."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

# Before torch is imported: workers of pytest share the cores, and results are those of one thread, to the last bit.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import settings as hypothesis_settings

from accounts.models import ApiKey, Plan, Subscription, User
from config import workplace
from inpainting import health

hypothesis_settings.register_profile("ours", deadline=None)  # timing decides no test
hypothesis_settings.load_profile("ours")

TESTS = Path(__file__).parent
SLOW = ("live", "browser", "golden")  # folders whose tests are all slow


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="Demonstrations and attacks at their full length.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast ones first."""
    for item in items:
        if item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).parts[0] in SLOW:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


class Account:
    """An account with one key, and a client that sends it."""

    def __init__(self, email: str, plan: str) -> None:
        self.user = User.objects.create_user(email)
        Subscription.objects.create(user=self.user, plan=Plan.objects.get(slug=plan))
        self.key, self.secret = ApiKey.objects.issue(self.user, "tests")
        self.client = Client(headers={"X-API-Key": self.secret})

    def limit(self, **limits: int) -> None:
        """Give the account limits of its own."""
        Subscription.objects.filter(user=self.user).update(**limits)


@pytest.fixture(autouse=True)
def _fresh(settings: object, tmp_path: Path) -> Iterator[None]:
    """No test sees another's files, address counters or answers to health checks."""
    health.database_check.forget()
    health.storage_check.forget()
    settings.STORAGES = {  # type: ignore[attr-defined]
        **settings.STORAGES,  # type: ignore[attr-defined]
        **{
            alias: {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": tmp_path / alias, "base_url": None},
            }
            for alias in ("uploads", "results", "marks")
        },
    }
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """django-ratelimit counts by the clock's minutes and hours; a slow test would now and then see two of them."""
    now = time.time()
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: now))


@pytest.fixture
def left() -> Iterator[list[bool]]:
    """Whether the place in the worker is left now: one boolean."""
    now = [False]

    @contextmanager
    def leave() -> Iterator[None]:
        now[0] = True
        yield
        now[0] = False

    token = workplace.LEAVE.set(leave)
    try:
        yield now
    finally:
        workplace.LEAVE.reset(token)


@pytest.fixture
def alice(db: None) -> Account:
    return Account("alice@example.org", "pro")


@pytest.fixture
def bob(db: None) -> Account:
    return Account("bob@example.org", "free")


@pytest.fixture
def public(db: None) -> Client:
    return Client()
