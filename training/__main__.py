"""`python -m training VERB`: make the training set, train the networks, judge them, write their cards."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tqdm import tqdm

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")  # which says where weights are kept

from inpainting.engine.weights import WeightsError
from training import MISSING, TrainingError, cards
from training.commands import data, evaluate, lama, networks, repair

INTERRUPTED = 130  # exit status, as shells have it


class Verb(Protocol):
    @property
    def description(self) -> str: ...

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: dict[str, Any], say: Callable[[str], None]) -> None: ...


VERBS: dict[str, Verb] = {
    "data": data,
    "lama": lama,
    "watermark": networks.WATERMARK,
    "mend": networks.MEND,
    "hybrid": networks.HYBRID,
    "repair": repair,
    "evaluate": evaluate,
    "card": cards,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, verb in VERBS.items():
        verb.add_arguments(verbs.add_parser(name, help=verb.description, description=verb.description))
    options = vars(parser.parse_args(arguments))
    # A machine that is switched off politely gets its last checkpoint too.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        VERBS[options.pop("verb")].run(options, _say)
    except ModuleNotFoundError as error:
        return _fail(MISSING.format(error.name))
    except (TrainingError, WeightsError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def _say(line: str) -> None:
    with tqdm.external_write_mode():
        print(line, flush=True)


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
