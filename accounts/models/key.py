"""What programs show instead of a password."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts import keys
from accounts.models.user import User

LAST_USED_PRECISION = timedelta(minutes=1)


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
    def issue(self, user: User, name: str, **fields: Any) -> tuple[ApiKey, str]:
        """A new key and its secret, which nobody can read again."""
        raw = keys.generate()
        return self.create(user=user, name=name, prefix=keys.prefix(raw), digest=keys.digest(raw), **fields), raw


class ApiKey(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=keys.PREFIX_LENGTH, db_index=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyManager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def revoke(self) -> None:
        """At once and for good: the next request with this key is 401."""
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])

    def touch(self) -> None:
        """Remember that the key was used, to the minute: most requests write nothing."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > LAST_USED_PRECISION:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)
