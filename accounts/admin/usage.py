"""What accounts did: keys, requests, quota periods, grants."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin.base import DetailedLogAdmin, ReadOnlyAdmin, save_changes
from accounts.models import ApiKey, QuotaGrant, QuotaMail, QuotaPeriod, Usage


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Live"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        now = timezone.now()
        if self.value() == "live":
            return keys.filter(revoked_at=None).exclude(expires_at__lte=now)
        if self.value() == "expired":
            return keys.filter(revoked_at=None, expires_at__lte=now)
        return keys.filter(revoked_at__isnull=False) if self.value() == "revoked" else keys


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["prefix", "name", "user", "created_at", "last_used_at", "last_used_for", "expires_at", "revoked_at"]
    list_filter = [StateFilter, "created_at"]
    list_select_related = ["user"]
    search_fields = ["prefix", "name", "user__email"]
    # Not `exclude`: a field that a migration adds is not shown either, until somebody says so here.
    fields = [
        "prefix",
        "name",
        "user",
        "created_at",
        "last_used_at",
        "last_used_for",
        "expires_at",
        "revoked_at",
        "scopes",
        "networks",
        "cap",
        "cap_period",
    ]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apikey")

    @admin.action(description="Revoke the selected keys, immediately and permanently", permissions=["revoke"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        live = list(keys.filter(revoked_at=None))
        for key in live:
            key.revoke()
            self.log_change(request, key, "Revoked.")
        self.message_user(request, f"{len(live)} keys are revoked. The next request with one of them is refused.")


@admin.register(QuotaPeriod)
class QuotaPeriodAdmin(ReadOnlyAdmin):
    list_display = ["user", "period", "starts_on", "used", "granted"]
    list_select_related = ["user"]
    list_filter = ["period", "starts_on"]
    date_hierarchy = "starts_on"
    search_fields = ["user__email"]


@admin.register(QuotaMail)
class QuotaMailAdmin(ReadOnlyAdmin):
    list_display = ["changed_at", "period", "percent", "state"]
    list_filter = ["state", "percent"]
    list_select_related = ["period"]


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    list_display = [
        "created_at",
        "user",
        "endpoint",
        "state",
        "status",
        "code",
        "engine_seconds",
        "charged",
        "request_id",
    ]
    list_select_related = ["user"]
    list_filter = ["state", "status", "is_test", "created_at"]
    search_fields = ["request_id", "user__email"]
    # Not `exclude`: a field that a migration adds is not shown either, until somebody says so here.
    fields = [
        "created_at",
        "user",
        "api_key",
        "endpoint",
        "request_id",
        "is_test",
        "state",
        "status",
        "code",
        "charged",
        "quota_period",
        "quota_grant",
        "origins",
        "key_period",
        "seconds",
        "milliseconds",
        "width",
        "height",
        "lease_expires_at",
    ]
    show_full_result_count = False

    @admin.display(ordering="seconds", description="seconds")
    def engine_seconds(self, usage: Usage) -> str:
        return f"{usage.seconds:.2f}"


class SpentFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Has units left"), ("spent", "Used up"), ("expired", "Expired")]

    def queryset(self, request: HttpRequest, grants: QuerySet[QuotaGrant]) -> QuerySet[QuotaGrant]:
        if self.value() == "live":
            return grants.filter(pk__in=QuotaGrant.objects.live())
        if self.value() == "spent":
            return grants.filter(used=F("units"))
        return grants.filter(expires_at__lte=timezone.now()) if self.value() == "expired" else grants


@admin.register(QuotaGrant)
class QuotaGrantAdmin(DetailedLogAdmin):
    """A grant is given once; afterwards only its end can be moved, for units of it may be in use."""

    list_display = ["user", "units", "used", "expires_at", "reason", "given_by", "created_at"]
    list_select_related = ["user", "given_by"]
    list_filter = [SpentFilter, "created_at"]
    search_fields = ["user__email", "reason"]
    autocomplete_fields = ["user"]
    fields = ["user", "units", "used", "expires_at", "reason", "given_by", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, grant: QuotaGrant | None = None) -> list[str]:
        fixed = ["user", "units", "reason"] if grant else []
        return [*fixed, "used", "given_by", "created_at"]

    def save_model(self, request: HttpRequest, grant: QuotaGrant, form: Any, change: bool) -> None:
        if not change:
            grant.given_by = request.user  # type: ignore[assignment]
        save_changes(grant, form, change)

    def has_delete_permission(self, request: HttpRequest, grant: QuotaGrant | None = None) -> bool:
        """What was used is history; an end in the past takes back what is left."""
        return False
