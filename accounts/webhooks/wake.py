"""Deliveries are queued: whoever sends them is woken."""

from config.waking import Bell

bell = Bell("deliver")
