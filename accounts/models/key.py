"""What programs show instead of a password."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import keys
from accounts.models.plan import Period
from accounts.models.user import User

LAST_USED_PRECISION = timedelta(minutes=1)
MAX_LIVE_KEYS = 20


class Scope(models.TextChoices):
    """What a key may be used for. A view says which one each of its methods needs (see metering.py)."""

    PROCESS = "process", "Process pictures"
    READ = "read", "Read statistics, batches and results"
    WEBHOOKS = "webhooks", "Manage webhook endpoints"


def every_scope() -> list[str]:
    return list(Scope.values)


class TooManyKeys(Exception):
    def __init__(self) -> None:
        super().__init__(f"An account can have {MAX_LIVE_KEYS} live keys. Revoke one that you no longer need.")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self) -> ApiKeyQuerySet:
        now = timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, user__is_active=True)

    def for_secret(self, raw: str) -> ApiKey | None:
        """The live key whose secret is `raw`, with its account's plan, or None."""
        if not keys.is_well_formed(raw):
            return None
        candidates = self.live().filter(prefix=keys.prefix(raw)).select_related("user__subscription__plan")
        return next((key for key in candidates if keys.matches(raw, key.digest)), None)


class ApiKeyManager(models.Manager.from_queryset(ApiKeyQuerySet)):  # type: ignore[misc]
    def issue(self, user: User, name: str, *, test: bool = False, **fields: Any) -> tuple[ApiKey, str]:
        """A new key and its secret, which nobody can read again. Raises TooManyKeys."""
        raw = keys.generate(keys.TEST if test else keys.LIVE)
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)  # two requests must not both find room for the last one
            if self.filter(user=user).live().count() >= MAX_LIVE_KEYS:
                raise TooManyKeys
            key = self.create(user=user, name=name, prefix=keys.prefix(raw), digest=keys.digest(raw), **fields)
        return key, raw


class ApiKey(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=keys.PREFIX_LENGTH, db_index=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_for = models.CharField(max_length=100, blank=True, editable=False, help_text="Method and path.")
    expires_at = models.DateTimeField(null=True, blank=True)
    told_days = models.PositiveSmallIntegerField(
        null=True, editable=False, help_text="Days before it expires for which a mail was last sent."
    )
    telling_until = models.DateTimeField(
        null=True, editable=False, help_text="While such a mail is being sent: afterwards its sender counts as dead."
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    scopes = models.JSONField(default=every_scope, help_text="What it may be used for: values of Scope.")
    cap = models.PositiveIntegerField(null=True, help_text="Pictures in a cap_period; empty: any number.")
    cap_period = models.CharField(max_length=5, choices=Period, default=Period.DAY)
    networks = models.JSONField(default=list, help_text="Where it may be used from, in CIDR notation; empty: anywhere.")

    objects = ApiKeyManager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and not self.has_expired

    def allows(self, address: str) -> bool:
        """Whether it may be used from there: REMOTE_ADDR, as TrustedProxies leaves it (IPv4 is never in IPv6)."""
        if not self.networks:
            return True
        try:
            client = ipaddress.ip_address(address)
        except ValueError:  # a Unix socket's
            return False
        return any(client in ipaddress.ip_network(network) for network in self.networks)

    @property
    def is_test(self) -> bool:
        """A sandbox key: nothing is charged, and results are stamped."""
        return self.prefix.startswith(keys.TEST)

    @property
    def narrowed(self) -> list[str]:
        """Its scopes, where it lacks one."""
        return [] if set(self.scopes) >= set(Scope.values) else list(self.scopes)

    def revoke(self) -> None:
        """At once and for good: the next request with this key is 401."""
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])

    @transaction.atomic
    def rotate(self, *, grace: timedelta, expires_at: datetime | None) -> tuple[ApiKey, str]:
        """A new key of the same kind, with the same name and rights, which expires at `expires_at` (None: never).

        This one lives for `grace` more. Raises TooManyKeys when both cannot live side by side.
        """
        if grace:
            ends = timezone.now() + grace
            self.expires_at = min(self.expires_at or ends, ends)
            self.told_days, self.telling_until = 0, None  # its owner knows
            self.save(update_fields=["expires_at", "told_days", "telling_until"])
        else:
            self.revoke()
        rights = {"test": self.is_test, "scopes": self.scopes, "networks": self.networks}
        rights |= {"cap": self.cap, "cap_period": self.cap_period}
        return ApiKey.objects.issue(self.user, self.name, expires_at=expires_at, **rights)

    def touch(self, used_for: str) -> None:
        """Remember that and for what the key was used, to the minute: most requests write nothing."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > LAST_USED_PRECISION:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now, last_used_for=used_for[:100])
