"""A worker in which bodies that wait for the rest may have little together: a test need not send a gigabyte."""

from config import patience, worker

UNFINISHED = 4 << 20


class CrampedWorker(worker.PatientWorker):
    def init_process(self) -> None:
        patience.UNFINISHED = UNFINISHED
        super().init_process()
