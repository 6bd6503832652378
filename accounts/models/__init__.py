"""Who you are (user, key), what you may do (plan) and what you did (usage)."""

from accounts.models.key import ApiKey, ApiKeyManager, ApiKeyQuerySet
from accounts.models.plan import LIMIT_FIELDS, Limits, Period, Plan, Subscription
from accounts.models.usage import QuotaPeriod, RateBucket, Usage
from accounts.models.user import User, UserManager

__all__ = [
    "LIMIT_FIELDS",
    "ApiKey",
    "ApiKeyManager",
    "ApiKeyQuerySet",
    "Limits",
    "Period",
    "Plan",
    "QuotaPeriod",
    "RateBucket",
    "Subscription",
    "Usage",
    "User",
    "UserManager",
]
