"""The admin's site: ours by name, and its first page says how the service fares today."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts import public
from accounts.models import PlanRequest, Usage
from inpainting.batches.models import Item

TOP = 5  # accounts


class Site(admin.AdminSite):
    site_header = site_title = f"{settings.SITE_NAME} admin"
    index_title = "Overview"
    index_template = "admin/overview.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        may_see = request.user.has_perms(["accounts.view_usage", "accounts.view_user"])
        return super().index(request, {**(extra_context or {}), "overview": overview() if may_see else None})


def overview() -> dict[str, Any]:
    """Today's requests (UTC) and what waits now: five queries, each by an index of today's or of waiting rows alone.

    Requests with test keys are counted apart; what runs now is everybody's, for it takes the same engine.
    """
    midnight = datetime.combine(timezone.now().date(), time(), UTC)
    with_tests = Usage.objects.filter(created_at__gte=midnight).order_by()
    real = Q(is_test=False)
    counts = with_tests.aggregate(
        requests=Count("pk", filter=real),
        failed=Count("pk", filter=real & Q(state=Usage.State.FAILED)),
        tests=Count("pk", filter=~real),
        running=Count("pk", filter=Q(state=Usage.State.RESERVED)),
    )
    queued = Item.objects.filter(state=Item.State.QUEUED)
    accounts = with_tests.filter(real).exclude(user=None).values("user", "user__email")
    top = accounts.annotate(requests=Count("pk"), charged=Sum("charged", default=0)).order_by("-requests")[:TOP]
    return {
        **counts,
        "pictures_waiting": queued.count(),
        "batches_waiting": queued.aggregate(batches=Count("batch", distinct=True))["batches"],
        "plan_requests": PlanRequest.objects.filter(state=PlanRequest.State.OPEN).count(),
        "visitors_pictures": public.pictures_today(),
        "top": list(top),
    }
