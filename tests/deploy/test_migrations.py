"""Migrations run while the code before them still serves: they take nothing from it and ask nothing of it."""

from collections.abc import Iterator

from django.db.migrations import Migration
from django.db.migrations import operations as change
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED, CharField, Model

# From here on the rule holds; those before were made while nothing was deployed.
FIRST = {"accounts": 12, "inpainting": 6}
TAKES_AWAY = (change.RemoveField, change.DeleteModel, change.RenameField, change.RenameModel, change.AlterModelTable)

# What an operation does to old rows and old code is not told by its class: AlterField may narrow a column.
NEED_A_LOOK = (change.AlterField, change.RunSQL, change.RunPython, change.AddConstraint, change.AlterUniqueTogether)
LOOKED_AT = {
    ("accounts", "0012_staff_disables_webhooks"),  # one more choice, same column
    ("accounts", "0013_lifetimes"),  # fills a column that old code does not read
    ("accounts", "0014_plan_models"),  # rows of a table that old code does not read
    ("accounts", "0017_plain_addresses"),  # what forms refuse, same column
    ("accounts", "0018_canonical_addresses"),  # of domains outside of ASCII: asks them for the new spelling meanwhile
    ("inpainting", "0008_saved_marks"),  # one more choice, same column
}


def unsafe(migration: Migration) -> Iterator[str]:
    """What code that does not know the migration would fail on."""
    made = {each.name.lower() for each in migration.operations if isinstance(each, change.CreateModel)}
    for each in migration.operations:
        if isinstance(each, TAKES_AWAY):
            yield f"{migration}: {each.describe()}"
        elif isinstance(each, change.AddField) and each.model_name.lower() not in made:
            column = not each.field.many_to_many
            if column and not each.field.null and each.field.db_default is NOT_PROVIDED:
                yield f"{migration}: {each.describe()} has neither a default of the database nor null"
        elif isinstance(each, NEED_A_LOOK) and (migration.app_label, migration.name) not in LOOKED_AT:
            yield f"{migration}: {each.describe()} may take from the code before it: look, then add it to LOOKED_AT"


def test_migrations_leave_the_code_before_them_working() -> None:
    migrations = [
        migration
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app in FIRST and int(name[:4]) >= FIRST[app]
    ]

    assert migrations
    assert [line for migration in migrations for line in unsafe(migration)] == []


def test_what_old_code_would_fail_on_is_found() -> None:
    operations = [
        change.RemoveField("plan", "price"),
        change.AddField("plan", "colour", CharField(max_length=9, default="red")),
        change.AddField("plan", "shade", CharField(max_length=9, db_default="red")),
        change.CreateModel("Hue", [], bases=(Model,)),
        change.AddField("hue", "name", CharField(max_length=9)),
        change.AlterField("plan", "shade", CharField(max_length=4)),
        change.RunSQL("DROP TABLE accounts_plan"),
    ]
    migration = type("Unsafe", (Migration,), {"operations": operations})("0099_unsafe", "accounts")

    found = [line.partition(": ")[2][:12] for line in unsafe(migration)]
    assert found == ["Remove field", "Add field co", "Alter field ", "Raw SQL oper"]
