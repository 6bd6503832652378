"""Accounts: their plan, limits of their own, grants, and what they used."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.admin.base import Admin, DetailedLogAdmin, is_above, is_superuser, save_changes
from accounts.models import LIMIT_FIELDS, Period, QuotaGrant, QuotaPeriod, StripeCustomer, Subscription, Usage, User
from accounts.quota import period_start

PERMISSIONS = ["is_staff", "is_superuser", "groups", "user_permissions"]


class SubscriptionForm(forms.ModelForm):
    def clean_plan(self) -> Any:
        plan = self.cleaned_data["plan"]
        changed = self.instance.pk and plan != self.instance.plan
        if changed and StripeCustomer.objects.paying().filter(user=self.instance.user).exists():
            raise ValidationError("This account pays through Stripe. Change or cancel its subscription there.")
        return plan


class SubscriptionInline(admin.StackedInline):
    model = Subscription
    form = SubscriptionForm
    can_delete = False
    verbose_name = "plan"
    verbose_name_plural = "plan and limits of its own"
    fieldsets = [
        (None, {"fields": ["plan"]}),
        (
            "Limits of its own",
            {"fields": tuple(LIMIT_FIELDS), "description": "For this account only. Empty: as its plan. Acts at once."},
        ),
    ]


class QuotaGrantInline(admin.TabularInline):
    """To add and to read; an added grant is changed on its own page."""

    model = QuotaGrant
    fk_name = "user"
    extra = 0
    fields = ["units", "reason", "expires_at", "used", "given_by", "created_at"]
    readonly_fields = ["used", "given_by", "created_at"]
    can_delete = False
    show_change_link = True
    verbose_name = "one-time grant"

    def has_change_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False


def with_usage(users: QuerySet[User]) -> QuerySet[User]:
    """Each account with what it used in its running period and when it last asked for a picture, in the one query."""
    today = timezone.now().date()
    starts = Case(
        When(period=Period.DAY, then=Value(period_start(Period.DAY, today))),
        default=Value(period_start(Period.MONTH, today)),
    )
    running = QuotaPeriod.objects.filter(
        user=OuterRef("pk"), period=OuterRef("subscription__plan__quota_period"), starts_on=starts
    )
    requests = Usage.objects.filter(user=OuterRef("pk")).order_by("-created_at")
    return users.annotate(
        used_now=Coalesce(Subquery(running.values(all=F("used") + F("granted"))), 0),
        last_request_at=Subquery(requests.values("created_at")[:1]),
    )


class OwnLimitsFilter(admin.SimpleListFilter):
    title = "limits of its own"
    parameter_name = "own_limits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, users: QuerySet[User]) -> QuerySet[User]:
        own = Q()
        for name in LIMIT_FIELDS:
            own |= Q(**{f"subscription__{name}__isnull": False})
        # An account without a row of its own is on Free, by its plan's limits.
        return {"yes": users.filter(own), "no": users.filter(~own | Q(subscription=None))}.get(
            self.value() or "", users
        )


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(Admin, DjangoGroupAdmin):
    """Only superusers say what a group may: others would give their own more."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, group: Group | None = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, group: Group | None = None) -> bool:
        return is_superuser(request)


@admin.register(User)
class UserAdmin(DetailedLogAdmin, DjangoUserAdmin):
    ordering = ["email"]
    list_display = [
        "email",
        "plan",
        "used",
        "quota",
        "last_request",
        "own_limits",
        "is_active",
        "is_staff",
        "date_joined",
    ]
    list_filter = ["subscription__plan", OwnLimitsFilter, "is_active", "is_staff", "date_joined"]
    list_select_related = ["subscription__plan"]
    search_fields = ["email", "api_keys__prefix", "stripe_customer__customer_id"]
    inlines = [SubscriptionInline, QuotaGrantInline]
    fieldsets = [
        (None, {"fields": ["email", "password", "is_active", "used", "last_request", "history"]}),
        (
            "Permissions",
            {"classes": ["collapse"], "fields": ["is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "usable_password", "password1", "password2"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return with_usage(super().get_queryset(request))

    def get_fieldsets(self, request: HttpRequest, user: User | None = None) -> Any:
        """The password stands beside a link to its page."""
        fieldsets = super().get_fieldsets(request, user)
        if user is None or is_superuser(request):
            return fieldsets
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name != "password"]})
            for title, options in fieldsets
        ]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Whoever knows an account's password can sign in as its owner. Others have the mailed code."""
        if not is_superuser(request):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def get_readonly_fields(self, request: HttpRequest, user: User | None = None) -> list[str]:
        """An address is its owner's to change, who proves that mail to it arrives. Only superusers make staff."""
        fixed = ["used", "last_request", "history", "last_login", "date_joined"]
        return fixed + (["email"] if user else []) + ([] if is_superuser(request) else PERMISSIONS)

    def has_change_permission(self, request: HttpRequest, user: User | None = None) -> bool:
        """Nobody rises by what staff may do more."""
        return not is_above(user, request) and super().has_change_permission(request, user)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for row_form in formset.forms:
            if row_form.has_changed():
                row, existed = row_form.instance, row_form.instance.pk is not None
                if isinstance(row, QuotaGrant):
                    row.given_by = request.user  # type: ignore[assignment]
                save_changes(row, row_form, existed)

    def has_delete_permission(self, request: HttpRequest, user: User | None = None) -> bool:
        """Its owner deletes an account, and with it its files. Staff make it inactive: its keys are dead at once."""
        return False

    @admin.display(ordering="subscription__plan__position", description="plan")
    def plan(self, user: User) -> str:
        return str(user.subscription.plan) if hasattr(user, "subscription") else "Free"

    @admin.display(ordering="used_now", description="used this period")
    def used(self, user: Any) -> str:
        return f"{user.used_now:,}"

    @admin.display(description="quota")
    def quota(self, user: User) -> str:
        limits = user.subscription.limits if hasattr(user, "subscription") else None
        if limits is None:
            return "as Free"
        return "unlimited" if limits.quota is None else f"{limits.quota:,} a {limits.quota_period}"

    @admin.display(ordering=F("last_request_at").desc(nulls_last=True), description="last request")
    def last_request(self, user: Any) -> str:
        """Written as other times: an account's own page shows what a method gives as Python does."""
        return date_format(user.last_request_at, "DATETIME_FORMAT") if user.last_request_at else "-"

    @admin.display(boolean=True, description="own limits")
    def own_limits(self, user: User) -> bool:
        return hasattr(user, "subscription") and any(
            getattr(user.subscription, name) is not None for name in LIMIT_FIELDS
        )

    @admin.display(description="What it did")
    def history(self, user: User) -> SafeString:
        lists = {
            "Keys": "accounts_apikey",
            "Requests": "accounts_usage",
            "Quota periods": "accounts_quotaperiod",
            "Grants": "accounts_quotagrant",
            "Purchases": "accounts_packpurchase",
            "Plan requests": "accounts_planrequest",
        }
        links = [
            (f"{reverse(f'admin:{name}_changelist')}?user__id__exact={user.pk}", text) for text, name in lists.items()
        ]
        return format_html_join(" · ", '<a href="{}">{}</a>', links)
