"""The editor: its page, and the calls that its script makes for whoever is signed in."""

import base64
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.models import Usage
from inpainting import editor, masks
from inpainting.batches.work import Worker
from inpainting.engine.interface import Found
from tests import pictures
from tests.conftest import Account

REMOVE, DETECT, BATCH = "/editor/remove-watermark", "/editor/detect", "/editor/batch"
PHOTO = pictures.photo()
HOLE = pictures.box_mask() > 0


class Visitor(Client):
    """A browser on the editor's page, with its CSRF token; signed in, or a stranger's."""

    def __init__(self, account: Account | None) -> None:
        super().__init__(enforce_csrf_checks=True)
        if account:
            self.force_login(account.user)
        page = self.get("/editor").content.decode()
        self.token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]  # type: ignore[index]

    def send(self, url: str = REMOVE, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        sent = {"image": pictures.file(PHOTO), **fields}
        return self.post(url, sent, headers={"X-CSRFToken": self.token, **(headers or {})})

    def send_batch(self, **more: Any) -> Any:
        masks = [pictures.file(pictures.box_mask()) for _ in range(2)]
        return self.post(
            BATCH,
            {"images": [pictures.file(PHOTO, name=name) for name in "ab"], "masks": masks, **more},
            headers={"X-CSRFToken": self.token},
        )

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
            probability = np.zeros(HOLE.shape)
            probability[5, 5:10] = 0.9
            proposals = [Found(0, 0, 8, 8, 0.25)]
            return SimpleNamespace(mask=HOLE, boxes=[], proposals=proposals, probability=probability)

    monkeypatch.setattr("inpainting.engine.detect", Detector().detect)
    found = visitor.send(DETECT, marked="true")

    assert told["trust"] == "one"  # who presses the button says that there is a watermark
    shown = pictures.pixels(base64.b64decode(found.json()["mask"]))
    assert (shown[HOLE] == masks.WHITE).all()
    proposed = np.zeros(HOLE.shape, bool)
    proposed[5, 5:8] = True  # where it is likely, inside of the proposal
    assert ((shown == editor.PROPOSED) == (proposed & ~HOLE)).all()
    proposal = {"kind": "watermark", "x": 0, "y": 0, "width": 8, "height": 8, "score": 0.25}
    assert found.json()["proposals"] == [proposal]
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


def test_a_stranger_has_some_pictures_a_day(db: None, settings: Any) -> None:
    settings.PUBLIC_PICTURES = 2
    stranger = Visitor(None)
    answers = [stranger.clean() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["X-Quota-Remaining"] for answer in answers[:2]] == ["1", "0"]
    assert answers[2].json()["code"] == "quota_exceeded"
    assert int(answers[2]["Retry-After"]) > 0
    assert not Usage.objects.exists()


def test_a_stranger_is_told_what_is_left(db: None, settings: Any) -> None:
    settings.PUBLIC_PICTURES = 2
    stranger = Visitor(None)

    def on_the_page(path: str) -> str:
        return re.search(r'<span id="left" data-left="(\d+)">\1</span> free', stranger.get(path).content.decode())[1]  # type: ignore[index]

    assert on_the_page("/editor") == "2"
    assert stranger.send(DETECT)["X-Quota-Remaining"] == "2"
    stranger.clean()
    assert on_the_page("/") == on_the_page("/editor") == "1"
    stranger.clean()
    assert stranger.clean()["X-Quota-Remaining"] == "0"  # refused
    assert on_the_page("/editor") == "0"


def test_signing_in_comes_back(public: Client) -> None:
    page = public.get("/editor").content.decode()

    assert '<a href="/login?next=/editor">Sign in</a>' in page
    assert '<a class="button" href="/signup?next=/editor">Sign up</a>' in page
    assert '<a href="/login">Sign in</a>' in public.get("/").content.decode()


def test_what_fails_or_finds_nothing_costs_a_stranger_nothing(db: None, settings: Any) -> None:
    settings.PUBLIC_PICTURES = 1
    stranger = Visitor(None)
    assert stranger.clean(image="no picture").status_code == 400
    assert stranger.clean(mode="restore")["X-Quota-Remaining"] == "1"

    assert stranger.clean().status_code == 200


def test_a_stranger_s_pictures_are_smaller(db: None, settings: Any) -> None:
    settings.PUBLIC_SIDE = 50

    assert Visitor(None).clean().json()["detail"] == "Image too large. Max dimension: 50px"


@pytest.mark.parametrize(
    "asked", [{"image_url": "https://example.org/a.png"}, {"headers": {"Prefer": "respond-async"}}]
)
def test_nothing_is_fetched_or_stored_for_a_stranger(db: None, asked: dict[str, Any]) -> None:
    assert Visitor(None).clean(**asked).json()["code"] == "invalid_request"


@pytest.mark.parametrize("url", [REMOVE, DETECT])
def test_strangers_can_be_kept_out(public: Client, settings: Any, url: str) -> None:
    settings.PUBLIC_PICTURES = 0
    response = public.post(url, {"image": pictures.file(PHOTO)})

    assert (response.status_code, response.json()["code"]) == (401, "signed_out")
    assert public.get("/editor")["Location"] == "/login?next=/editor"
    assert b"Sign up free" in public.get("/").content
    assert b'id="file"' not in public.get("/").content


def test_an_account_s_page_does_not_go_on_as_a_stranger_s(public: Client) -> None:
    response = public.post(REMOVE + "?account", {"image": pictures.file(PHOTO)})

    assert (response.status_code, response.json()["code"]) == (401, "signed_out")


def test_a_key_alone_does_not_open_it(alice: Account) -> None:
    alice.client.handler.enforce_csrf_checks = True

    assert alice.client.post(REMOVE, {"image": pictures.file(PHOTO)}).json()["code"] == "csrf_failed"


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


def test_many_pictures_are_one_batch(visitor: Visitor) -> None:
    sent = visitor.send_batch()
    assert sent.status_code == 202
    assert sent["X-Quota-Remaining"] == "8"
    worker = Worker()
    while worker.work_next():
        pass

    answers = [visitor.get(f"{BATCH}/{sent.json()['id']}") for _ in range(10)]  # no rate: it looks as pages look
    assert {answer.status_code for answer in answers} == {200}
    batch = answers[0].json()
    assert (batch["status"], batch["succeeded"]) == ("succeeded", 2)
    assert [(item["name"], item["status"]) for item in batch["items"]] == [
        ("a.png", "succeeded"),
        ("b.png", "succeeded"),
    ]
    cleaned = pictures.pixels(visitor.get(batch["items"][1]["result"]["url"]).getvalue())
    assert (cleaned[~HOLE] == PHOTO[~HOLE]).all()


def test_a_batch_is_cancelled_at_no_charge(visitor: Visitor) -> None:
    where = f"{BATCH}/{visitor.send_batch().json()['id']}"
    refused = visitor.delete(where)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")

    cancelled = visitor.delete(where, headers={"X-CSRFToken": visitor.token})
    assert (cancelled.status_code, cancelled.json()["cancelled"]) == (200, 2)
    assert cancelled["X-Quota-Remaining"] == "10"


def test_a_batch_is_its_account_s(visitor: Visitor, alice: Account, public: Client) -> None:
    where = f"{BATCH}/{visitor.send_batch().json()['id']}"

    assert public.get(where).json()["code"] == "missing_api_key"
    assert Visitor(alice).get(where).json()["code"] == "not_found"
    assert Visitor(None).send_batch().json()["code"] == "missing_api_key"
    assert not Usage.objects.filter(user=alice.user).exists()


def test_the_page_tells_the_plan(visitor: Visitor, bob: Account) -> None:
    bob.limit(max_file_bytes=2 << 20, max_side=300)
    page = visitor.get("/editor").content.decode()

    assert 'data-max-bytes="2097152" data-max-side="300"' in page
    assert '<span id="left" data-left="10">10</span> of <span id="limit-now">10</span> left today' in page
    assert '<span id="used-up" hidden>' in page
    bob.limit(quota=0)
    assert '<span id="used-up">; more tomorrow, 00:00 UTC' in visitor.get("/editor").content.decode()


def test_wrong_ways_in_are_json(visitor: Visitor) -> None:
    text = visitor.post(REMOVE, "{}", content_type="text/plain", headers={"X-CSRFToken": visitor.token})
    assert (text.status_code, text.json()["code"]) == (415, "unsupported_media_type")
    assert visitor.get(REMOVE).json()["code"] == "method_not_allowed"
    assert visitor.get("/editor/nothing").json()["code"] == "not_found"
