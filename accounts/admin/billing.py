"""Plan requests, which staff decide; packs, which they offer; and what Stripe said."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from accounts.admin.base import DetailedLogAdmin, ReadOnlyAdmin, save_changes
from accounts.billing.mail import tell_user
from accounts.models import Pack, PackPurchase, PlanRequest, StripeCustomer, StripeEvent, Subscription
from accounts.models.billing import StillPaying
from accounts.requests import SignedInRequest


@admin.register(PlanRequest)
class PlanRequestAdmin(DetailedLogAdmin):
    list_display = ["user", "plan", "state", "created_at", "decided_at", "decided_by"]
    list_filter = ["state", "plan", "created_at"]
    list_select_related = ["user", "plan", "decided_by"]
    search_fields = ["user__email", "message"]
    fields = ["user", "plan", "message", "state", "created_at", "decided_at", "decided_by", "reply"]
    readonly_fields = ["user", "plan", "message", "state", "created_at", "decided_at", "decided_by"]
    actions = ["approve", "refuse"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, plan_request: PlanRequest | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, plan_request: PlanRequest, form: Any, change: bool) -> None:
        save_changes(plan_request, form, change)

    @admin.action(description="Approve: put the accounts on the requested plans now", permissions=["change"])
    def approve(self, request: SignedInRequest, chosen: QuerySet[PlanRequest]) -> None:
        for plan_request in chosen.select_related("user", "plan"):
            before = Subscription.objects.filter(user=plan_request.user).values_list("plan__name", flat=True).first()
            try:
                done = plan_request.approve(request.user)
            except StillPaying as problem:
                self.message_user(request, str(problem), messages.ERROR)
                continue
            self._tell(request, plan_request, done, f"Approved: from {before or 'Free'} to {plan_request.plan}.")

    @admin.action(description="Refuse (write the reply first, on the request's own page)", permissions=["change"])
    def refuse(self, request: SignedInRequest, chosen: QuerySet[PlanRequest]) -> None:
        for plan_request in chosen.select_related("user", "plan"):
            self._tell(request, plan_request, plan_request.refuse(request.user), "Refused.")

    def _tell(self, request: HttpRequest, plan_request: PlanRequest, done: bool, text: str) -> None:
        if done:
            self.log_change(request, plan_request, text)
            tell_user(plan_request)
            self.message_user(request, f"{plan_request}: {text}", messages.SUCCESS)
        else:
            self.message_user(request, f"{plan_request}: closed already, {plan_request.state}.", messages.WARNING)


@admin.register(Pack)
class PackAdmin(DetailedLogAdmin):
    list_display = ["name", "units", "valid_days", "price", "currency", "stripe_price_id", "offered", "sold"]
    list_filter = ["offered"]
    search_fields = ["name", "stripe_price_id"]
    fieldsets = [
        (None, {"fields": ["name", "units", "valid_days", "position", "offered"]}),
        (
            "Price",
            {
                "description": "What people see, and what Stripe charges: the same amount. "
                "Without a price id people are told to talk to you.",
                "fields": ["price", "currency", "stripe_price_id"],
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pack]:
        packs: QuerySet[Pack] = super().get_queryset(request)
        paid = Q(purchases__state=PackPurchase.State.PAID)
        return packs.annotate(sold_count=Count("purchases", filter=paid))

    @admin.display(ordering="sold_count")
    def sold(self, pack: Any) -> int:
        return int(pack.sold_count)


@admin.register(PackPurchase)
class PackPurchaseAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "user", "pack", "units", "state", "paid_at", "price", "currency", "refunded"]
    list_filter = ["state", "pack", "created_at"]
    list_select_related = ["user", "pack"]
    search_fields = ["user__email", "session_id", "payment_id"]


@admin.register(StripeCustomer)
class StripeCustomerAdmin(ReadOnlyAdmin):
    list_display = ["user", "customer_id", "status", "plan", "renews_at", "next_plan"]
    list_filter = ["status", "plan"]
    list_select_related = ["user", "plan", "next_plan"]
    search_fields = ["user__email", "customer_id", "subscription_id"]


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "kind", "event_id", "customer_id", "handled_at"]
    list_filter = [("handled_at", admin.EmptyFieldListFilter), "kind", "received_at"]
    search_fields = ["event_id", "customer_id"]
