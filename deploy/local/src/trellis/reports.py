"""What the supervising process of an installation says about its programs, for as long as it lives."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trellis import processes
from trellis.programs import Stage
from trellis.state import State


@dataclass(frozen=True, slots=True)
class ProgramReport:
    """How one program is."""

    name: str
    stage: str
    reason: str
    last_end: str
    pid: int | None
    restarts: int
    was_ready: bool
    log: str


@dataclass(frozen=True, slots=True)
class Report:
    """How everything is, and what it was started with."""

    told: Mapping[str, Any]
    programs: tuple[ProgramReport, ...]

    @property
    def is_ready(self) -> bool:
        """Whether everything is ready."""
        return all(program.stage == Stage.READY for program in self.programs)


def supervisor_of(state: State) -> processes.Identity | None:
    """The living supervising process of an installation."""
    found = processes.Identity.read(state.supervisor)
    return found if found is not None and found.is_alive() else None


def report_of(state: State) -> Report | None:
    """The newest report; None when nothing runs, whatever an old file says."""
    if supervisor_of(state) is None:
        return None
    try:
        told: dict[str, Any] = json.loads(state.report.read_text())
        return Report(told["told"], tuple(ProgramReport(**program) for program in told["programs"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
