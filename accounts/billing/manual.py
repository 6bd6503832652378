"""The default: a user asks for a plan, staff approve or refuse in the admin."""

from __future__ import annotations

import logging

from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.billing import Button, Refused
from accounts.billing.mail import tell_staff
from accounts.billing.state import worth
from accounts.models import Pack, Plan, PlanRequest, StripeCustomer, User

logger = logging.getLogger(__name__)


class ManualGateway:
    def button(self, user: User, plan: Plan) -> Button | None:
        is_waiting = PlanRequest.objects.filter(user=user, state=PlanRequest.State.OPEN).exists()
        if is_waiting or user.current_subscription.plan_id == plan.pk:
            return None
        if plan.price is None:
            return Button(f"Talk to us about {plan}", "We answer by mail.", asks=True)
        if worth(plan) > worth(user.current_subscription.plan):
            return Button(f"Upgrade to {plan}", "We set it up by hand and tell you by mail.", asks=True)
        effect = "We move you by hand, once what you have paid for ends, and tell you by mail."
        return Button(f"Downgrade to {plan}", effect, asks=True)

    def choose(self, user: User, plan: Plan, message: str) -> str:
        if user.current_subscription.plan_id == plan.pk:
            raise Refused(f"Your account is on {plan} already.")
        try:
            with transaction.atomic():
                plan_request = PlanRequest.objects.create(user=user, plan=plan, message=message)
        except IntegrityError as error:
            raise Refused("Your last request is still open. Withdraw it to ask for something else.") from error
        tell_staff(plan_request)
        return reverse("billing")

    def sells(self, pack: Pack) -> bool:
        return False

    def buy(self, user: User, pack: Pack) -> str:
        raise Refused("This pack cannot be paid online. Please talk to us.")

    def undo(self, user: User) -> None:
        plan_request = PlanRequest.objects.filter(user=user, state=PlanRequest.State.OPEN).first()
        if plan_request is None or not plan_request.withdraw():
            raise Refused("There is no open request.")

    def refresh(self, user: User) -> None:
        """Nothing is paid for here."""

    def close(self, user: User) -> None:
        paying = StripeCustomer.objects.filter(user=user).exclude(subscription_id="").first()
        if paying:  # from a time when this site had Stripe's keys
            logger.error("Stripe customer %s is deleted here and still charged: cancel it at Stripe", paying)
