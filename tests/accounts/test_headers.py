"""X-RateLimit-* and X-Quota-* are on every answer to an account, errors included, and tell the truth."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from inpainting import engine, service
from tests.conftest import Account
from tests.inpainting.api.test_remove_watermark import send

URL = "/api/v1/remove-watermark"
RATE = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
QUOTA = ("X-Quota-Limit", "X-Quota-Remaining", "X-Quota-Reset")


def busy(*arguments: Any, **options: Any) -> None:
    raise engine.EngineBusy(7)


def broken(*arguments: Any, **options: Any) -> None:
    raise RuntimeError("nobody foresaw this")


def fails_with(error: Any) -> Any:
    def request(account: Account) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(service, "clean", error)
            return send(account.client)

    return request


def out_of_quota(account: Account) -> Any:
    account.limit(quota=0)
    return send(account.client)


def too_fast(account: Account) -> Any:
    account.limit(burst=1)
    account.client.get("/api/v1/stats")
    return account.client.get("/api/v1/stats")


REQUESTS = {
    200: lambda account: send(account.client),
    400: lambda account: send(account.client, image=SimpleUploadedFile("a.png", b"no picture")),
    404: lambda account: account.client.post(
        "/inpaint", {"image_id": "0", "mask_id": "0"}, content_type="application/json"
    ),
    405: lambda account: account.client.get(URL),
    413: lambda account: account.client.post(URL, b"x" * (22 << 20), content_type="multipart/form-data; boundary=x"),
    415: lambda account: account.client.post(URL, "{}", content_type="text/plain"),
    429: out_of_quota,
    500: fails_with(broken),
    503: fails_with(busy),
}


@pytest.mark.parametrize("status", REQUESTS)
def test_it_works(bob: Account, status: int) -> None:
    response = REQUESTS[status](bob)

    assert response.status_code == status, response.content
    assert [response[name] for name in (*RATE[:2],)] == ["2", "2"]  # 4 of 5 tokens; Remaining is at most Limit
    limit, remaining = response["X-Quota-Limit"], response["X-Quota-Remaining"]
    assert (limit, remaining) == ("0", "0") if status == 429 else ("10", "9" if status == 200 else "10")
    assert int(response["X-RateLimit-Reset"]) <= int(response["X-Quota-Reset"])
    assert ("X-Credits-Charged" in response) == (status == 200)


def test_too_fast(bob: Account) -> None:
    response = too_fast(bob)

    assert response.status_code == 429
    assert response["X-RateLimit-Remaining"] == "0"
    assert int(response["Retry-After"]) > 0
    assert all(name in response for name in (*RATE, *QUOTA))


def test_a_key_beside_a_wrong_token(bob: Account, settings: Any) -> None:
    """The key is what counts; without one a wrong token is 403, and there is no account to tell of."""
    settings.API_TOKEN = "the token"
    body = {"image_id": "0", "mask_id": "0"}
    wrong = {"Authorization": "Bearer another"}
    answer = bob.client.post("/inpaint", body, content_type="application/json", headers=wrong)
    assert answer.status_code == 404
    assert all(name in answer for name in (*RATE, *QUOTA))

    answer = Client().post("/inpaint", body, content_type="application/json", headers=wrong)
    assert answer.status_code == 403
    assert not any(name in answer for name in (*RATE, *QUOTA))


def test_what_is_unlimited_has_no_header(bob: Account) -> None:
    bob.user.subscription.plan = type(bob.user.subscription.plan).objects.get(slug="enterprise")
    bob.user.subscription.save()
    response = send(bob.client)

    assert response.status_code == 200
    assert not any(name in response for name in (*RATE, *QUOTA))
    assert response["X-Credits-Charged"] == "1"


def test_without_an_account_there_are_none(public: Client) -> None:
    response = public.get("/api/v1/stats")

    assert response.status_code == 401
    assert not any(name in response for name in (*RATE, *QUOTA))
