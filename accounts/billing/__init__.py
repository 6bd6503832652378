"""How an account gets another plan: staff approve (manual.py), or it pays (stripe.py). Settings choose the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings

if TYPE_CHECKING:
    from accounts.models import Pack, Plan, User


class Refused(Exception):
    """What was asked for cannot be done; the text says why, to the user."""


class Unavailable(Exception):
    """The payment service did not do it; the text says to the user what to do."""

    def __init__(
        self, text: str = "The payment service cannot be reached. Nothing was changed; please try again later."
    ) -> None:
        super().__init__(text)


class Unanswered(Unavailable):
    """It may have been done, or be done yet."""

    def __init__(self) -> None:
        super().__init__(
            "The payment service did not answer in time. What you asked for may still happen: please look here in a "
            "minute, before you try again."
        )


class Busy(Unavailable):
    """So much is asked of the payment service that this was not."""

    def __init__(self) -> None:
        super().__init__("The payment service is busy. Nothing was changed; please try again in a moment.")


class UnderWay(Unavailable):
    """Another click of the account is being worked on."""

    def __init__(self) -> None:
        super().__init__("Your last click is still being worked on. Please try again in a moment.")


@dataclass(frozen=True)
class Button:
    """The one that chooses a plan: what it says, what it does, and whether a message to staff may go with it."""

    label: str
    effect: str = ""
    asks: bool = False


class Gateway(Protocol):
    def button(self, user: User, plan: Plan) -> Button | None:
        """None: the plan cannot be chosen now."""

    def choose(self, user: User, plan: Plan, message: str) -> str:
        """Ask for `plan`, or start to pay for it. The address to go on to. Raises Refused, Unavailable."""

    def sells(self, pack: Pack) -> bool:
        """Whether it can be paid online."""

    def buy(self, user: User, pack: Pack) -> str:
        """Start to pay for `pack`. The address to go on to. Raises Refused, Unavailable."""

    def undo(self, user: User) -> None:
        """Withdraw the open request, or the change that waits for the period's end. Raises Refused, Unavailable."""

    def refresh(self, user: User) -> None:
        """Look up what became of a payment. Raises Unavailable."""

    def close(self, user: User) -> None:
        """The account is about to be deleted: nothing may be charged any more. Raises Unavailable, AccountDeleted."""


def gateway() -> Gateway:
    # Imported here, for both speak in the errors above.
    if settings.STRIPE_SECRET_KEY and settings.STRIPE_WEBHOOK_SECRET:
        from accounts.billing.stripe import StripeGateway

        return StripeGateway()
    from accounts.billing.manual import ManualGateway

    return ManualGateway()


def close_before_deletion(instance: User, **signal: Any) -> None:
    """However an account is deleted, it does not pay on. Without an answer of Stripe it is not deleted: Unavailable."""
    gateway().close(instance)
