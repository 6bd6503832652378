"""Who you are (user, key), what you may do (plan), how you came to it (billing) and what you did (usage)."""

from accounts.models.billing import PlanRequest, StripeCustomer, StripeEvent, StripeTurn
from accounts.models.key import MAX_LIVE_KEYS, ApiKey, ApiKeyManager, ApiKeyQuerySet, Scope, TooManyKeys
from accounts.models.pack import Pack, PackPurchase
from accounts.models.plan import LIMIT_FIELDS, Limits, Period, Plan, PlanModel, Subscription
from accounts.models.usage import KeyPeriod, QuotaGrant, QuotaMail, QuotaPeriod, RateBucket, Usage
from accounts.models.user import AccountDeleted, Lifetime, User, UserManager
from accounts.webhooks.models import DefaultSigner, Delivery, Try, WebhookEndpoint, WebhookEvent

__all__ = [
    "LIMIT_FIELDS",
    "MAX_LIVE_KEYS",
    "AccountDeleted",
    "ApiKey",
    "ApiKeyManager",
    "ApiKeyQuerySet",
    "DefaultSigner",
    "Delivery",
    "KeyPeriod",
    "Lifetime",
    "Limits",
    "Pack",
    "PackPurchase",
    "Period",
    "Plan",
    "PlanModel",
    "PlanRequest",
    "QuotaGrant",
    "QuotaMail",
    "QuotaPeriod",
    "RateBucket",
    "Scope",
    "StripeCustomer",
    "StripeEvent",
    "StripeTurn",
    "Subscription",
    "TooManyKeys",
    "Try",
    "Usage",
    "User",
    "UserManager",
    "WebhookEndpoint",
    "WebhookEvent",
]
