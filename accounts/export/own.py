"""What accounts, keys, plans and webhooks add to an account's export."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry

from accounts import models
from accounts.export import LeftOut, Part, Table
from accounts.models import User

STAFF = "What staff do in the admin, and their rights there: it is about other accounts."


def parts(sender: Any, **kwargs: Any) -> list[Part]:
    return [*_who_you_are(), *_what_you_may_do(), *_what_you_did(), *_what_you_are_told(), *_left_out()]


def _who_you_are() -> list[Part]:
    return [
        Table("account.json", User, "pk", "The account and its settings.", without=("password",)),
        Table("email_addresses.json", EmailAddress, "user", "Email addresses, and whether they are confirmed."),
        Table("sessions.json", UserSession, "user", "Where you are signed in.", without=("session_key",)),
        Table("two_factor.json", Authenticator, "user", "Second factors, and when they were used.", without=("data",)),
        Table("keys.json", models.ApiKey, "user", "API keys: names, first characters, rights.", without=("digest",)),
    ]


def _what_you_may_do() -> list[Part]:
    plan = ("plan__name",)
    return [
        Table("plan.json", models.Subscription, "user", "The plan, and limits of your own.", plus=plan),
        Table("plan_requests.json", models.PlanRequest, "user", "Plans you asked for, with the answers.", plus=plan),
        Table(
            "billing.json",
            models.StripeCustomer,
            "user",
            "Ids of the customer and subscription at Stripe. Invoices are there: see Plan and billing.",
            plus=(*plan, "next_plan__name"),
        ),
        Table("grants.json", models.QuotaGrant, "user", "Units that you were given once, or bought."),
        Table("purchases.json", models.PackPurchase, "user", "Packs you paid for, or began to.", plus=("pack__name",)),
    ]


def _what_you_did() -> list[Part]:
    return [
        Table("requests.json", models.Usage, "user", "A row for each processing request."),
        Table("quota_periods.json", models.QuotaPeriod, "user", "How much quota you used in each day or month."),
        Table("key_periods.json", models.KeyPeriod, "key__user", "How much each key with a cap was used."),
        Table("quota_mails.json", models.QuotaMail, "period__user", "Mails that a quota runs low."),
    ]


def _what_you_are_told() -> list[Part]:
    secrets = ("encrypted", "encrypted_before")
    return [
        Table("webhook_endpoints.json", models.WebhookEndpoint, "owner", "Addresses of webhooks.", without=secrets),
        Table(
            "webhook_default.json",
            models.DefaultSigner,
            "owner",
            "Whether there is a default secret for webhook_url, and when it was changed.",
            without=secrets,
        ),
        Table("webhook_events.json", models.WebhookEvent, "owner", "What happened, as webhooks tell it."),
        Table("webhook_deliveries.json", models.Delivery, "owner", "Each event for each address."),
        Table("webhook_tries.json", models.Try, "delivery__owner", "Each attempt at a delivery, and the answer."),
    ]


def _left_out() -> list[Part]:
    return [
        LeftOut(EmailConfirmation, "email_address__user", "Mailed links that confirm an address: each is a secret."),
        LeftOut(models.RateBucket, "user", "How many calls you may make this minute: it changes by the second."),
        LeftOut(models.StripeTurn, "user", "Whether a payment of yours is being set up: it is, for seconds."),
        *(
            LeftOut(model, field, STAFF)
            for model, field in (
                (LogEntry, "user"),
                (models.PlanRequest, "decided_by"),
                (models.QuotaGrant, "given_by"),
                (User.groups.through, "user"),
                (User.user_permissions.through, "user"),
            )
        ),
    ]
