"""For how long files are kept: the account's choice, and what the plans of the documents allow at most."""

import django.core.validators
from django.db import migrations, models

DAY = 24 * 3600
PLANS = {"free": DAY, "basic": 7 * DAY, "pro": 7 * DAY, "enterprise": 7 * DAY}


def seed(apps, schema_editor):
    plans = apps.get_model("accounts", "Plan").objects
    for slug, longest in PLANS.items():
        plans.filter(slug=slug, longest_lifetime=None).update(longest_lifetime=longest)


def longest():
    return models.PositiveIntegerField(
        blank=True,
        help_text="Seconds that uploads and results may be kept. Empty in a plan: UPLOAD_TTL, RESULT_TTL.",
        null=True,
        validators=[django.core.validators.MinValueValidator(60)],
    )


def chosen():
    choices = [(0, "Once"), (3600, "Hour"), (86400, "Day"), (604800, "Week")]
    return models.PositiveIntegerField(blank=True, choices=choices, null=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_staff_disables_webhooks")]
    operations = [
        # Tables in the order in which the service's queries join them: a lock that is held waits for no query behind it.
        *(migrations.AddField("user", name, chosen()) for name in ("upload_lifetime", "result_lifetime")),
        *(migrations.AddField(model, "longest_lifetime", longest()) for model in ("subscription", "plan")),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
