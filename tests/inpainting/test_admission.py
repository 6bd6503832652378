"""Which pictures are let in; and that nobody else notices."""

import io
import struct
import threading
from unittest.mock import MagicMock

import pytest
from django.test import Client
from PIL import Image

from accounts.models import Usage
from inpainting import admission
from inpainting.admission import NoRoom, Room
from tests import pictures
from tests.conftest import Account
from tests.inpainting.containers.making import PNG, chunk


def test_it_works() -> None:
    room = Room(10, 0, 0)
    with room.take(6), room.take(4):
        pass
    with room.take(10):
        pass


def test_what_does_not_fit_is_refused_at_once_where_nobody_may_wait() -> None:
    room = Room(10, 0, 3600)
    with room.take(6):
        with pytest.raises(NoRoom), room.take(5):
            pass
        with room.take(4):  # small ones go on
            pass
    with room.take(5):
        pass


def test_waiting_ends() -> None:
    room = Room(10, 1, 0)
    with room.take(10), pytest.raises(NoRoom), room.take(1):
        pass
    with room.take(10):
        pass


def test_a_picture_larger_than_the_room_has_it_alone() -> None:
    room = Room(10, 0, 0)
    with room.take(1000), pytest.raises(NoRoom), room.take(1):
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


@pytest.mark.parametrize("name", ["decoders", "memory"])
def test_a_full_room_is_503_and_costs_nothing(
    name: str, alice: Account, public: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(10, 1, 0)
    monkeypatch.setattr(admission, name, room)
    image = pictures.file(pictures.photo()).getvalue()
    with room.take(10):
        answers = [
            alice.client.post("/api/v1/remove-watermark", {"image": io.BytesIO(image), "mask": io.BytesIO(image)}),
            alice.client.post("/api/v1/remove-watermark", {"image": io.BytesIO(image)}),
            alice.client.post("/api/v1/detect", {"image": io.BytesIO(image)}),
            public.post("/inpaint-multipart", {"image": io.BytesIO(image), "mask": io.BytesIO(image)}),
        ]
        health = public.get("/health")

    for answer in answers:
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "2")
    assert not Usage.objects.exclude(charged=0).exists()
    assert health.status_code == 200
    assert room._taken == 0


def test_a_picture_is_let_in_by_its_header(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the larger one of picture and mask; 40 bytes a pixel where a watermark is looked for, 10 where none is."""
    small, large = (pictures.file(Image.new("L", (side, side))).getvalue() for side in (100, 200))
    broken = PNG[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 8, 0, 0, 0, 0)) + chunk(b"IDAT", b"nothing")
    asked: list[int] = []

    def refuse(pixels: int) -> None:
        asked.append(pixels)
        raise NoRoom

    monkeypatch.setattr(admission.memory, "take", refuse)
    for files in [
        {"image": small},
        {"image": broken},
        {"image": small, "mask": large},
        {"image": large, "mask": small},
    ]:
        answer = alice.client.post("/api/v1/remove-watermark", {name: io.BytesIO(data) for name, data in files.items()})
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    files_too = [3 * len(data) for data in (small, broken, small + large, large + small)]
    assert [size - files for size, files in zip(asked, files_too, strict=True)] == [400_000, 400_000, 400_000, 400_000]


@pytest.mark.django_db
def test_memory_goes_back_to_the_system_after_a_large_picture_or_many(
    public: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    trimmed = MagicMock()
    monkeypatch.setattr("ctypes.CDLL", lambda _: trimmed)
    monkeypatch.setattr(admission, "_ended", [])  # other tests had pictures
    with admission.worked_on(1000, 1000, detects=True):
        pass
    admission.give_back()
    assert not trimmed.malloc_trim.called

    with admission.worked_on(4096 * 4096, 1000, detects=False):
        pass
    admission.give_back()
    admission.give_back()
    trimmed.malloc_trim.assert_called_once_with(0)

    trimmed.malloc_trim.reset_mock()
    for kind, mode in (("image", "RGB"), ("mask", "L")):  # of the object remover, which are decoded and kept
        file = pictures.file(Image.new(mode, (2600, 2600), 255))
        assert public.post(f"/upload-{kind}", {kind: file}).status_code == 200
        admission.give_back()
    assert trimmed.malloc_trim.call_count == 2

    for _ in range(33):  # of 31 MB
        with admission.worked_on(1024 * 768, 1000, detects=True):
            pass
    admission.give_back()
    admission.give_back()
    assert trimmed.malloc_trim.call_count == 3
