"""Plans that are paid for, and packs (packs.py). Stripe's present state is the truth: it is looked up and written here.

So an event that comes twice, late or never does no harm. Upgrades act and are paid at once; a downgrade waits at
Stripe, as a subscription schedule or a cancellation, for the period's end; what is not paid for any more is Free.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import stripe
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.billing import Button, Refused, Unanswered, Unavailable, calls, customers, packs, turns
from accounts.billing.events import Subject, subject_of
from accounts.billing.manual import ManualGateway
from accounts.billing.state import OWED, PAID, State, UnknownPrice, read, worth, write
from accounts.models import Pack, Plan, StripeCustomer, StripeEvent, StripeTurn, User

logger = logging.getLogger(__name__)

# After any of these the customer's state is looked up.
EVENTS = {
    "checkout.session.completed",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.updated",
    "invoice.paid",
    "invoice.payment_failed",
    "subscription_schedule.released",
    "subscription_schedule.updated",
}


class StripeGateway:
    def __init__(self) -> None:
        self.calls = calls.Calls()
        self.api = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            base_addresses={"api": settings.STRIPE_API_BASE},
            http_client=self.calls,
            max_network_retries=2,
        ).v1
        self.by_hand = ManualGateway()

    def button(self, user: User, plan: Plan) -> Button | None:
        customer = customers.known(user)
        if not self._is_paid_here(plan, customer):
            return self.by_hand.button(user, plan)
        if customer is None or not customer.subscription_id:
            is_theirs = user.current_subscription.plan_id == plan.pk
            return None if is_theirs else Button(f"Upgrade to {plan}", "Paid on Stripe's page; takes effect at once.")
        if customer.plan is None or plan in (customer.plan, customer.next_plan):
            return None
        if worth(plan) > worth(customer.plan):
            return Button(f"Upgrade to {plan}", "Takes effect at once; you pay the difference now.")
        return Button(f"Downgrade to {plan}", f"On {customer.renews_at:%Y-%m-%d}, when the paid period ends.")

    def choose(self, user: User, plan: Plan, message: str) -> str:
        if not self._is_paid_here(plan, customers.known(user)):
            return self.by_hand.choose(user, plan, message)
        with self._changing(user) as turn:
            customer = customers.made(self.api, turn)
            self._close_pages(customer, "subscription")  # before the look: what is paid until then is seen
            self.sync(customer)
            if not customer.subscription_id:
                return self._open_page(customer, plan)
            self._change(customer, plan)
            self.sync(customer)
        return reverse("billing")

    def sells(self, pack: Pack) -> bool:
        return pack.price is not None and bool(pack.stripe_price_id)

    def buy(self, user: User, pack: Pack) -> str:
        if not self.sells(pack) or pack.price is None:
            return self.by_hand.buy(user, pack)
        if user.limits.quota is None:
            raise Refused("Your plan has no quota, so there is nothing that a pack would add.")
        with self._changing(user) as turn:
            return packs.open_page(self.api, customers.made(self.api, turn), pack, pack.price)

    def undo(self, user: User) -> None:
        customer = customers.known(user)
        if customer is None or customer.next_plan is None:
            return self.by_hand.undo(user)
        with self._changing(user):
            self._forget_changes(customer.subscription_id)
            self.sync(customer)

    def refresh(self, user: User) -> None:
        customer = customers.known(user)
        if customer:
            with self._looking(user):
                self.sync(customer)
                packs.look_at_latest(self.api, user)

    def portal(self, user: User) -> str:
        """The address of Stripe's own pages: cards, invoices, cancellation."""
        customer = customers.known(user)
        if customer is None:
            raise Refused("There is nothing to manage: your account has not paid for anything yet.")
        with self._looking(user):
            back = settings.SITE_URL + reverse("billing")
            params: Any = {"customer": customer.customer_id, "return_url": f"{back}?paid=1"}
            return self.api.billing_portal.sessions.create(params).url

    def close(self, user: User) -> None:
        """Deleting a customer cancels at once whatever it pays for; its invoices stay at Stripe."""
        with turns.last_turn(user) as turn:
            if turn.customer_key or customers.known(user):
                with self._looking(user):
                    self._delete(customers.made(self.api, turn))

    def handle(self, event: stripe.Event) -> None:
        """A signed event: handled once, by its id. What raises (Busy too) is left open, and Stripe sends it again.

        Malformed: it is none of Stripe's making, and would be no better the next time.
        """
        subject = subject_of(event)
        row, _ = StripeEvent.objects.get_or_create(
            event_id=subject.event_id, defaults={"kind": subject.kind, "customer_id": subject.customer_id}
        )
        if row.handled_at is not None:
            return
        with calls.events.errand(subject.customer_id or subject.event_id):
            self.calls.begin()
            self._look_at(subject)
        StripeEvent.objects.filter(pk=row.pk).update(handled_at=timezone.now())

    def _look_at(self, subject: Subject) -> None:
        if subject.session_id and subject.kind in packs.SESSION_EVENTS:
            packs.look_at_session(self.api, subject.session_id)
        elif subject.payment_id and subject.kind == "charge.refunded":
            packs.look_at_payment(self.api, subject.payment_id)
        else:
            self._look_at_customer(subject)

    def _look_at_customer(self, subject: Subject) -> None:
        customer = StripeCustomer.objects.filter(customer_id=subject.customer_id).first()
        if customer and subject.kind == "customer.deleted":
            write(customer, State())
            customer.delete()
        elif customer and subject.kind in EVENTS:  # others than ours may use the same Stripe account
            with suppress(StripeCustomer.DoesNotExist):  # deleted during the look: it pays for nobody any more
                self.sync(customer)

    @contextmanager
    def _changing(self, user: User) -> Iterator[StripeTurn]:
        with calls.changes.errand(user.pk), turns.turn(user) as turn, _translated():
            self.calls.begin()
            yield turn

    @contextmanager
    def _looking(self, user: User) -> Iterator[None]:
        with calls.looks.errand(user.pk), _translated():
            self.calls.begin()
            yield

    # --- Stripe to here ----------------------------------------------------------------------------------------------

    def sync(self, customer: StripeCustomer) -> StripeCustomer:
        """Write what Stripe says now. Of two looks at once the one that began before the other's end looks again.

        Raises StripeCustomer.DoesNotExist: it was deleted during the look.
        """
        while True:
            customer.refresh_from_db()
            state = self._look(customer.customer_id)
            if write(customer, state):
                customer.refresh_from_db()
                return customer

    def _look(self, customer_id: str) -> State:
        try:
            params: Any = {"customer": customer_id, "limit": 100, "expand": ["data.schedule"]}
            found = self.api.subscriptions.list(params).data
        except stripe.InvalidRequestError as error:
            if error.code == "resource_missing":  # deleted at Stripe, and with it all it paid for
                return State()
            raise
        states = [read(subscription) for subscription in found if subscription.status in PAID + OWED]
        if len(states) > 1:
            logger.error("Stripe customer %s has %s subscriptions that live", customer_id, len(states))
        return max(states, key=lambda state: (state.plan is not None, worth(state.plan)), default=State())

    # --- here to Stripe ----------------------------------------------------------------------------------------------

    def _is_paid_here(self, plan: Plan, customer: StripeCustomer | None) -> bool:
        """Free is, for who pays: it is the cancellation. Other plans without a price of Stripe's are asked for."""
        paying = customer is not None and bool(customer.subscription_id)
        return bool(plan.stripe_price_id) or (plan.slug == Plan.FREE and paying)

    def _open_page(self, customer: StripeCustomer, plan: Plan) -> str:
        """The address of a payment page. No older one is open, so that nobody can pay for two subscriptions."""
        back = settings.SITE_URL + reverse("billing")
        params: Any = {
            "mode": "subscription",
            "customer": customer.customer_id,
            "client_reference_id": str(customer.user_id),
            "line_items": [{"price": plan.stripe_price_id, "quantity": 1}],
            "success_url": f"{back}?paid=1",
            "cancel_url": back,
        }
        return str(self.api.checkout.sessions.create(params).url)

    def _close_pages(self, customer: StripeCustomer, *modes: str) -> None:
        """The open ones of these modes; without any, all."""
        opened: Any = {"customer": customer.customer_id, "status": "open", "limit": 100}
        for session in self.api.checkout.sessions.list(opened).data:
            if not modes or session.mode in modes:
                self._close_page(session.id)

    def _close_page(self, session_id: str) -> None:
        try:
            self.api.checkout.sessions.expire(session_id)
        except stripe.InvalidRequestError:
            if self.api.checkout.sessions.retrieve(session_id).status == "open":
                raise  # else it was paid just now

    def _delete(self, customer: StripeCustomer) -> None:
        try:
            self._close_pages(customer)  # nobody would get what is bought on them
            self.api.customers.delete(customer.customer_id)
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
        customer.delete()

    def _change(self, customer: StripeCustomer, plan: Plan) -> None:
        if customer.plan is None:
            raise Refused("The last payment failed. Pay it first, under “Payment and invoices”.")
        if customer.plan == plan:
            raise Refused(f"Your account is on {plan} already.")
        self._forget_changes(customer.subscription_id)
        if plan.slug == Plan.FREE:
            self.api.subscriptions.update(customer.subscription_id, {"cancel_at_period_end": True})
        elif worth(plan) > worth(customer.plan):
            self._upgrade(customer.subscription_id, plan)
        else:
            self._downgrade(customer.subscription_id, plan)

    def _upgrade(self, subscription_id: str, plan: Plan) -> None:
        """At once, and the difference is paid at once; where that fails nothing changes."""
        item = self.api.subscriptions.retrieve(subscription_id)["items"].data[0]
        params: Any = {
            "items": [{"id": item.id, "price": plan.stripe_price_id}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "error_if_incomplete",
        }
        self.api.subscriptions.update(subscription_id, params)

    def _downgrade(self, subscription_id: str, plan: Plan) -> None:
        """What is paid for goes on to its end; then the smaller plan begins."""
        schedule = self.api.subscription_schedules.create({"from_subscription": subscription_id})
        now = schedule.phases[0]
        current = [{"price": item.price, "quantity": item.quantity} for item in now["items"]]
        phases = [
            {"items": current, "start_date": now.start_date, "end_date": now.end_date},
            {
                "items": [{"price": plan.stripe_price_id, "quantity": 1}],
                "duration": {"interval": "month", "interval_count": 1},
                "proration_behavior": "none",
            },
        ]
        params: Any = {"end_behavior": "release", "phases": phases}
        self.api.subscription_schedules.update(schedule.id, params)

    def _forget_changes(self, subscription_id: str) -> None:
        """Whatever was to happen at the period's end does not."""
        subscription: Any = self.api.subscriptions.retrieve(subscription_id)
        if subscription.schedule:
            self.api.subscription_schedules.release(subscription.schedule)
        if subscription.cancel_at_period_end:
            self.api.subscriptions.update(subscription_id, {"cancel_at_period_end": False})
        elif subscription.cancel_at:
            self.api.subscriptions.update(subscription_id, {"cancel_at": ""})


@contextmanager
def _translated() -> Iterator[None]:
    """Stripe's errors in our words."""
    try:
        yield
    except stripe.CardError as error:
        raise Refused(f"The payment was refused: {error.user_message} Nothing was changed.") from error
    except StripeCustomer.DoesNotExist as error:
        raise Refused("Your payment details were deleted at Stripe meanwhile. Nothing was changed.") from error
    except (stripe.StripeError, UnknownPrice) as error:
        logger.exception("Stripe")
        raise (Unanswered if isinstance(error, stripe.APIConnectionError) else Unavailable) from error
