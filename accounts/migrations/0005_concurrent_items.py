"""How many pictures of batches an account has worked on at once: a field, and a number for the plans of the documents."""

import django.core.validators
from django.db import migrations, models

PLANS = {"free": 1, "basic": 2, "pro": 4}  # more is for machines with more than one worker; enterprise: unlimited


def seed(apps, schema_editor):
    plans = apps.get_model("accounts", "Plan").objects
    for slug, concurrent in PLANS.items():
        plans.filter(slug=slug, concurrent_items=None).update(concurrent_items=concurrent)


def field():
    return models.PositiveIntegerField(
        blank=True,
        help_text="Pictures of batches that are worked on at once.",
        null=True,
        validators=[django.core.validators.MinValueValidator(1)],
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_service_levels")]
    operations = [
        *(migrations.AddField(model, "concurrent_items", field()) for model in ("plan", "subscription")),
        *(
            migrations.AlterField(
                model, "batch_size", models.PositiveIntegerField(blank=True, help_text="Pictures a batch.", null=True)
            )
            for model in ("plan", "subscription")
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
