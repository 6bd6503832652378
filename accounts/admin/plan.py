"""Plans: what staff change here acts on the next request of every account that is on the plan."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts.admin.base import DetailedLogAdmin
from accounts.models import Plan


@admin.register(Plan)
class PlanAdmin(DetailedLogAdmin):
    list_display = [
        *("name", "slug", "requests_per_minute", "burst", "quota", "quota_period"),
        *("price", "currency", "stripe_price_id", "offered", "accounts"),
    ]
    list_filter = ["offered", "quota_period"]
    search_fields = ["name", "slug", "stripe_price_id"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "position", "offered"]}),
        (
            "Limits",
            {
                "description": "Empty means unlimited, if the field says nothing else. "
                "A change acts on the next request of all accounts on the plan.",
                "fields": [
                    *("requests_per_minute", "burst", "quota", "quota_period"),
                    *("max_file_bytes", "max_side", "batch_size", "concurrent_items", "longest_lifetime"),
                ],
            },
        ),
        ("Price", {"fields": ["price", "currency", "stripe_price_id"]}),
        ("Service level", {"fields": ["uptime_percent", "support_response"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        plans: QuerySet[Plan] = super().get_queryset(request)
        return plans.annotate(account_count=Count("subscriptions"))

    @admin.display(ordering="account_count")
    def accounts(self, plan: Any) -> int:
        return int(plan.account_count)

    def get_readonly_fields(self, request: HttpRequest, plan: Plan | None = None) -> list[str]:
        """The slug is what programs read in stats, and `free` is what the service looks for."""
        return ["slug"] if plan else []

    def get_prepopulated_fields(self, request: HttpRequest, plan: Plan | None = None) -> dict[str, Any]:
        return {} if plan else dict(self.prepopulated_fields)

    def has_delete_permission(self, request: HttpRequest, plan: Plan | None = None) -> bool:
        """New accounts start on Free; and a plan is deleted on its own page, which says what stands in the way."""
        return plan is not None and plan.slug != Plan.FREE and super().has_delete_permission(request, plan)
