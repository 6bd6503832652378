"""Workers: each works one item after the other, in a thread of its own, until it is told to stop.

Pictures are fetched by workers of their own, so that the engine waits for no address.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from config import logs
from config.exceptions import classify
from config.fetching import TooManyFetches
from inpainting import admission, service, storage
from inpainting.admission import NoRoom
from inpainting.batches import claims
from inpainting.batches.claims import FETCH, WORK, Stage
from inpainting.batches.models import Item
from inpainting.batches.shared_marks import MarkAwaited
from inpainting.batches.wake import bell
from inpainting.engine import EngineBusy
from inpainting.images import ImageTooLarge, Refused

logger = logging.getLogger(__name__)

FETCHERS = [FETCH] * 4
ALL = [WORK, *FETCHERS]
GRACE = 20.0  # seconds that an item has to end once its worker is told to stop


class Worker:
    def __init__(self, stage: Stage = WORK) -> None:
        self._stage = stage
        self._stopping = threading.Event()
        self._item: Item | None = None
        self._thread = threading.Thread(
            target=bell.answer, args=[self.work_next, self._stopping], name="worker", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the item that is worked on end, or hand it back after GRACE seconds: then others have it."""
        grace = GRACE if self._stage is WORK else 0  # another fetches it as well
        self._stopping.set()
        bell.stir()
        self._thread.join(grace)
        item = self._item
        if self._thread.is_alive() and item is not None:
            claims.hand_back(item)

    def work_next(self) -> bool:
        """Work the next item, if there is one; whether there was. Raises what the database raises."""
        item = self._item = claims.claim(self._stage)
        if item is None:
            return False
        try:
            with claims.leased(item), logs.about(logs.Subject(None, item.batch.request_id, item.owner_id)):
                _work(item)
        except claims.Superseded:
            logger.info("item %s is another attempt's by now, or was cancelled", item.pk)
        finally:
            self._item = None
            admission.give_back()  # workers have no thread for it, as web processes do
        return True


class Workers:
    """One for each of `stages`."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._workers = [Worker(stage) for stage in stages]

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        for worker in reversed(self._workers):  # who needs time to end comes last
            worker.stop()


def _work(item: Item) -> None:
    """What is away for a while (503) is tried again later; any other error is the item's end."""
    try:
        if item.image_url:
            service.fetch(item)
        else:
            service.work(item)
    except claims.Superseded:
        raise
    except (EngineBusy, NoRoom, TooManyFetches, MarkAwaited) as error:
        claims.hand_back(item, after=error.retry_after)
    except Exception as error:
        status, code, detail = classify(error)
        logger.warning("item %s, attempt %s: %s", item.pk, item.attempt, code, exc_info=status >= 500)
        if status == 503:
            claims.set_back(item, status, code, detail, after=10 * 4**item.setbacks)
        else:
            is_hopeless = isinstance(error, Refused) and not isinstance(error, ImageTooLarge)
            claims.fail(item, status, code, detail, keeps_inputs=not is_hopeless)
            if is_hopeless:  # it costs nothing, so nobody's disk should hold it for a day
                storage.discard_inputs(item)
