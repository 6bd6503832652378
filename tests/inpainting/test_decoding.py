"""Who may decode now; and that nobody else notices."""

import io
import threading
from typing import Any

import pytest
from django.test import Client

from accounts.models import Usage
from inpainting import decoding
from inpainting.decoding import DecodersBusy, Room
from tests import pictures
from tests.conftest import Account


def test_it_works() -> None:
    room = Room(10, 0, 0)
    with room.take(6), room.take(4):
        pass
    with room.take(10):
        pass


def test_what_does_not_fit_is_refused_at_once_where_nobody_may_wait() -> None:
    room = Room(10, 0, 3600)
    with room.take(6):
        with pytest.raises(DecodersBusy), room.take(5):
            pass
        with room.take(4):  # small ones go on
            pass
    with room.take(5):
        pass


def test_waiting_ends() -> None:
    room = Room(10, 1, 0)
    with room.take(10), pytest.raises(DecodersBusy), room.take(1):
        pass
    with room.take(10):
        pass


def test_a_picture_larger_than_the_room_has_it_alone() -> None:
    room = Room(10, 0, 0)
    with room.take(1000), pytest.raises(DecodersBusy), room.take(1):
        pass


def test_an_error_gives_the_room_back() -> None:
    room = Room(10, 0, 0)
    with pytest.raises(ValueError), room.take(10):  # noqa: PT011, any error
        raise ValueError
    with room.take(10):
        pass


def test_whoever_waits_gets_what_others_give_back() -> None:
    room, inside, done = Room(10, 8, 60), [], threading.Event()

    def work() -> None:
        with room.take(5):
            inside.append(room._taken)
            done.wait(0.01)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(inside) == 8
    assert max(inside) <= 10


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Any:
    room = Room(10, 1, 0)
    monkeypatch.setattr(decoding, "room", room)
    with room.take(10):
        yield room


@pytest.mark.usefixtures("full")
def test_a_full_room_is_503_and_costs_nothing(alice: Account, public: Client) -> None:
    image = pictures.file(pictures.photo()).getvalue()
    answers = [
        alice.client.post("/api/v1/remove-watermark", {"image": io.BytesIO(image), "mask": io.BytesIO(image)}),
        public.post("/upload-image", {"image": io.BytesIO(image)}),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "2")
    assert not Usage.objects.exclude(charged=0).exists()
    assert public.get("/health").status_code == 200
