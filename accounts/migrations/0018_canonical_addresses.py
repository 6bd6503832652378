"""Addresses with letters outside of ASCII in their domain, as mail is sent there; not where that is another's."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import migrations

from accounts.plain import canonical


def rewrite(apps: Any, schema_editor: Any) -> None:
    """An account and its own rows of allauth's together: signing in looks at both."""
    user_model, address_model = apps.get_model("accounts", "User"), apps.get_model("account", "EmailAddress")
    for pk, email in user_model.objects.values_list("pk", "email").iterator():
        written = canonical(email)
        if email.isascii() or user_model.objects.filter(email__iexact=written).exclude(pk=pk).exists():
            continue
        user_model.objects.filter(pk=pk).update(email=written)
        address_model.objects.filter(user_id=pk, email__iexact=email).update(email=written)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_plain_addresses"),
        ("account", "0009_emailaddress_unique_primary_email"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop)]
