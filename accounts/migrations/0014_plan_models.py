"""Which models a plan has, and what a picture of each costs."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

# Diffusion asks its network some sixty times for a picture where others ask once; sd 4 and sdxl, which sees four times
# as many pixels, 8 are first guesses. Staff set what a picture costs on their machines.
PRICES = {"sd": 4, "sdxl": 8}
PLANS = ["pro", "enterprise"]


def seed(apps, schema_editor):
    rows = apps.get_model("accounts", "PlanModel").objects
    for plan in apps.get_model("accounts", "Plan").objects.filter(slug__in=PLANS):
        for model, units in PRICES.items():
            rows.get_or_create(plan=plan, model=model, defaults={"units": units})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_lifetimes")]
    operations = [
        migrations.CreateModel(
            name="PlanModel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(max_length=40)),
                (
                    "units",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Units of quota that a picture costs; empty: the model is not on the plan.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="models", to="accounts.plan"
                    ),
                ),
            ],
            options={
                "ordering": ["model"],
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "model"), name="one_row_a_plan_and_model"),
                    models.CheckConstraint(
                        condition=models.Q(("units", None), ("units__gte", 1), _connector="OR"), name="no_free_model"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="usage",
            name="origins",
            field=models.JSONField(
                help_text="Grants (or null) and units, where these come from several.", null=True
            ),
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
