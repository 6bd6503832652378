"""The pricing page, an account's billing page and what its buttons do; and Stripe's webhook."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import stripe
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from django_ratelimit.core import is_ratelimited

from accounts import lifetimes
from accounts.billing import Busy, Refused, Unavailable, gateway
from accounts.billing.events import Malformed, check_not_ahead
from accounts.billing.forms import MAX_MESSAGE, BuyPack, ChoosePlan
from accounts.billing.state import UnknownPrice, worth
from accounts.billing.stripe import StripeGateway
from accounts.models import Pack, PackPurchase, Plan, PlanRequest, StripeCustomer, User
from accounts.quota import quota_of
from accounts.requests import SignedInRequest

T = TypeVar("T")
logger = logging.getLogger(__name__)

RATE = "20/m"  # clicks an account: each may be several calls to Stripe
CHOICES = ("plan", "pack")  # what is posted, and what the page is told in its address
SHOWN_REQUESTS = 5
SHOWN_PURCHASES = 20


@require_safe
def pricing(request: HttpRequest) -> HttpResponse:
    plans = list(Plan.objects.filter(offered=True))
    user = request.user
    current = user.current_subscription.plan if isinstance(user, User) else None
    sizes = [
        # A plan lowers the service's limits, it does not raise them.
        (
            plan,
            min(plan.max_file_bytes or settings.MAX_FILE_BYTES, settings.MAX_FILE_BYTES) / (1 << 20),
            min(plan.max_side or settings.MAX_SIDE, settings.MAX_SIDE),
            lifetimes.in_words(plan.longest_lifetime or lifetimes.default("result")),
        )
        for plan in plans
    ]
    context = {
        "offers": [(plan, _step(plan, current)) for plan in plans],
        "asks": any(plan.price is None for plan in plans),
        "sizes": sizes,
        "packs": _packs(),
    }
    return render(request, "billing/pricing.html", context)


def _step(plan: Plan, current: Plan | None) -> str:
    """What choosing `plan` is to somebody who is on `current`; None: to a visitor. Empty: they have it already."""
    if plan == current:
        return ""
    if plan.price is None:
        return "Talk to us"
    if current is None:
        return "Sign up"
    return "Upgrade" if worth(plan) > worth(current) else "Downgrade"


def _packs() -> list[tuple[Pack, bool]]:
    """What is offered, and whether it can be paid online."""
    sells = gateway().sells
    return [(pack, sells(pack)) for pack in Pack.objects.filter(offered=True)]


@login_required
@require_safe
def billing(request: SignedInRequest) -> HttpResponse:
    user = request.user
    if "paid" in request.GET:  # back from Stripe, perhaps before its event
        _attempt(request, lambda: gateway().refresh(user))
        return redirect("billing")
    billing_gateway = gateway()
    requests = PlanRequest.objects.filter(user=user).select_related("plan")
    context = {
        "section": "billing",
        "limits": user.limits,
        "plan": user.current_subscription.plan,
        "quota": quota_of(user),
        "longest": lifetimes.in_words(lifetimes.longest("result", user)),
        "offers": [(plan, billing_gateway.button(user, plan)) for plan in Plan.objects.filter(offered=True)],
        "open_request": requests.filter(state=PlanRequest.State.OPEN).first(),
        "requests": requests.exclude(state=PlanRequest.State.OPEN)[:SHOWN_REQUESTS],
        "customer": StripeCustomer.objects.filter(user=user).select_related("plan", "next_plan").first(),
        "packs": _packs(),
        "purchases": _purchases(user),
        "pays_online": isinstance(billing_gateway, StripeGateway),
        "max_message": MAX_MESSAGE,
        "chosen": {name: request.GET.get(name) for name in CHOICES},
    }
    return render(request, "billing/billing.html", context)


def _purchases(user: User) -> QuerySet[PackPurchase]:
    """Those that somebody paid for, or tried to: a payment page that was only opened is none."""
    tried = PackPurchase.objects.filter(user=user).exclude(state=PackPurchase.State.OPEN)
    return tried.exclude(payment_id="", amount=0).select_related("pack", "grant")[:SHOWN_PURCHASES]


def _posted(view: Callable[[SignedInRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """For a POST of whoever is signed in. Others sign in and come back to the page of the plans, with their choice:
    after a sign-in comes a GET, which these addresses have not."""

    @require_POST
    @wraps(view)
    def asked(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request)  # type: ignore[arg-type]
        chosen = {name: request.POST[name] for name in CHOICES if name in request.POST}
        return redirect_to_login(f"{reverse('billing')}?{urlencode(chosen)}" if chosen else reverse("billing"))

    return asked


@_posted
def choose(request: SignedInRequest) -> HttpResponse:
    return _perform(request, ChoosePlan(request.user, request.POST))


@_posted
def buy(request: SignedInRequest) -> HttpResponse:
    return _perform(request, BuyPack(request.user, request.POST))


def _perform(request: SignedInRequest, form: ChoosePlan | BuyPack) -> HttpResponse:
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("billing")
    return redirect(_attempt(request, form.perform) or "billing")


@_posted
def undo(request: SignedInRequest) -> HttpResponse:
    user = request.user
    _attempt(request, lambda: gateway().undo(user))
    return redirect("billing")


@_posted
def quota_mails(request: SignedInRequest) -> HttpResponse:
    """Whether the account is told by mail when its quota runs low."""
    wanted = "quota_mails" in request.POST
    User.objects.filter(pk=request.user.pk).update(quota_mails=wanted)
    messages.success(request, "We mail you when your quota runs low." if wanted else "No mails about your quota.")
    return redirect("billing")


@_posted
def portal(request: SignedInRequest) -> HttpResponse:
    user, pays = request.user, gateway()
    if not isinstance(pays, StripeGateway):
        raise Http404
    return redirect(_attempt(request, lambda: pays.portal(user)) or "billing")


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Stripe's events. 400: not signed by Stripe, or no event; 503: could not be handled now, to be sent again."""
    pays = gateway()
    if not isinstance(pays, StripeGateway):
        raise Http404
    signature = request.headers.get("Stripe-Signature", "")
    try:
        event = stripe.Webhook.construct_event(request.body, signature, settings.STRIPE_WEBHOOK_SECRET)
        check_not_ahead(signature)
    except (ValueError, stripe.SignatureVerificationError):
        return JsonResponse({"error": "The signature does not match."}, status=400)
    except (TypeError, AttributeError, KeyError, RecursionError):  # signed, and no object of JSON
        return JsonResponse({"error": "This is no event."}, status=400)
    try:
        pays.handle(event)
    except Malformed:
        return JsonResponse({"error": "This is no event."}, status=400)
    except Busy:
        return JsonResponse({"error": "Busy; please send it again."}, status=503)
    except (stripe.StripeError, UnknownPrice):
        logger.exception("Stripe's event %s", event.id)
        return JsonResponse({"error": "Not handled; please send it again."}, status=503)
    return JsonResponse({"received": True})


def _attempt(request: SignedInRequest, action: Callable[[], T]) -> T | None:
    """What `action` gives; or None, and the user is told why."""
    if is_ratelimited(request, group="billing", key="user", rate=RATE, increment=True):
        messages.error(request, "Too many clicks. Please wait a minute.")
        return None
    try:
        return action()
    except (Refused, Unavailable) as problem:
        messages.error(request, str(problem))
        return None
