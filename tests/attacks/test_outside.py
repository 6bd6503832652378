"""What an attacker who knew only the documents found: units taken twice, masks lost, accounts told, cores kept busy."""

import csv
import io
import logging
import re
import select
import socket
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from gunicorn.http.errors import InvalidChunkSize

from accounts.forms.account import SignUpForm
from accounts.models import Usage, User
from config import patience
from config.patience import CHUNK, SMALL_CHUNKS
from inpainting import storage
from inpainting.batches.models import Batch
from tests import pictures, wire
from tests.accounts.conftest import PAGE, PASSWORD
from tests.conftest import Account
from tests.inpainting.api.test_batch import MASK, PHOTO, members, send

KEY = {"Idempotency-Key": "a"}
CLEAN = "/api/v1/remove-watermark"


def test_one_key_on_two_surfaces_at_once(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is answered at once takes the key while the batch's files are being stored."""
    put, answers = storage.put_upload, list[int]()

    def put_slowly(*arguments: Any) -> Any:
        if not answers:
            files = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
            answers.append(alice.client.post(CLEAN, files, headers=KEY).status_code)
        return put(*arguments)

    monkeypatch.setattr(storage, "put_upload", put_slowly)
    batch = send(alice.client, KEY)

    assert answers == [200]
    assert (batch.status_code, batch.json()["code"]) == (422, "idempotency_key_reused")
    assert not Batch.objects.exists()
    assert Usage.objects.get(charged=1).endpoint == CLEAN


@pytest.mark.parametrize("lost", [len(b"--x--\r\n"), len(b"--\r\n"), 200])
def test_a_body_that_is_cut_off(alice: Account, lost: int) -> None:
    """The mask at its end would be lost, and the call become one without a mask."""
    image, mask = (pictures.file(pixels).getvalue() for pixels in (PHOTO, MASK))
    body = wire.multipart((b'name="image"; filename="a"', image), (b'name="mask"; filename="m"', mask))
    response = alice.client.generic("POST", CLEAN, body[:-lost], "multipart/form-data; boundary=x")

    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
    assert not Usage.objects.filter(charged=1).exists()


@pytest.mark.django_db
def test_two_sign_ups_with_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is saved when this one has been checked already."""
    look = SignUpForm.clean

    def look_and_wait(form: SignUpForm) -> Any:
        looked = look(form)
        User.objects.create_user(form.cleaned_data["email"])
        return looked

    monkeypatch.setattr(SignUpForm, "clean", look_and_wait)
    answer = Client(headers=PAGE).post("/signup", {"email": "dave@example.org", "password1": PASSWORD})

    assert answer["Location"] == "/account/confirm-email/"
    assert User.objects.get().email == "dave@example.org"


def test_no_page_tells_that_an_address_is_known(alice: Account) -> None:
    pages = []
    for email in (alice.user.email, "x" + alice.user.email):
        browser = Client(headers=PAGE)
        browser.post("/signup", {"email": email, "password1": PASSWORD})
        page = browser.get("/account/confirm-email/").content.decode().replace(email, "")
        pages.append(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page))

    assert pages[0] == pages[1]


def test_a_formula_as_a_name(alice: Account) -> None:
    names = ["=cmd|calc.png", "+1.png", "-1.png", "@x.png", "a=b.png"]
    batch = send(alice.client, images=[pictures.file(PHOTO, name=name) for name in names]).json()
    Batch.objects.get(pk=batch["id"]).items.update(state="failed", error={"code": "invalid_image", "detail": "damaged"})

    archive = members(alice.client.get(batch["links"]["results"]))
    rows = csv.DictReader(io.StringIO(archive["errors.csv"].decode()))
    assert [row["name"][0] for row in rows] == ["'", "'", "'", "'", "a"]


def test_crumbs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a chunk of one byte costs as much as reading one of kilobytes."""
    rests: list[float] = []
    monkeypatch.setattr("config.patience.time.sleep", rests.append)
    whole, crumbs = ([b"a" * size] * (SMALL_CHUNKS + 2) for size in (CHUNK, 1))
    ours, client = socket.socketpair()
    with ours, client:
        sock = patience.PatientSocket(ours, threading.Semaphore())

        assert len(list(sock.no_crumbs(whole))) == SMALL_CHUNKS + 2
        assert not rests
        with pytest.raises(InvalidChunkSize):
            list(sock.no_crumbs(crumbs))
        assert len(rests) == SMALL_CHUNKS // patience.OFTEN


@pytest.mark.parametrize("crumbs", [b"a", b"1\r\na\r\n" * 25])
def test_a_little_at_a_time(crumbs: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it costs as much as reading kilobytes, and Python's lock, for which /health waits."""
    rests: list[float] = []
    ours, client = socket.socketpair()
    with ours, client:

        class Poll:  # the client sends when the server waits for it
            def register(self, *_: Any) -> None: ...

            def poll(self, _: float) -> None:
                client.send(crumbs)

        monkeypatch.setattr(patience, "select", SimpleNamespace(poll=Poll, POLLIN=select.POLLIN))
        monkeypatch.setattr("config.patience.time.sleep", rests.append)
        sock = patience.PatientSocket(ours, threading.Semaphore())
        sock.expect_body()
        for _ in range(patience.OFTEN + 9):
            assert sock.recv(8192) == crumbs

        assert len(rests) == 8
        assert patience.REST / 2 <= min(rests) < max(rests) <= 1.5 * patience.REST


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://8.8.8.8:22/"])
def test_webhooks_to_the_inside(alice: Account, url: str) -> None:
    """Told when the endpoint is made, not when the first delivery fails."""
    new = {"url": url, "events": ["batch.succeeded"]}
    response = alice.client.post("/api/v1/webhooks", new, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "url_not_allowed")


@pytest.mark.parametrize(
    ("host", "links_to"),
    [
        ("localhost:80", "http://localhost:80"),  # the server's own
        ("localhost:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
        ("localhost:31337", "http://localhost:8080"),
        ("localhost:080", "http://localhost:8080"),
    ],
)
def test_links_to_a_port_that_is_not_ours(alice: Account, host: str, links_to: str) -> None:
    def post(path: str) -> Any:
        files = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
        return alice.client.post(path, files, headers={"host": host, "Prefer": "respond-async"}).json()

    links = [post(path)["links"]["self"] for path in (CLEAN, "/inpaint-multipart")]
    page = alice.client.get("/api/v1/batch?limit=1", headers={"host": host}).json()

    for link in (*links, page["next"]):
        assert link.startswith(f"{links_to}/api/v1/batch")


def test_a_host_that_is_not_ours_leaves_no_traceback(public: Client, caplog: pytest.LogCaptureFixture) -> None:
    response = public.post("/upload-image", headers={"host": "evil.example"})

    assert response.status_code == 400
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
