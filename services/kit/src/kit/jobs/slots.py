"""What a worker is busy with: the jobs that it runs, since when, and whether any is stuck."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from kit.jobs.tasks import Task
from kit.jobs.threads import longest_left

GRACE_SECONDS: Final = 60.0
"""A job that has had its time is cancelled; it has so long to end."""


@dataclass(frozen=True, slots=True)
class _Slot:
    task: Task
    since: float


class Slots:
    """The jobs that one worker runs."""

    def __init__(self) -> None:
        self._busy: dict[int, _Slot] = {}

    @contextmanager
    def busy(self, job_id: int, task: Task) -> Iterator[None]:
        """Inside the block this job has a slot."""
        self._busy[job_id] = _Slot(task, asyncio.get_running_loop().time())
        try:
            yield
        finally:
            del self._busy[job_id]

    def problem(self) -> str | None:
        """What is stuck, in a few words; None when nothing is."""
        now = asyncio.get_running_loop().time()
        for slot in self._busy.values():
            if now - slot.since > slot.task.longest.total_seconds() + GRACE_SECONDS:
                return f"{slot.task.name} is stuck"
        return "a thread goes on after its job has ended" if longest_left() > GRACE_SECONDS else None
