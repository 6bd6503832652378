"""Passwords are hashed by few at a time: thirty people who sign in at once would have all cores for seconds.

Who waits for a turn, or hashes, leaves its place and its database connection to others (config/workplace.py).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from config import workplace

AT_ONCE = max(1, (os.cpu_count() or 1) // 2)  # the other cores are everybody else's
MOST_WAITING, WAIT = 50, 30.0  # people, seconds


class TooManyPasswords(Exception):
    """Come later."""

    def __init__(self) -> None:
        super().__init__("Too many people are signing in just now. Please try again in a moment.")


class Turns:
    """For `at_once` threads."""

    def __init__(self, at_once: int, most_waiting: int, wait: float) -> None:
        self._free, self._wait = threading.Semaphore(at_once), wait
        self._line = threading.Semaphore(at_once + most_waiting)

    @contextmanager
    def take(self) -> Iterator[None]:
        """TooManyPasswords: too many wait, or it takes too long."""
        if not self._line.acquire(blocking=False):
            raise TooManyPasswords
        try:
            if not self._free.acquire(timeout=self._wait):
                raise TooManyPasswords
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._line.release()


turns = Turns(AT_ONCE, MOST_WAITING, WAIT)


class PasswordHasher(PBKDF2PasswordHasher):
    """Django's default, in turn: whatever a password is hashed for, it is hashed here. Raises TooManyPasswords."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with workplace.left(), turns.take():
            return super().encode(password, salt, iterations)
