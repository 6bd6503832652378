"""Migrations run while the code before them still serves: they take nothing from it and ask nothing of it."""

from collections.abc import Iterator

from django.db.migrations import Migration
from django.db.migrations import operations as change
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED, CharField, Model

# From here on the rule holds; those before were made while nothing was deployed.
FIRST = {"accounts": 12, "inpainting": 6}
TAKES_AWAY = (change.RemoveField, change.DeleteModel, change.RenameField, change.RenameModel, change.AlterModelTable)


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
    ]
    migration = type("Unsafe", (Migration,), {"operations": operations})("0099_unsafe", "accounts")

    assert [line.partition(": ")[2][:12] for line in unsafe(migration)] == ["Remove field", "Add field co"]
