"""django-allauth's rows, less what would open accounts: sessions, secrets, and addresses that nobody proved to own."""

from allauth.account.admin import EmailAddressAdmin as AllauthEmailAddressAdmin
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.base import ReadOnlyAdmin, is_above

for model in (Authenticator, EmailAddress, UserSession):
    admin.site.unregister(model)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin, AllauthEmailAddressAdmin):
    actions: list[str] = []
    list_select_related = ["user"]


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Deleting one lets in somebody who lost the telephone; be sure that it is its owner who asks.

    Only superusers take it from staff, whose password alone would do then.
    """

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    fields = ["user", "type", "created_at", "last_used_at"]

    def has_delete_permission(self, request: HttpRequest, factor: Authenticator | None = None) -> bool:
        above = is_above(factor and factor.user, request)
        return not above and request.user.has_perm("mfa.delete_authenticator")
