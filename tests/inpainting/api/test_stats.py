"""GET /api/v1/stats."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import ApiKey, Usage
from tests.conftest import Account
from tests.inpainting.api.test_remove_watermark import send

URL = "/api/v1/stats"


def test_it_works(bob: Account) -> None:
    send(bob.client)
    send(bob.client, image=SimpleUploadedFile("a.png", b""))
    Usage.objects.filter(state="succeeded").update(seconds=1.5)

    response = bob.client.get(URL)
    resets_at = response.json()["quota"].pop("resets_at")
    assert response.json() == {
        "total": 2,
        "success": 1,
        "failed": 1,
        "total_processing_time": 1.5,
        "avg_processing_time": 1.5,
        "plan": "free",
        "quota": {"limit": 10, "used": 1, "remaining": 9, "period": "day"},
    }
    assert resets_at.endswith("T00:00:00Z")


def test_a_new_account(bob: Account) -> None:
    body = bob.client.get(URL).json()

    assert (body["total"], body["avg_processing_time"]) == (0, 0.0)


def test_it_sums_over_all_keys_of_the_account(bob: Account) -> None:
    send(bob.client)
    _, second = ApiKey.objects.issue(bob.user, "second")

    assert Client(headers={"X-API-Key": second}).get(URL).json()["total"] == 1


def test_accounts_see_their_own(alice: Account, bob: Account) -> None:
    send(alice.client)

    assert bob.client.get(URL).json()["total"] == 0


def test_what_was_too_fast_was_not_processed(bob: Account) -> None:
    for _ in range(6):
        send(bob.client)
    bob.limit(requests_per_minute=600, burst=100)

    body = bob.client.get(URL).json()
    assert (body["total"], body["failed"]) == (5, 0)


def test_out_of_quota_was_not_processed(bob: Account) -> None:
    bob.limit(quota=0)
    send(bob.client)

    assert bob.client.get(URL).json()["total"] == 0


def test_it_costs_rate_and_no_quota(bob: Account) -> None:
    answers = [bob.client.get(URL) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0]["X-Quota-Remaining"] == "10"
    assert "X-Credits-Charged" not in answers[0]


def test_without_a_key(public: Client) -> None:
    assert public.get(URL).json()["code"] == "missing_api_key"
