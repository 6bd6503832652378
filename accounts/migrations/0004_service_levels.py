"""The document's service levels, where staff have written none."""

from django.db import migrations

LEVELS = [
    # slug, uptime in percent, support's response
    ("free", 95, "Community"),
    ("basic", 99, "48 hours"),
    ("pro", "99.5", "24 hours"),
    ("enterprise", "99.9", "4 hours"),
]


def seed(apps, schema_editor):
    plans = apps.get_model("accounts", "Plan").objects
    for slug, uptime, response in LEVELS:
        plans.filter(slug=slug, uptime_percent=None, support_response="").update(
            uptime_percent=uptime, support_response=response
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_billing_and_grants")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
