"""The user's door to LaMa's training; `python -m training` has those to the others."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from inpainting.engine.weights import WeightsError
from training import MISSING, TrainingError
from training.commands import lama


class Command(BaseCommand):
    help = lama.description

    def add_arguments(self, parser: CommandParser) -> None:
        lama.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        # A machine that is switched off politely gets its last checkpoint too.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            lama.run(options, self._say)
        except ModuleNotFoundError as error:
            raise CommandError(MISSING.format(error.name)) from error
        except (TrainingError, WeightsError, OSError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=130) from None
        finally:
            signal.signal(signal.SIGTERM, before)

    def _say(self, line: str) -> None:
        with tqdm.external_write_mode():
            self.stdout.write(line)
