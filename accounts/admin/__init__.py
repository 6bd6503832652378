"""What staff see and do. Every change lands in the admin's log; digests of keys are never shown."""

from accounts.admin import billing, log, plan, sign_in, usage, user, webhooks

__all__ = ["billing", "log", "plan", "sign_in", "usage", "user", "webhooks"]
