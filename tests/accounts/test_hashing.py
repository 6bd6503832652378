"""Passwords are hashed in turn, whatever for; who finds too many before is told, and nothing has happened."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password
from django.core.mail import EmailMessage
from django.test import Client

from accounts import hashing
from accounts.hashing import TooManyPasswords, Turns
from accounts.models import User
from config import settings as service_settings
from config import workplace
from tests.accounts.conftest import PAGE, PASSWORD, Person, code_in

NEW = "another password of the tests"


@pytest.fixture
def hashed_in_turn(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = service_settings.PASSWORD_HASHERS
    monkeypatch.setattr(hashing.PasswordHasher, "iterations", 10)


@contextmanager
def no_turn_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(hashing, "turns", Turns(at_once=1, most_waiting=0, wait=0))
        with hashing.turns.take():
            yield


def test_it_is_djangos(settings: Any) -> None:
    """Passwords of before are good, and those of now would be without it."""
    before = PBKDF2PasswordHasher().encode(PASSWORD, "salt", 10)
    settings.PASSWORD_HASHERS = service_settings.PASSWORD_HASHERS
    assert check_password(PASSWORD, before)
    assert not check_password(NEW, before)
    now = make_password(PASSWORD)
    assert now.split("$")[:2] == ["pbkdf2_sha256", str(PBKDF2PasswordHasher.iterations)]
    assert PBKDF2PasswordHasher().verify(PASSWORD, now)


def test_so_many_at_once() -> None:
    turns, hashing_now, most, lock = Turns(at_once=2, most_waiting=4, wait=60), 0, 0, threading.Lock()
    all_are_there = threading.Barrier(3)  # two that have a turn, and the test

    def one(number: int) -> None:
        nonlocal hashing_now, most
        with turns.take():
            with lock:
                hashing_now += 1
                most = max(most, hashing_now)
            if number < 2:
                all_are_there.wait(60)
            with lock:
                hashing_now -= 1

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(one, number) for number in range(2)]
        while turns._free.acquire(blocking=False):  # until both have theirs
            turns._free.release()
        done += [pool.submit(one, number) for number in range(2, 6)]
        while turns._line.acquire(blocking=False):  # until all wait
            turns._line.release()
        with pytest.raises(TooManyPasswords), turns.take():
            pass
        all_are_there.wait(60)
        for each in done:
            each.result()
    assert most == 2


def test_who_waits_too_long_is_told() -> None:
    turns = Turns(at_once=1, most_waiting=1, wait=0.01)
    with turns.take(), pytest.raises(TooManyPasswords), turns.take():
        pass
    with turns.take():  # nothing is taken for good
        pass


def test_meanwhile_another_has_the_place(hashed_in_turn: None) -> None:
    left: list[str] = []

    @contextmanager
    def leave() -> Iterator[None]:
        left.append("left")
        yield
        left.append("back")

    token = workplace.LEAVE.set(leave)
    make_password(PASSWORD)
    workplace.LEAVE.reset(token)

    assert left == ["left", "back"]


PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "sign in": ("/login", {"login": "carol@example.org", "password": PASSWORD}),
    "sign up": ("/signup", {"email": "new@example.org", "password1": NEW}),
    "sign up again": ("/signup", {"email": "carol@example.org", "password1": NEW}),
    "a new password": ("/account/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}),
    "the password once more": ("/account/reauthenticate/", {"password": PASSWORD}),
}


@pytest.mark.parametrize("page", PAGES)
def test_too_many(
    hashed_in_turn: None, carol: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, page: str
) -> None:
    path, fields = PAGES[page]
    browser = Client(headers=PAGE) if page.startswith("sign") else carol.browser
    before = User.objects.get().password
    with no_turn_left(monkeypatch):
        answers = [browser.post(path, fields) for _ in range(7 if page == "sign in" else 3)]

    for answer in answers:
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert b"Too many people are signing in just now." in answer.content
    assert not any(record.exc_info for record in caplog.records)
    assert User.objects.get().password == before
    assert browser.post(path, fields).status_code == 302  # none was counted as a wrong password


def test_too_many_after_a_code(
    hashed_in_turn: None, carol: Person, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Client(headers=PAGE)
    browser.post("/account/password/reset/", {"email": carol.user.email})
    browser.post("/account/password/reset/confirm/", {"code": code_in(mailoutbox[0])})
    new = {"password1": NEW, "password2": NEW}
    with no_turn_left(monkeypatch):
        assert browser.post("/account/password/reset/complete/", new).status_code == 503
    assert carol.sign_in() == "/dashboard"

    assert browser.post("/account/password/reset/complete/", new).status_code == 302  # the code is still good
    assert carol.sign_in(NEW) == "/dashboard"
