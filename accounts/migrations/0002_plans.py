"""The plans of the documents. Staff may change every number afterwards; the documents name no prices."""

from django.db import migrations

PLANS = [
    # slug, name, requests a minute, burst, quota, period, price, batch size
    ("free", "Free", 2, 5, 10, "day", 0, 5),
    ("basic", "Basic", 10, 20, 3_000, "month", None, 50),
    ("pro", "Pro", 30, 60, 20_000, "month", None, 200),
    ("enterprise", "Enterprise", None, None, None, "month", None, None),
]


def seed(apps, schema_editor):
    plan = apps.get_model("accounts", "Plan")
    for position, (slug, name, rate, burst, quota, period, price, batch) in enumerate(PLANS):
        plan.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "requests_per_minute": rate,
                "burst": burst,
                "quota": quota,
                "quota_period": period,
                "price": price,
                "batch_size": batch,
                "position": position,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
