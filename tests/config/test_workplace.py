"""Who waits for its client or for the engine leaves its place to another request."""

import socket
import threading

import pytest

from config import workplace
from config.patience import PatientSocket
from inpainting import engine
from tests import pictures
from tests.conftest import Account


def test_it_works() -> None:
    working = threading.Semaphore(1)
    ours, client = socket.socketpair()
    with ours, client, PatientSocket(ours, working).place():
        assert not working.acquire(blocking=False)
        with workplace.left():
            assert working.acquire(blocking=False)
            working.release()
            with workplace.left():  # twice is once
                assert working.acquire(blocking=False)
                working.release()
        assert not working.acquire(blocking=False)
    assert working.acquire(blocking=False)


@pytest.mark.parametrize("path", ["/api/v1/remove-watermark", "/api/v1/detect", "/inpaint-multipart"])
def test_the_engine_is_asked_without_a_place(
    path: str, alice: Account, left: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def check(*_: object, **__: object) -> None:
        asked.append(left[0])
        raise engine.EngineBusy(1)

    monkeypatch.setattr("inpainting.removal.remove", check)
    monkeypatch.setattr("inpainting.findings.find", check)
    files = {"image": pictures.file(pictures.photo()), "mask": pictures.file(pictures.box_mask())}
    if path == "/api/v1/detect":
        del files["mask"]
    assert alice.client.post(path, files).status_code == 503
    assert asked == [True]
