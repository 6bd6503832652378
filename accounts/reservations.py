"""A call, the unit of quota that is reserved for it before the engine runs, and what became of both.

A unit is spent or given back exactly once: ONE conditional UPDATE of the row's state decides who does it. A process
that dies leaves a lease behind, which runs out. What outlives a request (reserve_many) is held by a row of its own
instead, has no lease, and stays reserved until the holder of that row resumes it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import caps
from accounts.models import ApiKey, Usage, User
from accounts.prices import Price, ask
from accounts.quota import origin_of, return_units, seconds_until, take_units

IDEMPOTENCY_TTL = timedelta(hours=24)


class IdempotencyMismatch(Exception):
    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another request.")


class IdempotencyInProgress(Exception):
    """`retry_after`: seconds after which the first request is over at the latest, whatever became of its process."""

    def __init__(self, first: Usage | None) -> None:
        super().__init__("The first request with this Idempotency-Key is still running, or was cut off.")
        lease = first.lease_expires_at if first else None
        self.retry_after = seconds_until(lease) if lease else 1


@dataclass
class Call:
    """Who asks for what: an account's request, or one of the public (user None), which nothing is charged for."""

    user: User | None
    api_key: ApiKey | None
    endpoint: str
    request_id: str
    idempotency_key: str | None = None
    address: str = ""  # of the client; of IPv6 its /64
    is_test: bool = False  # with a test key: it takes no unit, and its result is stamped
    price: Price | None = None  # of the model that it asks for; None: one unit
    usage: Usage | None = None  # the row that reserve() made for it
    charged: int = 0  # units spent, once settled

    @property
    def account(self) -> User:
        """Of a call that is no public one."""
        if self.user is None:
            raise ValueError("A public call has no account.")
        return self.user

    @property
    def caller(self) -> str:
        """Equal for all calls of one account, or of one address that has none."""
        return f"account {self.user.pk}" if self.user else f"address {self.address}"


class Reservation:
    """The units of a picture, taken. Leaving the `with` block without settle() gives it back.

    `answer` is the first answer where `replayed`: the same request was settled before and costs nothing now. It may
    name a result that is gone by now.
    """

    def __init__(self, call: Call, usage: Usage | None, *, replayed: bool = False) -> None:
        self.call = call
        self.usage = usage
        self.replayed = replayed
        self._open = usage is not None and not replayed

    @property
    def answer(self) -> Any:
        return self.usage.answer if self.usage else None

    def settle(self, *, seconds: float, width: int, height: int, answer: Any = None, free: bool = False) -> None:
        """The request succeeded: its unit is spent, or, where there was nothing to do (`free`), given back.

        Raises QuotaExceeded if the lease had run out and no unit is left.
        """
        usage = self.usage
        if usage is not None and self.replayed and answer is not None:  # what the first one named is gone
            Usage.objects.filter(pk=usage.pk).update(answer=answer)
        if usage is None or not self._open:
            return
        self._open = False
        done = {"state": Usage.State.SUCCEEDED, "seconds": seconds, "width": width, "height": height, "answer": answer}
        if free:
            if not _close(usage, **done):  # the lease had run out, and the unit was returned then
                Usage.objects.filter(pk=usage.pk).update(**done, status=None, code="")
            return
        if not Usage.objects.filter(pk=usage.pk, state=Usage.State.RESERVED).update(**done, lease_expires_at=None):
            _take_again(self.call, usage, done)
        self.call.charged = usage.charged

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self.usage is not None and self._open:
            self._open = False
            give_back(self.usage, status=None, code="")


def reserve(call: Call, fingerprint: str = "") -> Reservation:
    """Reserve what `call` costs, or find that it was answered before.

    `fingerprint`: SHA-256 of the request's fields, which tells a repeat from another request under the same
    Idempotency-Key. Raises ModelNotInPlan, QuotaExceeded (KeyQuotaExceeded, too), IdempotencyMismatch,
    IdempotencyInProgress.
    """
    if call.user is None:
        if call.price is not None:
            ask(None, call.price)
        return Reservation(call, None)
    reclaim(call.user)
    if call.idempotency_key and (first := first_request(call.user, call.idempotency_key)):
        if first.fingerprint != fingerprint:
            raise IdempotencyMismatch
        if first.state == Usage.State.RESERVED:
            raise IdempotencyInProgress(first)
        return Reservation(call, first, replayed=True)
    try:
        with transaction.atomic():
            [unit] = _take(call)
            usage = Usage.objects.create(
                **_who(call),
                state=Usage.State.RESERVED,
                **unit,
                lease_expires_at=timezone.now() + timedelta(seconds=settings.RESERVATION_TTL),
                idempotency_key=call.idempotency_key,
                fingerprint=fingerprint,
            )
    except IntegrityError as error:  # another request took the key between our look and our insert
        if call.idempotency_key is None:
            raise  # the account was deleted meanwhile
        raise IdempotencyInProgress(first_request(call.user, call.idempotency_key)) from error
    call.usage = usage
    return Reservation(call, usage)


def reserve_many(call: Call, count: int, *, partial: bool = False) -> list[Usage]:
    """What each of `count` pictures costs that are worked on later; for fewer, at least one, where `partial`.

    Call it inside the transaction that writes the rows which hold them. Raises ModelNotInPlan, QuotaExceeded.
    """
    reclaim(call.account)
    return Usage.objects.bulk_create(
        Usage(**_who(call), state=Usage.State.RESERVED, **unit) for unit in _take(call, count, partial=partial)
    )


def resume(usage: Usage) -> Reservation:
    """What reserve_many() reserved, to be settled now, or given back by leaving its `with` block."""
    call = Call(usage.user, usage.api_key, usage.endpoint, usage.request_id, is_test=usage.is_test, usage=usage)
    return Reservation(call, usage)


def give_back(usage: Usage, *, status: int | None, code: str) -> bool:
    """End the reservation of what failed; whether it was still open. `status`, `code`: for the row of usage."""
    return _close(usage, state=Usage.State.FAILED, status=status, code=code, idempotency_key=None)


@transaction.atomic
def forget(usage: QuerySet[Usage]) -> None:
    """What of it is reserved will not be tried: the units go back, and no statistic knows of the rows."""
    reserved = list(usage.filter(state=Usage.State.RESERVED).select_for_update(of=("self",)))
    Usage.objects.filter(pk__in=[row.pk for row in reserved]).delete()
    of_keys = Counter(row.key_period_id for row in reserved if row.key_period_id)
    for key_period, count in sorted(of_keys.items()):  # keys' rows before quota's, as in _take()
        caps.give_back(key_period, count)
    return_units(reserved)


def record_outcome(call: Call, *, status: int, code: str, milliseconds: int) -> None:
    """What became of a processing request, in its row; a failure before anything was reserved gets one here."""
    outcome = {"status": status, "code": code, "milliseconds": milliseconds}
    if call.usage is not None:
        Usage.objects.filter(pk=call.usage.pk).update(**outcome)
    elif status >= 400:
        Usage.objects.create(**_who(call), state=Usage.State.FAILED, **outcome)


def reclaim(user: User | None = None) -> int:
    """Give back the units of requests whose process died (their leases ran out): of one account, or of all."""
    stale = Usage.objects.filter(state=Usage.State.RESERVED, lease_expires_at__lt=timezone.now())
    if user is not None:
        stale = stale.filter(user=user)
    return sum(give_back(usage, status=500, code="interrupted") for usage in stale)


def hold_account(user: User) -> None:
    """Until the transaction ends nobody else looks whether an Idempotency-Key of the account is taken, or how much it
    has stored: what no constraint of the database compares. A key is taken by a row of Usage or of others' (a batch).
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def first_request(user: User, key: str) -> Usage | None:
    """The one that is answered, or may still be, under this Idempotency-Key, while that is remembered."""
    rows = Usage.objects.filter(user=user, idempotency_key=key)
    rows.filter(created_at__lt=timezone.now() - IDEMPOTENCY_TTL).update(idempotency_key=None)
    return rows.first()


def _who(call: Call) -> dict[str, Any]:
    return {
        "user": call.user,
        "api_key": call.api_key,
        "endpoint": call.endpoint,
        "request_id": call.request_id,
        "is_test": call.is_test,
    }


def _take(call: Call, count: int = 1, *, partial: bool = False, each: int | None = None) -> list[dict[str, Any]]:
    """A row's fields for each picture: one of its key's cap, its price of its account's quota; a test key takes none.

    `each`: units, where the price was told before.
    """
    if each is None:
        each = 1 if call.price is None else ask(call.account, call.price)
    if call.is_test:
        return [{"charged": 0}] * count
    of_key, most = caps.take(call.api_key, count, partial=partial)
    taken = take_units(call.account, call.account.limits, most, each, partial=partial)
    if of_key is not None:
        caps.give_back(of_key.pk, most - len(taken))
    return [{"charged": each, "key_period": of_key, **origin_of(units)} for units in taken]


def _take_again(call: Call, usage: Usage, done: dict[str, Any]) -> None:
    """The lease ran out while the engine worked, and the units were given back: they have to be had anew."""
    with transaction.atomic():
        [units] = _take(call, each=usage.charged)
        Usage.objects.filter(pk=usage.pk).update(**done, **units, status=None, code="")


def _close(usage: Usage, **outcome: Any) -> bool:
    """End a reservation without a charge, once: only the winner of the state's UPDATE gives its unit back."""
    with transaction.atomic():
        won = Usage.objects.filter(pk=usage.pk, state=Usage.State.RESERVED).update(
            **outcome, charged=0, lease_expires_at=None
        )
        if won:
            caps.give_back(usage.key_period_id, 1)
            return_units([usage])
    return bool(won)
