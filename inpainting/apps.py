from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, pre_delete


class InpaintingConfig(AppConfig):
    name = "inpainting"

    def ready(self) -> None:
        from accounts.export import collecting
        from accounts.models import User
        from inpainting import export, storage
        from inpainting.models import Result, SavedMark, Upload

        pre_delete.connect(_cancel_batches, sender=User)
        collecting.connect(export.parts)
        for model in (Upload, Result, SavedMark):
            post_delete.connect(storage.delete_file, sender=model)


def _cancel_batches(instance: Any, **kwargs: Any) -> None:
    """What a deleted account's batches still hold of its quota is given back, and their work ends."""
    from inpainting.batches import closing

    instance.batches.all().hold()  # all, before what the first one's end locks
    for batch in instance.batches.all():
        closing.cancel(batch, tell=False)
