from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inpainting.engine import weights

# No public source was found that tells addresses and digests of all their files, so they are not fetched here.
FOLDERS = {
    "sd": ("stable-diffusion-v1-5/stable-diffusion-inpainting", "CreativeML OpenRAIL-M", "docs/models/sd.md"),
    "sdxl": ("diffusers/stable-diffusion-xl-1.0-inpainting-0.1", "OpenRAIL++-M", "docs/models/sdxl.md"),
}
PATIENCE = 30.0  # seconds without a byte
IMPATIENCE = 3.0


class Command(BaseCommand):
    help = "Download a model's weights (big-lama: 206 MB, migan: 27 MB), check them, and keep them in WEIGHTS_DIR. "
    "For sd and sdxl it says how to get them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", choices=["big-lama", "migan", *FOLDERS], default="big-lama")
        parser.add_argument(
            "--if-reachable",
            action="store_true",
            help="Give up within seconds, without an error, if they cannot be fetched.",
        )

    def handle(self, *, name: str, if_reachable: bool, **options: Any) -> None:
        if name in FOLDERS:
            raise CommandError(_how_to_get(name))
        release = weights.MIGAN if name == "migan" else weights.BIG_LAMA.at(settings.BIG_LAMA_URL)
        try:
            path = weights.fetch(release, settings.WEIGHTS_DIR, IMPATIENCE if if_reachable else PATIENCE)
        except weights.WeightsError as error:
            if not if_reachable:
                raise CommandError(f"{error} Run the command again to go on where it stopped.") from error
            self.stdout.write(f"Without {name}: {error}")
        else:
            self.stdout.write(f"{name} is in {path}")


def _how_to_get(name: str) -> str:
    repository, licence, card = FOLDERS[name]
    folder = settings.WEIGHTS_DIR / name
    return (
        f"{name} is not fetched: no digests were found that its files could be verified by. Its licence, {licence}, "
        f"restricts what it may be used for; read {card} first. Then:\n"
        "  pip install -r requirements-diffusion.txt\n"
        f"  hf download {repository} --include '*.json' '*.txt' '*.fp16.safetensors' --local-dir {folder}\n"
        f"and set {name.upper()}_WEIGHTS={folder}"
    )
