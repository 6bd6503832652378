"""Items are queued: whoever works on them is woken."""

from config.waking import Bell

bell = Bell("work")
