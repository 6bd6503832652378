from typing import Any

from django.apps import AppConfig
from django.db.models.signals import pre_delete


class InpaintingConfig(AppConfig):
    name = "inpainting"

    def ready(self) -> None:
        from accounts.models import User

        pre_delete.connect(_discard_files, sender=User)


def _discard_files(instance: Any, **kwargs: Any) -> None:
    """A deleted account's files go with it: the rows alone would cascade and leave them behind."""
    from inpainting import storage
    from inpainting.batches import closing

    for batch in instance.batches.all():
        closing.cancel(batch)
    storage.discard_all(instance)
