from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inpainting.engine import weights

PATIENCE = 30.0  # seconds without a byte
IMPATIENCE = 3.0


class Command(BaseCommand):
    help = "Downloads the weights of big-lama (206 MB), checks them, and keeps them in WEIGHTS_DIR."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-reachable",
            action="store_true",
            help="give up within seconds, and without an error, where they cannot be fetched",
        )

    def handle(self, *, if_reachable: bool, **options: Any) -> None:
        release = weights.BIG_LAMA.at(settings.BIG_LAMA_URL)
        try:
            path = weights.fetch(release, settings.WEIGHTS_DIR, IMPATIENCE if if_reachable else PATIENCE)
        except weights.WeightsError as error:
            if not if_reachable:
                raise CommandError(f"{error} Run the command again to go on where it stopped.") from error
            self.stdout.write(f"Without big-lama: {error}")
        else:
            self.stdout.write(f"big-lama is in {path}")
