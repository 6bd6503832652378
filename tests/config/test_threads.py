"""Threads that do others' jobs: results, errors and context come back, few of them stay, a child gets its own."""

import os
import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest

from config.threads import Threads

WHO: ContextVar[str] = ContextVar("who", default="nobody")


def test_a_job_s_result_or_error_comes_back() -> None:
    threads = Threads("test", kept=1)
    assert threads.call(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        threads.call(divmod, 7, 0)
    assert threads.call(divmod, 7, 2) == (3, 1)


def test_a_job_has_its_caller_s_context_and_keeps_what_it_changes_to_itself() -> None:
    threads = Threads("test", kept=1)
    WHO.set("alice")
    assert threads.call(WHO.get) == "alice"
    threads.call(WHO.set, "bob")
    assert WHO.get() == "alice"


def test_jobs_wait_for_no_other_and_few_threads_stay() -> None:
    threads, together = Threads("of this test", kept=2), threading.Barrier(5)
    jobs = [threads.submit(together.wait, 10) for _ in range(5)]
    assert sorted(job.result(10) for job in jobs) == list(range(5))
    threads.call(str)  # a sixth: it is one of those that stayed
    while len(stayed := [thread for thread in threading.enumerate() if thread.name == "of this test"]) > 2:
        for thread in stayed:
            thread.join(0.01)
    assert stayed


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux has each thread a nice value")
def test_they_let_others_go_first_where_they_are_told_to() -> None:
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert Threads("test", kept=1, nice=3).call(nice) == min(19, nice() + 3)


def test_a_child_starts_threads_of_its_own() -> None:
    code = """
import os
from config.threads import Threads
threads = Threads("test", kept=1)
threads.call(str)
if os.fork() == 0:
    os._exit(threads.call(int, "7"))
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    ended = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True)
    assert ended.stdout == "7\n"
