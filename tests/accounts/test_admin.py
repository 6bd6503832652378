"""The admin: what staff change acts on the next request and is in the log; what they must not see is not shown."""

import re
from datetime import timedelta
from typing import Any
from unittest.mock import MagicMock

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from redis import RedisError

from accounts.models import (
    ApiKey,
    Plan,
    PlanRequest,
    QuotaGrant,
    QuotaPeriod,
    StripeCustomer,
    Subscription,
    Usage,
    User,
)
from accounts.public import take_picture
from accounts.reservations import Call
from tests.accounts.billing.test_pricing import text
from tests.accounts.test_reservations import spend
from tests.conftest import Account

LISTS = [
    *("user", "plan", "pack", "apikey", "usage", "quotaperiod", "quotagrant", "planrequest"),
    *("packpurchase", "stripecustomer", "stripeevent"),
]


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss@example.org")


@pytest.fixture
def admin(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def fill(admin: Client, url: str, **changes: Any) -> Any:
    """Open a page of the admin, change some fields, save. Fails the test where the form refuses."""
    response = post(admin, url, **changes)
    assert response.status_code == 302, response.context["errors"]
    return response


def post(admin: Client, url: str, **changes: Any) -> Any:
    context = admin.get(url).context
    forms = [context["adminform"].form]
    for formset in context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.forms]
    data = {}
    for form in forms:
        for bound in form:
            value = bound.value()
            data[bound.html_name] = "" if value is None else value
    return admin.post(url, {**data, **changes})


def page_of(account: Account) -> str:
    return f"/admin/accounts/user/{account.user.pk}/change/"


def log() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


# --- plans and limits ------------------------------------------------------------------------------------------------


def test_it_works(admin: Client, bob: Account) -> None:
    """Bob is put on Pro."""
    assert bob.client.get("/api/v1/stats")["X-RateLimit-Limit"] == "2"
    fill(admin, page_of(bob), **{"subscription-0-plan": Plan.objects.get(slug="pro").pk})

    answer = bob.client.get("/api/v1/stats")
    assert (answer["X-RateLimit-Limit"], answer["X-Quota-Limit"]) == ("30", "20000")
    assert log() == ["Changed Plan from Free to Pro for subscription “bob@example.org on Pro”."]


def test_limits_of_its_own(admin: Client, bob: Account) -> None:
    fill(admin, page_of(bob), **{"subscription-0-quota": 12_345, "subscription-0-requests_per_minute": 600})

    answer = bob.client.get("/api/v1/stats")
    assert (answer["X-RateLimit-Limit"], answer["X-Quota-Limit"]) == ("600", "12345")
    (told,) = log()
    assert "Quota from empty to 12345" in told
    assert "Requests per minute from empty to 600" in told


def test_a_changed_plan_acts_on_the_next_request(admin: Client, bob: Account) -> None:
    plan = Plan.objects.get(slug="free")
    fill(admin, f"/admin/accounts/plan/{plan.pk}/change/", quota=11, requests_per_minute=3)

    answer = bob.client.get("/api/v1/stats")
    assert (answer["X-RateLimit-Limit"], answer["X-Quota-Limit"]) == ("3", "11")
    assert log() == ["Changed Requests per minute from 2 to 3 and Quota from 10 to 11."]


def test_an_account_without_a_row_is_put_on_a_plan(admin: Client) -> None:
    user = User.objects.create_user("carol@example.org")
    fill(
        admin,
        f"/admin/accounts/user/{user.pk}/change/",
        **{"subscription-0-plan": Plan.objects.get(slug="basic").pk, "subscription-0-user": user.pk},
    )

    assert user.limits.quota == 3_000


def test_what_the_service_wrote_meanwhile_is_kept(admin: Client, bob: Account) -> None:
    """Staff open the page, Stripe's event changes the plan, staff save a limit: the plan stays."""
    url = page_of(bob)
    original = Subscription.save

    def overtaken(self: Subscription, **kwargs: Any) -> None:
        Subscription.objects.filter(pk=self.pk).update(plan=Plan.objects.get(slug="pro"))
        original(self, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Subscription, "save", overtaken)
        fill(admin, url, **{"subscription-0-quota": 50})

    row = Subscription.objects.get(user=bob.user)
    assert (row.plan.slug, row.quota) == ("pro", 50)


def test_a_plan_that_stripe_decides(admin: Client, bob: Account) -> None:
    StripeCustomer.objects.create(user=bob.user, customer_id="cus_1", subscription_id="sub_1")
    response = post(admin, page_of(bob), **{"subscription-0-plan": Plan.objects.get(slug="pro").pk})

    assert "pays through Stripe" in text(response)
    assert Subscription.objects.get(user=bob.user).plan.slug == "free"
    fill(admin, page_of(bob), **{"subscription-0-quota": 50})  # its own limits are still staff's


@pytest.mark.parametrize(
    ("field", "value"), [("requests_per_minute", 0), ("burst", 0), ("quota", -1), ("quota", "many")]
)
def test_limits_that_mean_nothing(admin: Client, field: str, value: Any) -> None:
    plan = Plan.objects.get(slug="free")
    response = post(admin, f"/admin/accounts/plan/{plan.pk}/change/", **{field: value})

    assert response.status_code == 200
    assert response.context["errors"]


def test_two_plans_of_one_stripe_price(admin: Client) -> None:
    Plan.objects.filter(slug="pro").update(stripe_price_id="price_1")
    response = post(
        admin, f"/admin/accounts/plan/{Plan.objects.get(slug='basic').pk}/change/", stripe_price_id="price_1"
    )

    assert "Another plan has this Stripe price." in text(response)


def test_free_cannot_be_deleted_or_renamed(admin: Client) -> None:
    free = Plan.objects.get(slug="free")

    assert admin.post(f"/admin/accounts/plan/{free.pk}/delete/", {"post": "yes"}).status_code == 403
    fill(admin, f"/admin/accounts/plan/{free.pk}/change/", slug="gratis")
    assert Plan.objects.filter(slug="free").exists()


def test_a_plan_with_accounts_cannot_be_deleted(admin: Client, alice: Account) -> None:
    pro = Plan.objects.get(slug="pro")
    admin.post(f"/admin/accounts/plan/{pro.pk}/delete/", {"post": "yes"})

    assert Plan.objects.filter(pk=pro.pk).exists()


# --- grants ----------------------------------------------------------------------------------------------------------


def test_a_grant(admin: Client, boss: User, bob: Account) -> None:
    fill(
        admin,
        page_of(bob),
        **{"quota_grants-TOTAL_FORMS": 1, "quota_grants-0-units": 500, "quota_grants-0-reason": "An outage"},
        **{"quota_grants-0-user": bob.user.pk, "quota_grants-0-expires_at_0": "", "quota_grants-0-expires_at_1": ""},
    )

    assert bob.client.get("/api/v1/stats")["X-Quota-Limit"] == "510"
    assert QuotaGrant.objects.get().given_by == boss
    assert log() == ["Added quota grant “500 units, 0 used”."]


def test_a_grant_on_its_own_page(admin: Client, boss: User, bob: Account) -> None:
    fill(admin, "/admin/accounts/quotagrant/add/", user=bob.user.pk, units=5, reason="Sorry")

    assert (QuotaGrant.objects.get().units, QuotaGrant.objects.get().given_by) == (5, boss)
    assert log() == ["Added."]


def test_a_grant_is_ended(admin: Client, bob: Account) -> None:
    given = QuotaGrant.objects.create(user=bob.user, units=500, reason="tests")
    yesterday = timezone.now() - timedelta(days=1)
    url = f"/admin/accounts/quotagrant/{given.pk}/change/"
    fill(admin, url, expires_at_0=f"{yesterday:%Y-%m-%d}", expires_at_1="00:00:00", units=9_000)

    given.refresh_from_db()
    assert given.units == 500  # what was given is not rewritten
    assert bob.client.get("/api/v1/stats")["X-Quota-Limit"] == "10"
    assert "Expires at from empty to" in log()[0]


# --- keys ------------------------------------------------------------------------------------------------------------


def act(admin: Client, model: str, action: str, *rows: Any) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return admin.post(f"/admin/accounts/{model}/", data, follow=True)


def test_revoked_keys_are_dead_at_once(admin: Client, bob: Account) -> None:
    assert "1 keys are revoked" in text(act(admin, "apikey", "revoke", bob.key))

    assert bob.client.get("/api/v1/stats").json()["code"] == "invalid_api_key"
    assert log() == ["Revoked."]


def test_digests_are_never_shown(admin: Client, bob: Account) -> None:
    spend(bob)
    usage = Usage.objects.get()
    pages = [f"/admin/accounts/{name}/" for name in LISTS]
    pages += [page_of(bob), f"/admin/accounts/apikey/{bob.key.pk}/change/", f"/admin/accounts/usage/{usage.pk}/change/"]
    pages += [f"/admin/accounts/apikey/{bob.key.pk}/history/"]

    shown = [admin.get(page).content.decode() for page in pages]
    assert any(bob.key.prefix in page for page in shown)
    assert not any(bob.key.digest in page or bob.secret in page for page in shown)


# --- plan requests ---------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(bob: Account) -> PlanRequest:
    return PlanRequest.objects.create(user=bob.user, plan=Plan.objects.get(slug="pro"), message="500 a week")


def test_a_request_is_approved(
    admin: Client, boss: User, bob: Account, asked: PlanRequest, mailoutbox: list[Any]
) -> None:
    act(admin, "planrequest", "approve", asked)

    assert bob.client.get("/api/v1/stats")["X-RateLimit-Limit"] == "30"
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by) == ("approved", boss)
    assert log() == ["Approved: from Free to Pro."]
    (mail,) = mailoutbox
    assert mail.to == ["bob@example.org"]
    assert "Your account is on Pro now." in mail.body


def test_a_request_is_refused_with_a_reply(
    admin: Client, bob: Account, asked: PlanRequest, mailoutbox: list[Any]
) -> None:
    fill(admin, f"/admin/accounts/planrequest/{asked.pk}/change/", reply="Not yet.", state="approved")
    act(admin, "planrequest", "refuse", asked)

    asked.refresh_from_db()
    assert (asked.state, asked.reply) == ("refused", "Not yet.")
    assert bob.client.get("/api/v1/stats")["X-RateLimit-Limit"] == "2"
    assert log() == ["Changed Reply from empty to Not yet..", "Refused."]
    assert "We cannot give you Pro now.\n\nNot yet." in mailoutbox[0].body


def test_what_a_model_costs_on_a_plan(admin: Client) -> None:
    """The inline is inpainting's, which knows what models there are."""
    pro = Plan.objects.get(slug="pro")
    page = f"/admin/accounts/plan/{pro.pk}/change/"

    fill(admin, page, **{"models-0-units": 6})
    fill(admin, page, **{"models-TOTAL_FORMS": 3, "models-2-model": "lama", "models-2-plan": pro.pk})

    assert dict(pro.models.values_list("model", "units")) == {"lama": None, "sd": 6, "sdxl": 8}
    assert "Select a valid choice" in post(admin, page, **{"models-0-model": "dall-e"}).content.decode()
    assert "greater than or equal to 1" in post(admin, page, **{"models-0-units": 0}).content.decode()


def test_what_is_closed_stays_closed(admin: Client, bob: Account, asked: PlanRequest) -> None:
    asked.withdraw()

    assert "closed already, withdrawn" in text(act(admin, "planrequest", "approve", asked))
    assert bob.client.get("/api/v1/stats")["X-RateLimit-Limit"] == "2"
    assert log() == []


def test_who_pays_through_stripe_is_told_of(admin: Client, bob: Account, asked: PlanRequest) -> None:
    StripeCustomer.objects.create(user=bob.user, customer_id="cus_1", subscription_id="sub_1")

    assert "Cancel that subscription there first" in text(act(admin, "planrequest", "approve", asked))
    assert PlanRequest.objects.get().is_open


# --- lists -----------------------------------------------------------------------------------------------------------


def test_the_list_shows_what_accounts_used(admin: Client, alice: Account, bob: Account) -> None:
    spend(bob)
    spend(bob)
    QuotaPeriod.objects.create(user=bob.user, period="day", starts_on="2020-01-01", used=9)
    today = timezone.now().date()
    QuotaPeriod.objects.create(user=alice.user, period="month", starts_on=today.replace(day=1), used=40, granted=2)

    page = text(admin.get("/admin/accounts/user/"))
    assert "bob@example.org Free 2 10 a day" in page
    assert "alice@example.org Pro 42 20,000 a month" in page


@pytest.mark.parametrize("name", ["user", "plan", "apikey", "usage", "quotaperiod", "quotagrant", "planrequest"])
def test_no_query_a_row(admin: Client, bob: Account, asked: PlanRequest, name: str) -> None:
    def queries() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert admin.get(f"/admin/accounts/{name}/").status_code == 200
        return len(captured)

    def more(number: int) -> None:
        account = Account(f"user{number}@example.org", "basic")
        account.limit(quota=number + 1)
        spend(account)
        QuotaGrant.objects.create(user=account.user, units=1, reason="tests", given_by=bob.user)
        plan = Plan.objects.create(slug=f"plan{number}", name=f"Plan {number}")
        PlanRequest.objects.create(user=account.user, plan=plan)

    more(0)
    queries()  # content types and permissions are looked up once
    few = queries()
    for number in range(1, 6):
        more(number)
    assert queries() == few


@pytest.mark.parametrize("name", LISTS)
def test_every_list_and_its_search(admin: Client, bob: Account, name: str) -> None:
    assert admin.get(f"/admin/accounts/{name}/").status_code == 200
    assert admin.get(f"/admin/accounts/{name}/?q=bob").status_code == 200


def test_nobodys_session_is_to_be_had_here(admin: Client, bob: Account) -> None:
    secret = {"secret": "of the telephone"}
    lost = Authenticator.objects.create(user=bob.user, type=Authenticator.Type.TOTP, data=secret)
    assert admin.get("/admin/usersessions/usersession/").status_code == 404
    page = admin.get(f"/admin/mfa/authenticator/{lost.pk}/change/")
    assert "of the telephone" not in page.content.decode()
    assert admin.get("/admin/mfa/authenticator/?q=bob").context["cl"].result_count == 1

    assert admin.get("/admin/account/emailaddress/?q=bob").status_code == 200
    assert admin.get("/admin/account/emailaddress/add/").status_code == 403

    admin.post(f"/admin/mfa/authenticator/{lost.pk}/delete/", {"post": "yes"})
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("user/?own_limits=yes", 1),
        ("user/?own_limits=no", 2),
        ("user/?subscription__plan__id__exact=1", 1),
        ("apikey/?state=live", 1),
        ("apikey/?state=expired", 0),
        ("apikey/?state=revoked", 1),
        ("quotagrant/?state=live", 1),
        ("quotagrant/?state=spent", 1),
        ("quotagrant/?state=expired", 0),
    ],
)
def test_filters(admin: Client, alice: Account, bob: Account, url: str, found: int) -> None:
    alice.limit(quota=1)
    alice.key.revoke()
    QuotaGrant.objects.create(user=bob.user, units=1, reason="tests")
    QuotaGrant.objects.create(user=bob.user, units=1, used=1, reason="tests")

    assert admin.get(f"/admin/accounts/{url}").context["cl"].result_count == found


@pytest.mark.parametrize(
    "filters",
    [
        "usage/?answer__contains=o",
        "usage/?idempotency_key__startswith=a",
        "usage/?endpoint__contains=v1",
        "apikey/?digest__startswith=0",
        "webhookendpoint/?secret__startswith=g",
        "stripeevent/?nothing__exact=1",
    ],
)
def test_nobody_asks_letter_by_letter_for_what_is_not_shown(admin: Client, bob: Account, filters: str) -> None:
    spend(bob)

    assert admin.get(f"/admin/accounts/{filters}").status_code == 400


@pytest.mark.parametrize("model", site._registry, ids=lambda model: model._meta.label)
def test_lists_are_filtered_by_their_own_links_alone(admin: Client, model: type[Model]) -> None:
    """SQLite's `regex` is Python's: one address could keep the process busy for hours."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for field in model._meta.fields:
        for asked in ("regex", "iregex", "startswith", "contains", "date__regex"):
            assert admin.get(f"{url}?{field.name}__{asked}=1").status_code == 400, (field.name, asked)

    shown = admin.get(url).context["cl"]
    links = [choice["query_string"] for spec in shown.filter_specs for choice in spec.choices(shown)]
    hierarchy = [f"?{shown.date_hierarchy}__year=2026&{shown.date_hierarchy}__month=11"] if shown.date_hierarchy else []
    for link in links + hierarchy:
        assert admin.get(url + link).status_code == 200, link


@pytest.mark.django_db(transaction=True, serialized_rollback=True)  # PostgreSQL refuses, SQLite does not
@pytest.mark.parametrize("moment", ["2026-11-29T00:00:00+16:00", "9999-12-31T23:59:59-23:59"])
def test_a_filter_by_what_the_database_refuses(admin: Client, moment: str) -> None:
    response = admin.get("/admin/accounts/user/", {"date_joined__gte": moment})

    assert response.status_code == 200 or response["Location"].endswith("?e=1")


def test_usage_does_not_tell_where_results_are(admin: Client, bob: Account) -> None:
    spend(bob)
    usage = Usage.objects.get()
    Usage.objects.update(answer={"result": "output_0123456789abcdef0123456789abcdef.png"})

    page = admin.get(f"/admin/accounts/usage/{usage.pk}/change/").content.decode()
    assert usage.request_id in page
    assert "output_" not in page


def test_an_accounts_page_leads_to_what_it_did(admin: Client, alice: Account, bob: Account) -> None:
    spend(alice)
    spend(bob)
    page = admin.get(page_of(bob)).content.decode()

    for name in ("apikey", "usage", "quotaperiod"):
        link = f"/admin/accounts/{name}/?user__id__exact={bob.user.pk}"
        assert link in page
        assert admin.get(link).context["cl"].result_count == 1


def test_the_log_is_to_be_seen(admin: Client, bob: Account) -> None:
    act(admin, "apikey", "revoke", bob.key)

    page = text(admin.get("/admin/admin/logentry/"))
    assert f"boss@example.org Accounts and plans | API key tests ({bob.key.prefix}…) Change Revoked." in page


# --- what is nobody's to write ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["apikey", "usage", "quotaperiod", "packpurchase", "stripecustomer", "stripeevent"])
def test_what_the_service_counts_on_is_read_only(admin: Client, bob: Account, name: str) -> None:
    spend(bob)
    assert admin.get(f"/admin/accounts/{name}/add/").status_code == 403
    for model in (ApiKey, Usage, QuotaPeriod):
        if model._meta.model_name == name:
            row = model.objects.get()
            assert admin.post(f"/admin/accounts/{name}/{row.pk}/change/", {"used": 0}).status_code == 403
            assert admin.post(f"/admin/accounts/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_accounts_are_not_deleted_here(admin: Client, bob: Account) -> None:
    assert admin.post(f"/admin/accounts/user/{bob.user.pk}/delete/", {"post": "yes"}).status_code == 403


def test_an_account_made_inactive_is_locked_out(admin: Client, bob: Account) -> None:
    fields = admin.get(page_of(bob)).context["adminform"].form.fields
    assert "email" not in fields  # its owner's to change
    User.objects.filter(pk=bob.user.pk).update(is_active=False)

    assert bob.client.get("/api/v1/stats").status_code == 401


@pytest.fixture
def clerk(db: None) -> Client:
    """Staff who may change accounts, but are no superuser."""
    user = User.objects.create_user("clerk@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client = Client()
    client.force_login(user)
    return client


def test_nobody_gives_the_own_group_more(clerk: Client, admin: Client) -> None:
    user, group = User.objects.get(email="clerk@example.org"), Group.objects.create(name="support")
    user.groups.add(group)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["change_group", "view_group", "add_group"]))
    everything = {"name": "support", "permissions": Permission.objects.values_list("pk", flat=True)}

    assert clerk.post(f"/admin/auth/group/{group.pk}/change/", everything).status_code == 403
    assert clerk.post("/admin/auth/group/add/", everything).status_code == 403
    assert not group.permissions.exists()
    assert admin.post(f"/admin/auth/group/{group.pk}/change/", everything).status_code == 302
    assert group.permissions.exists()


def test_staff_do_not_make_staff(clerk: Client, bob: Account) -> None:
    fill(clerk, page_of(bob), is_staff="on", is_superuser="on")

    bob.user.refresh_from_db()
    assert (bob.user.is_staff, bob.user.is_superuser) == (False, False)


PASSWORD = {"password1": "a new one, long enough", "password2": "a new one, long enough", "usable_password": "true"}
RIGHTS: list[dict[str, Any]] = [{"is_superuser": True}, {"is_staff": True}]


@pytest.mark.parametrize("rights", [{}, *RIGHTS])
def test_only_superusers_set_passwords(clerk: Client, admin: Client, rights: dict[str, Any]) -> None:
    """Who sets one can sign in with it."""
    other = User.objects.create_user("other@example.org", **rights)
    page = f"/admin/accounts/user/{other.pk}"

    assert clerk.get(f"{page}/password/").status_code == 403
    assert clerk.post(f"{page}/password/", PASSWORD).status_code == 403
    shown = clerk.get(f"{page}/change/")
    assert shown.status_code == 200
    assert b"/password/" not in shown.content.replace(b"/admin/password_change/", b"")  # one's own
    other.refresh_from_db()
    assert not other.has_usable_password()

    assert b"../password/" in admin.get(f"{page}/change/").content
    assert admin.post(f"{page}/password/", PASSWORD).status_code == 302
    other.refresh_from_db()
    assert other.check_password(PASSWORD["password1"])


@pytest.mark.parametrize("rights", RIGHTS)
def test_staff_do_not_change_other_staff(clerk: Client, rights: dict[str, Any]) -> None:
    other = User.objects.create_user("other@example.org", **rights)
    asked = {"email": "clerk2@example.org", "is_superuser": "on", "is_staff": "on", "is_active": ""}

    assert clerk.post(f"/admin/accounts/user/{other.pk}/change/", asked).status_code == 403
    myself = User.objects.get(email="clerk@example.org")
    assert clerk.post(f"/admin/accounts/user/{myself.pk}/change/", asked).status_code == 403
    assert User.objects.get(pk=other.pk).email == "other@example.org"
    assert not User.objects.get(pk=myself.pk).is_superuser


def test_staff_make_accounts_of_customers_alone(clerk: Client) -> None:
    asked = {"email": "new@example.org", "is_superuser": "on", "is_staff": "on", "user_permissions": ["1"]}
    fill(clerk, "/admin/accounts/user/add/", **PASSWORD, **asked)

    made = User.objects.get(email="new@example.org")
    assert (made.is_staff, made.is_superuser, made.user_permissions.count()) == (False, False, 0)


@pytest.mark.parametrize("rights", [{}, *RIGHTS])
def test_only_superusers_take_a_second_factor_from_staff(clerk: Client, rights: dict[str, Any]) -> None:
    clerks = User.objects.get(email="clerk@example.org")
    clerks.user_permissions.add(*Permission.objects.filter(content_type__app_label="mfa"))
    other = User.objects.create_user("other@example.org", **rights)
    factor = Authenticator.objects.create(user=other, type=Authenticator.Type.TOTP, data={"secret": "a"})
    chosen = {"action": "delete_selected", "_selected_action": [factor.pk], "post": "yes"}

    ways = [(f"/admin/mfa/authenticator/{factor.pk}/delete/", {"post": "yes"}), ("/admin/mfa/authenticator/", chosen)]
    answers = [clerk.post(path, data).status_code for path, data in ways]
    assert Authenticator.objects.exists() == bool(rights)
    assert answers == ([403, 403] if rights else [302, 302])


def test_staff_change_their_own_password_as_everybody_does(clerk: Client) -> None:
    """There wrong ones are counted, and the owner is told by mail."""
    response = clerk.post("/admin/password_change/", {"old_password": "a guess"})
    assert response.status_code == 302
    assert response["Location"] == "/account/password/change/"


def test_users_are_not_staff(bob: Account) -> None:
    client = Client()
    client.force_login(bob.user)

    assert client.get("/admin/accounts/user/").status_code == 302


# --- the first page --------------------------------------------------------------------------------------------------


def test_how_today_goes(admin: Client, bob: Account, alice: Account) -> None:
    def used(account: Account, **fields: Any) -> None:
        row = {"user": account.user, "endpoint": "/", "request_id": "0" * 32, "state": "succeeded", "charged": 1}
        Usage.objects.create(**{**row, **fields})

    for _ in range(2):
        used(bob)
    used(alice, state="failed", charged=0)
    used(alice, created_at=timezone.now() - timedelta(days=1))
    for state in ("succeeded", "failed", "reserved"):
        used(alice, state=state, is_test=True, charged=0)
    response = admin.get("/admin/")

    overview = response.context["overview"]
    assert (overview["requests"], overview["failed"], overview["running"]) == (3, 1, 1)
    assert overview["tests"] == 3
    assert [(row["user__email"], row["requests"], row["charged"]) for row in overview["top"]] == [
        ("bob@example.org", 2, 2),
        ("alice@example.org", 1, 0),
    ]
    assert "Object Remover admin" in response.content.decode()


def test_what_waits_for_staff(admin: Client, asked: PlanRequest) -> None:
    page = admin.get("/admin/").content.decode()
    assert '<a href="/admin/accounts/planrequest/?state__exact=open">1</a>' in page
    assert admin.get("/admin/accounts/planrequest/?state__exact=open").context["cl"].result_count == 1

    asked.withdraw()
    assert "?state__exact=open" not in admin.get("/admin/").content.decode()


def test_visitors_pictures_are_counted_together(admin: Client) -> None:
    for address, spent in (("192.0.2.1", True), ("192.0.2.2", True), ("192.0.2.2", False)):
        with take_picture(Call(None, None, "/editor/remove-watermark", "0" * 32, address=address)) as taken:
            taken.spent = spent

    assert admin.get("/admin/").context["overview"]["visitors_pictures"] == 2


def test_without_the_cache_the_first_page_is_there(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    down = MagicMock()
    down.get.side_effect = RedisError
    monkeypatch.setattr("accounts.public.cache", down)
    assert "unknown: the cache cannot be reached" in admin.get("/admin/").content.decode()
    home = Client().get("/")
    assert home.status_code == 200
    assert "free today" not in home.content.decode()


def test_staff_who_may_not_see_usage_do_not(bob: Account) -> None:
    User.objects.filter(pk=bob.user.pk).update(is_staff=True)
    browser = Client()
    browser.force_login(bob.user)

    assert browser.get("/admin/").context["overview"] is None


def test_the_site_leads_staff_to_the_admin(admin: Client, bob: Account) -> None:
    browser = Client()
    browser.force_login(bob.user)

    assert b'href="/admin/"' in admin.get("/dashboard").content
    assert b'href="/admin/"' not in browser.get("/dashboard").content


def test_a_request_in_the_editor_is_the_last_request_too(admin: Client, bob: Account) -> None:
    Usage.objects.create(user=bob.user, endpoint="/editor/detect", request_id="0" * 32, state="succeeded")
    assert admin.get(f"/admin/accounts/user/?q={bob.user.email}").context["cl"].result_list[0].last_request_at
    page = text(admin.get(page_of(bob)))
    assert page.count("Last request") == 1
    assert date_format(timezone.now(), "N j, Y") in page.partition("Last request")[2][:40]


def test_plurals() -> None:
    """The admin's pages and Django's messages name tables so."""
    names = [str(model._meta.verbose_name_plural) for model in apps.get_models()]

    assert "deliveries" in names
    assert [name for name in names if re.search(r"[^aeiou]ys$|(s|x|z|ch|sh)s$", name)] == []
