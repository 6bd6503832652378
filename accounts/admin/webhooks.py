"""What staff see of webhooks: whose, where to, what was answered. No secret, and nothing of what was told."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.admin.base import ReadOnlyAdmin
from accounts.models import Delivery, WebhookEndpoint


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("enabled", "Enabled"), ("failing", "Failing"), ("disabled", "Disabled")]

    def queryset(self, request: HttpRequest, endpoints: QuerySet[WebhookEndpoint]) -> QuerySet[WebhookEndpoint]:
        enabled = endpoints.filter(disabled="")
        chosen = {
            "enabled": enabled,
            "failing": enabled.exclude(failing_since=None),
            "disabled": endpoints.exclude(disabled=""),
        }
        return chosen.get(self.value() or "", endpoints)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = ["url", "owner", "disabled", "failing_since", "created_at"]
    list_select_related = ["owner"]
    list_filter = [StateFilter, "disabled", "created_at"]
    search_fields = ["url", "owner__email"]
    # Not `exclude`: a field that a migration adds is not shown either, until somebody says so here.
    fields = ["id", "url", "owner", "events", "disabled", "failing_since", "created_at", "rotated_at"]
    actions = ["disable"]

    def has_disable_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_webhookendpoint")

    @admin.action(description="Disable the selected endpoints: nothing is sent to them", permissions=["disable"])
    def disable(self, request: HttpRequest, endpoints: QuerySet[WebhookEndpoint]) -> None:
        count = 0
        for endpoint in endpoints:
            if WebhookEndpoint.objects.filter(pk=endpoint.pk, disabled="").update(disabled=endpoint.Reason.STAFF):
                self.log_change(request, endpoint, "Disabled.")
                count += 1
        self.message_user(request, f"Disabled: {count}. Their owners can enable them again.")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "type", "owner", "url", "state", "tries", "available_at", "finished_at"]
    list_select_related = ["owner", "event"]
    list_filter = ["state", "created_at"]
    search_fields = ["url", "owner__email"]
    show_full_result_count = False
    fields = ["id", "type", "owner", "endpoint", "url", "state", "tries", "log"]
    fields += ["created_at", "available_at", "finished_at"]

    @admin.display(ordering="event__type")
    def type(self, delivery: Delivery) -> str:
        return delivery.event.type

    @admin.display
    def log(self, delivery: Delivery) -> SafeString | str:
        return format_html_join("", "{}<br>", ((str(each),) for each in delivery.log.all())) or "-"
