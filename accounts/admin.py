"""What staff see: accounts with their plan, plans to edit, keys to revoke, usage to read. Digests are never shown."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import ApiKey, Plan, QuotaPeriod, Subscription, Usage, User


class SubscriptionInline(admin.StackedInline):
    model = Subscription
    can_delete = False


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    ordering = ["email"]
    list_display = ["email", "plan", "is_active", "is_staff", "date_joined"]
    list_filter = ["subscription__plan", "is_active", "is_staff"]
    list_select_related = ["subscription__plan"]
    search_fields = ["email"]
    inlines = [SubscriptionInline]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        ("Permissions", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "password1", "password2"]})]

    @admin.display(ordering="subscription__plan")
    def plan(self, user: User) -> str:
        return str(user.subscription.plan) if hasattr(user, "subscription") else "Free"


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):
    list_display = ["name", "requests_per_minute", "burst", "quota", "quota_period", "price", "currency"]


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["prefix", "name", "user", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_select_related = ["user"]
    search_fields = ["prefix", "name", "user__email"]
    exclude = ["digest"]
    actions = ["revoke"]

    @admin.action(description="Revoke the chosen keys, at once and for good")
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        for key in keys.filter(revoked_at=None):
            key.revoke()
            self.log_change(request, key, "Revoked.")


@admin.register(QuotaPeriod)
class QuotaPeriodAdmin(ReadOnlyAdmin):
    list_display = ["user", "period", "starts_on", "used"]
    list_select_related = ["user"]
    list_filter = ["period"]
    search_fields = ["user__email"]


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "user", "endpoint", "state", "status", "code", "seconds", "charged", "request_id"]
    list_select_related = ["user"]
    list_filter = ["state", "status"]
    search_fields = ["request_id", "user__email"]
    exclude = ["idempotency_key", "fingerprint"]
