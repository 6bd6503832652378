"""/billing without Stripe: ask for a plan, see what became of it, withdraw."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import Plan, PlanRequest, StripeCustomer, Subscription, User
from accounts.models.billing import StillPaying
from tests.accounts.billing.test_pricing import text
from tests.conftest import Account


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("staff@example.org", is_staff=True)


def ask(browser: Client, plan: str = "pro", **fields: str) -> Any:
    return browser.post("/billing/choose", {"plan": plan, **fields}, follow=True)


def test_it_works(browser: Client, bob: Account, staff: User) -> None:
    page = text(ask(browser, message="500 pictures a week"))
    assert "You asked for Pro" in page
    assert "500 pictures a week" in page
    assert "Talk to us" not in page  # one at a time

    asked = PlanRequest.objects.get()
    assert (asked.user, asked.plan.slug, asked.state) == (bob.user, "pro", "open")
    assert bob.client.get("/api/v1/stats")["X-RateLimit-Limit"] == "2"

    assert asked.approve(staff)
    assert bob.client.get("/api/v1/stats")["X-RateLimit-Limit"] == "30"
    assert "Pro approved" in text(browser.get("/billing"))


def test_staff_hear_of_it(browser: Client, settings: Any, mailoutbox: list[Any]) -> None:
    settings.CONTACT_EMAIL = "support@example.org"
    ask(browser, message="500 pictures a week")
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["support@example.org"], "[Object Remover] bob@example.org asks for Pro")
    assert "500 pictures a week" in mail.body
    assert f"/admin/accounts/planrequest/{PlanRequest.objects.get().pk}/change/" in mail.body


def test_a_mail_server_that_is_down_loses_no_request(
    browser: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*arguments: Any) -> None:
        raise ConnectionRefusedError

    settings.CONTACT_EMAIL = "support@example.org"
    monkeypatch.setattr("accounts.mail.send_mail", down)

    assert "You asked for Pro" in text(ask(browser))


def test_a_refusal_is_told_with_its_reason(browser: Client, bob: Account, staff: User) -> None:
    ask(browser)
    asked = PlanRequest.objects.get()
    PlanRequest.objects.update(reply="Please write to us first.")
    assert asked.refuse(staff)

    page = text(browser.get("/billing"))
    assert "Pro refused Please write to us first." in page
    assert "Talk to us about Pro" in page  # again
    assert Subscription.objects.get(user=bob.user).plan.slug == "free"


def test_a_request_can_be_withdrawn(browser: Client) -> None:
    ask(browser)
    page = text(browser.post("/billing/undo", follow=True))

    assert "You asked for" not in page
    assert "Pro withdrawn" in page
    assert "Talk to us about Pro" in page


def test_what_was_withdrawn_cannot_be_approved(browser: Client, bob: Account, staff: User) -> None:
    ask(browser)
    asked = PlanRequest.objects.get()
    browser.post("/billing/undo")

    assert not asked.approve(staff)
    assert asked.state == "withdrawn"
    assert Subscription.objects.get(user=bob.user).plan.slug == "free"


def test_one_request_at_a_time(browser: Client, bob: Account) -> None:
    ask(browser)
    assert "Your last request is still open" in text(ask(browser, "basic"))

    assert PlanRequest.objects.get().plan.slug == "pro"
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanRequest.objects.create(user=bob.user, plan=Plan.objects.get(slug="basic"))


def test_the_plan_one_has(browser: Client) -> None:
    assert "on Free already" in text(ask(browser, "free"))
    assert not PlanRequest.objects.exists()


@pytest.mark.parametrize(("plan", "says"), [("gold", "This plan is not offered."), ("", "Choose a plan.")])
def test_no_such_plan(browser: Client, plan: str, says: str) -> None:
    assert says in text(ask(browser, plan))


def test_a_plan_that_is_not_offered_any_more(browser: Client) -> None:
    Plan.objects.filter(slug="pro").update(offered=False)

    assert "Talk to us about Pro" not in text(browser.get("/billing"))
    assert "This plan is not offered." in text(ask(browser))


def test_a_message_past_its_length(browser: Client) -> None:
    assert "at most 1000 characters" in text(ask(browser, message="x" * 1001))
    assert not PlanRequest.objects.exists()


def test_nothing_to_withdraw(browser: Client) -> None:
    assert "There is no open request." in text(browser.post("/billing/undo", follow=True))


def test_others_requests_are_not_mine(browser: Client, alice: Account) -> None:
    PlanRequest.objects.create(user=alice.user, plan=Plan.objects.get(slug="basic"), message="Alice's words")
    browser.post("/billing/undo")

    assert PlanRequest.objects.get().is_open
    assert "Alice" not in text(browser.get("/billing"))


def test_what_a_user_writes_is_no_markup(browser: Client) -> None:
    ask(browser, message="<script>alert(1)</script>")

    assert b"<script>alert" not in browser.get("/billing").content


def test_too_many_clicks(browser: Client) -> None:
    for _ in range(20):
        ask(browser, "free")

    assert "Too many clicks" in text(ask(browser))
    assert not PlanRequest.objects.exists()


@pytest.mark.parametrize("path", ["/billing", "/billing/choose", "/billing/undo", "/billing/portal"])
def test_who_is_not_signed_in_is_asked_to(public: Client, path: str) -> None:
    response = public.get(path) if path == "/billing" else public.post(path)

    assert response.status_code == 302
    assert response["Location"].startswith("/login")


def test_forms_need_their_token(bob: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob.user)

    assert client.post("/billing/choose", {"plan": "pro"}).status_code == 403


@pytest.mark.parametrize("path", ["/billing/portal", "/billing/webhook"])
def test_stripes_addresses_are_not_there(browser: Client, path: str) -> None:
    assert browser.post(path).status_code == 404


def test_who_pays_through_stripe_is_not_put_elsewhere_by_hand(browser: Client, bob: Account, staff: User) -> None:
    StripeCustomer.objects.create(user=bob.user, customer_id="cus_1", subscription_id="sub_1")
    ask(browser)

    with pytest.raises(StillPaying, match="Cancel that subscription"):
        PlanRequest.objects.get().approve(staff)
    assert PlanRequest.objects.get().is_open
