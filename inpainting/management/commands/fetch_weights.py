from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inpainting.engine import weights

PATIENCE = 30.0  # seconds without a byte
IMPATIENCE = 3.0


class Command(BaseCommand):
    help = "Download a model's weights (big-lama: 206 MB, migan: 27 MB), check them, and keep them in WEIGHTS_DIR."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", choices=["big-lama", "migan"], default="big-lama")
        parser.add_argument(
            "--if-reachable",
            action="store_true",
            help="Give up within seconds, without an error, if they cannot be fetched.",
        )

    def handle(self, *, name: str, if_reachable: bool, **options: Any) -> None:
        release = weights.MIGAN if name == "migan" else weights.BIG_LAMA.at(settings.BIG_LAMA_URL)
        try:
            path = weights.fetch(release, settings.WEIGHTS_DIR, IMPATIENCE if if_reachable else PATIENCE)
        except weights.WeightsError as error:
            if not if_reachable:
                raise CommandError(f"{error} Run the command again to go on where it stopped.") from error
            self.stdout.write(f"Without {name}: {error}")
        else:
            self.stdout.write(f"{name} is in {path}")
