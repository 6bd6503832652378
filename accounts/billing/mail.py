"""Mail about plan requests. A mail server that is down loses a mail, never a request or a decision."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from accounts.mail import went_out
from accounts.models import PlanRequest


def tell_staff(plan_request: PlanRequest) -> None:
    """To CONTACT_EMAIL, where there is one: somebody waits for an answer."""
    if settings.CONTACT_EMAIL:
        page = settings.SITE_URL + reverse("admin:accounts_planrequest_change", args=[plan_request.pk])
        message = f"They wrote: {plan_request.message}\n\n" if plan_request.message else ""
        body = f"{plan_request}.\n\n{message}Approve or refuse: {page}\n"
        went_out(settings.CONTACT_EMAIL, f"{plan_request}", body, "to staff, about a plan request")


def tell_user(plan_request: PlanRequest) -> None:
    """What staff decided."""
    plan = plan_request.plan
    decision = f"Your account is on {plan} now." if plan_request.approved else f"We cannot give you {plan} now."
    reply = f"{plan_request.reply}\n\n" if plan_request.reply else ""
    page = settings.SITE_URL + reverse("billing")
    body = f"{decision}\n\n{reply}Your plan: {page}\n"
    went_out(plan_request.user.email, f"You asked for {plan}", body, "the answer to a plan request")
