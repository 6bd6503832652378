"""A new key: shown in the one response that made it."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import MAX_LIVE_KEYS, ApiKey, TooManyKeys, User
from tests.accounts.conftest import Person
from tests.conftest import Account

URL = "/dashboard/keys/new"


def secret_in(page: bytes) -> str:
    """The key that a page shows, in its two places."""
    found = set(re.findall(r"sk_live_[0-9A-Za-z]{42}", page.decode()))
    assert len(found) == 1, found
    return str(found.pop())


def test_it_works(carol: Person) -> None:
    response = carol.browser.post(URL, {"name": "laptop", "scopes": "read", "once": "a"})

    secret = secret_in(response.content)
    key = ApiKey.objects.for_secret(secret)
    assert key is not None
    assert (key.user, key.name, key.expires_at) == (carol.user, "laptop", None)
    assert "no-store" in response["Cache-Control"]
    assert f'-H "X-API-Key: {secret}"' in response.content.decode().replace("&quot;", '"')


def test_it_works_for_the_first_request(carol: Person) -> None:
    secret = secret_in(carol.browser.post(URL, {"name": "laptop", "scopes": "read", "once": "a"}).content)

    assert Client(headers={"X-API-Key": secret}).get("/api/v1/stats").status_code == 200


def test_nobody_sees_it_again(carol: Person) -> None:
    secret = secret_in(carol.browser.post(URL, {"name": "laptop", "scopes": "read", "once": "a"}).content)

    for page in ("/dashboard/keys", "/dashboard", URL):
        assert secret not in carol.browser.get(page).content.decode()
    assert secret not in str(dict(carol.browser.session))
    assert secret not in str(ApiKey.objects.values())


def test_an_expiry(carol: Person) -> None:
    carol.browser.post(URL, {"name": "laptop", "scopes": "read", "expires": "30", "once": "a"})

    expires_at = ApiKey.objects.get().expires_at
    assert expires_at is not None
    assert timedelta(days=29, hours=23) < expires_at - timezone.now() <= timedelta(days=30)


@pytest.mark.parametrize("form", [{"name": ""}, {"name": "x" * 81}, {"name": "a", "expires": "31"}])
def test_what_was_typed_is_not_accepted(carol: Person, form: dict[str, str]) -> None:
    response = carol.browser.post(URL, {**form, "scopes": "read", "once": "a"})

    assert b"errorlist" in response.content
    assert not ApiKey.objects.exists()


def test_a_reload_makes_no_second_key(carol: Person) -> None:
    carol.browser.post(URL, {"name": "laptop", "scopes": "read", "once": "a"})

    assert carol.browser.post(URL, {"name": "laptop", "scopes": "read", "once": "a"})["Location"] == "/dashboard/keys"
    assert ApiKey.objects.count() == 1


def test_every_form_can_be_sent(carol: Person) -> None:
    copies = {carol.browser.get(URL).context["form"]["once"].value() for _ in range(3)}

    assert len(copies) == 3


def test_past_the_most_that_may_live(carol: Person) -> None:
    for number in range(MAX_LIVE_KEYS):
        ApiKey.objects.issue(carol.user, str(number))

    page = carol.browser.post(URL, {"name": "laptop", "scopes": "read", "once": "a"})
    assert b"20 live keys" in page.content
    assert ApiKey.objects.count() == MAX_LIVE_KEYS

    ApiKey.objects.first().revoke()
    secret_in(
        carol.browser.post(URL, {"name": "laptop", "scopes": "read", "once": "a"}).content
    )  # the same form, sent again


def test_too_many_within_an_hour(carol: Person) -> None:
    for number in range(30):
        carol.browser.post(URL, {"name": "laptop", "scopes": "read", "once": str(number)})
        ApiKey.objects.all().delete()

    page = carol.browser.post(URL, {"name": "laptop", "scopes": "read", "once": "one more"})
    assert b"Please try again later" in page.content
    assert not ApiKey.objects.exists()


def test_signed_out(public: Client) -> None:
    assert public.post(URL, {"name": "laptop", "scopes": "read", "once": "a"})["Location"] == f"/login?next={URL}"


def test_from_another_site(carol: Person) -> None:
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(carol.user)

    assert forged.post(URL, {"name": "laptop", "scopes": "read", "once": "a"}).status_code == 403
    assert not ApiKey.objects.exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_last_free_place_is_given_once() -> None:
    user = User.objects.create_user("dave@example.org")
    for number in range(MAX_LIVE_KEYS - 1):
        ApiKey.objects.issue(user, str(number))

    def issue(number: int) -> bool:
        try:
            ApiKey.objects.issue(user, f"another {number}")
        except TooManyKeys:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(issue, range(4))) == [False, False, False, True]


def test_the_command_tells_it_too(bob: Account) -> None:
    for number in range(MAX_LIVE_KEYS - 1):
        ApiKey.objects.issue(bob.user, str(number))

    with pytest.raises(CommandError, match="20 live keys"):
        call_command("create_api_key", email="bob@example.org")


def test_a_test_key(carol: Person) -> None:
    page = carol.browser.post(URL, {"name": "try", "kind": "test", "scopes": "process", "once": "a"}).content.decode()

    assert re.search(r"sk_test_[0-9A-Za-z]{42}", page)
    assert "it costs nothing" in page
    assert ApiKey.objects.get().is_test
