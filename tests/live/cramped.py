"""A worker in which bodies that wait for the rest may have little together: a test need not send a gigabyte."""

from config import worker

UNFINISHED = 4 << 20


class CrampedWorker(worker.PatientWorker):
    def init_process(self) -> None:
        worker.UNFINISHED = UNFINISHED
        super().init_process()
