"""The editor: its page, and the calls that its script makes for whoever is signed in."""

import re
from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.models import Usage
from inpainting import editor
from tests import pictures
from tests.conftest import Account

REMOVE, DETECT = "/editor/remove-watermark", "/editor/detect"
PHOTO = pictures.photo()
HOLE = pictures.box_mask() > 0


class Visitor(Client):
    """A browser on the editor's page: signed in, and with the page's CSRF token."""

    def __init__(self, account: Account) -> None:
        super().__init__(enforce_csrf_checks=True)
        self.force_login(account.user)
        page = self.get("/editor").content.decode()
        self.token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]  # type: ignore[index]

    def send(self, url: str = REMOVE, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        sent = {"image": pictures.file(PHOTO), **fields}
        return self.post(url, sent, headers={"X-CSRFToken": self.token, **(headers or {})})

    def clean(self, **more: Any) -> Any:
        return self.send(mask=pictures.file(pictures.box_mask()), **more)


@pytest.fixture
def visitor(bob: Account) -> Visitor:
    return Visitor(bob)


def test_it_works(visitor: Visitor, bob: Account) -> None:
    response = visitor.clean()

    assert response.status_code == 200
    cleaned = pictures.pixels(response.content)
    assert (cleaned[~HOLE] == PHOTO[~HOLE]).all()
    assert (cleaned[HOLE] != PHOTO[HOLE]).any()
    usage = Usage.objects.get()
    assert (usage.user, usage.api_key, usage.endpoint, usage.charged) == (bob.user, None, REMOVE, 1)


def test_it_takes_from_the_plan(visitor: Visitor, bob: Account) -> None:
    response = visitor.clean()

    headers = ("X-RateLimit-Limit", "X-Quota-Remaining", "X-Credits-Charged")
    assert [response[header] for header in headers] == ["2", "9", "1"]
    bob.limit(quota=1)
    refused = visitor.clean()
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")


def test_the_rate_is_the_account_s(visitor: Visitor, bob: Account) -> None:
    bob.limit(requests_per_minute=1, burst=1)

    assert bob.client.get("/api/v1/stats").status_code == 200
    refused = visitor.send(DETECT)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused["Retry-After"]) > 0


def test_a_lost_answer_is_not_charged_twice(visitor: Visitor) -> None:
    once, again = (visitor.clean(headers={"Idempotency-Key": "a"}) for _ in range(2))

    assert once.content == again.content
    assert "X-Credits-Charged" not in again
    assert Usage.objects.get().charged == 1


def test_what_is_found_can_be_sent_back(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {}

    class Detector:
        def detect(self, image: np.ndarray, **asked: Any) -> Any:
            told.update(asked)
            return type("Found", (), {"mask": HOLE, "boxes": []})

    monkeypatch.setattr("inpainting.engine.detect", Detector().detect)
    found = visitor.send(DETECT, headers={"Accept": "image/png"}, marked="true")

    assert told["trust"] == "one"  # who presses the button says that there is a watermark
    assert (pictures.pixels(found.content) == HOLE).all()
    assert "X-Credits-Charged" not in found


def test_a_result_may_be_larger_than_an_upload(visitor: Visitor, bob: Account) -> None:
    bob.limit(max_file_bytes=1000)

    assert visitor.clean().status_code == 200
    response = bob.client.post("/api/v1/remove-watermark", {"image": pictures.file(PHOTO)})
    assert response.json()["code"] == "image_too_large"


def test_the_side_stays_limited(visitor: Visitor, bob: Account) -> None:
    bob.limit(max_side=50)

    assert visitor.clean().json()["detail"] == "Image too large. Max dimension: 50px"


def test_a_body_beyond_any_result_is_not_read(visitor: Visitor) -> None:
    length = str(editor.FromThePage.max_body_bytes + 1)
    response = visitor.generic(
        "POST", REMOVE, b"", "multipart/form-data; boundary=x", CONTENT_LENGTH=length, HTTP_X_CSRFTOKEN=visitor.token
    )

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("url", [REMOVE, DETECT])
def test_nobody_is_refused(public: Client, url: str) -> None:
    response = public.post(url, {"image": pictures.file(PHOTO)})

    assert (response.status_code, response.json()["code"]) == (401, "signed_out")


def test_a_key_alone_does_not_open_it(alice: Account) -> None:
    assert alice.client.post(REMOVE, {"image": pictures.file(PHOTO)}).json()["code"] == "signed_out"


def test_another_site_cannot_use_the_session(visitor: Visitor) -> None:
    visitor.token = "a" * 64
    response = visitor.clean()

    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")
    assert not Usage.objects.exists()


def test_a_session_opens_no_api(bob: Account) -> None:
    browser = Client()
    browser.force_login(bob.user)

    response = browser.post("/api/v1/remove-watermark", {"image": pictures.file(PHOTO)})
    assert (response.status_code, response.json()["code"]) == (401, "missing_api_key")


def test_the_page_asks_to_sign_in(public: Client) -> None:
    assert public.get("/editor")["Location"] == "/login?next=/editor"


def test_the_page_tells_the_plan(visitor: Visitor, bob: Account) -> None:
    bob.limit(max_file_bytes=2 << 20, max_side=300)
    page = visitor.get("/editor").content.decode()

    assert 'data-max-bytes="2097152" data-max-side="300"' in page
    assert '<span id="left">10</span> of 10 pictures left today' in page


def test_wrong_ways_in_are_json(visitor: Visitor) -> None:
    text = visitor.post(REMOVE, "{}", content_type="text/plain", headers={"X-CSRFToken": visitor.token})
    assert (text.status_code, text.json()["code"]) == (415, "unsupported_media_type")
    assert visitor.get(REMOVE).json()["code"] == "method_not_allowed"
    assert visitor.get("/editor/nothing").json()["code"] == "not_found"
