"""Who you are: an account, which signs in with its e-mail address."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import DatabaseError, models
from django.db.models.functions import Lower

from accounts.models.plan import Limits, Plan, Subscription
from accounts.plain import canonical, check_address


class AccountDeleted(Exception):
    """During a request of its own."""

    def __init__(self) -> None:
        super().__init__("This account was deleted.")


class UserManager(BaseUserManager["User"]):
    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return canonical(email or "")

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=canonical(username or ""))


class Lifetime(models.IntegerChoices):
    """Seconds for which an account may have its files kept (accounts.lifetimes)."""

    ONCE = 0
    HOUR = 3600
    DAY = 24 * 3600
    WEEK = 7 * 24 * 3600


class User(AbstractUser):
    """An account: signs in with its e-mail address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True, validators=[check_address])
    quota_mails = models.BooleanField(default=True, help_text="Mail when 80% and 100% of the quota are used.")

    upload_lifetime = models.PositiveIntegerField(null=True, blank=True, choices=Lifetime)
    result_lifetime = models.PositiveIntegerField(null=True, blank=True, choices=Lifetime)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique_whatever_case")]

    def save(self, **how: Any) -> None:
        """Not anew, where it was deleted meanwhile: django-allauth saves whole accounts. Raises AccountDeleted."""
        if not self._state.adding and how.get("update_fields") is None:
            how["force_update"] = True
        try:
            super().save(**how)
        except DatabaseError as error:
            if type(error) is DatabaseError:  # Django's own, of no row: the database's are kinds of it
                raise AccountDeleted from error
            raise

    @property
    def limits(self) -> Limits:
        """What this account may do now: its own limits where staff gave it some, else its plan's."""
        return self.current_subscription.limits

    @property
    def current_subscription(self) -> Subscription:
        try:
            return self.subscription
        except Subscription.DoesNotExist:
            subscription, _ = Subscription.objects.get_or_create(
                user=self, defaults={"plan": Plan.objects.get(slug=Plan.FREE)}
            )
            return subscription
