"""The dashboard: the plan and what is left of it, the last days, the last requests."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from accounts import chart, statistics
from accounts.forms.keys import CreateKeyForm
from accounts.models import Pack, Usage, User
from accounts.quota import quota_of
from accounts.requests import SignedInRequest

PAGE_SIZE = 20


@login_required
def dashboard(request: SignedInRequest) -> HttpResponse:
    user = request.user
    keys = {key.pk: key for key in user.api_keys.all()}
    span = _span(request.GET.get("days", ""))
    usage = statistics.recent(user, span)
    if not keys and not Usage.objects.filter(user=user).exists():
        form = CreateKeyForm(initial={"name": "My first key"})
        return render(request, "accounts/first_use.html", {**_plan(user), "form": form})
    days = statistics.by_day(usage, span)
    context = {
        **_plan(user),
        "span": span,
        "spans": statistics.SPANS,
        "days": days,
        "succeeded": sum(day.succeeded for day in days),
        "failed": sum(day.failed for day in days),
        "chart": chart.draw(days),
        "by_key": statistics.by_key(usage, keys),
        "requests": _requests(user, request.GET.get("page", "1")),
        "only_dead_keys": bool(keys) and not any(key.is_live for key in keys.values()),
    }
    return render(request, "accounts/dashboard.html", context)


def _span(days: str) -> int:
    """The days to show; 30 where nothing that is offered was asked for."""
    return next((span for span in statistics.SPANS if str(span) == days), 30)


def _plan(user: User) -> dict[str, Any]:
    return {
        "plan": user.current_subscription.plan,
        "limits": user.limits,
        "quota": quota_of(user),
        "has_packs": Pack.objects.filter(offered=True).exists(),
    }


def _requests(user: User, page: str) -> Any:
    """One page of all the account's processing requests, newest first; a page that is not there is the nearest one."""
    return Paginator(Usage.objects.filter(user=user).select_related("api_key"), PAGE_SIZE).get_page(page)
