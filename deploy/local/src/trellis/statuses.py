"""How an installation is, for people and for programs: what `trellis status` prints."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from trellis import board, storage
from trellis.installation import Installation
from trellis.programs import Stage
from trellis.reports import ProgramReport, Report, report_of
from trellis.supervision import leftovers


def show(installation: Installation, *, as_json: bool) -> bool:
    """Print what runs and how much room there is; whether everything is ready."""
    report = report_of(installation.state)
    if as_json:
        print(json.dumps(_for_programs(installation, report), indent=2))
    elif report is None:
        _say_what_is_left(installation)
    else:
        _print_table(installation, report.programs)
    return report is not None and report.is_ready


def _for_programs(installation: Installation, report: Report | None) -> dict[str, object]:
    programs = report.programs if report else ()
    shown = ("name", "stage", "reason", "pid", "restarts", "log")
    return {
        "ready": report is not None and report.is_ready,
        "url": installation.settings.gateway_url,
        "state_dir": str(installation.settings.state_dir),
        "programs": [{name: getattr(one, name) for name in shown} for one in programs],
        **({"storage": asdict(storage.look(installation))} if programs else {}),
    }


def _say_what_is_left(installation: Installation) -> None:
    if left := [name for name, _ in leftovers(installation.state.run)]:
        print(f"The supervising process is gone; still there: {', '.join(left)}. `make up` replaces them.")
    else:
        print(f"Nothing runs in {installation.settings.state_dir}. `make up` starts it.")


def _print_table(installation: Installation, programs: Sequence[ProgramReport]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("program", "stage", "process", "restarts", "remark"):
        table.add_column(heading, justify="right" if heading in {"process", "restarts"} else "left", overflow="fold")
    for one in programs:
        colour = "green" if one.stage == Stage.READY else "red" if one.stage == Stage.FAILED else "yellow"
        table.add_row(one.name, Text(one.stage, colour), str(one.pid or ""), str(one.restarts), Text(one.reason))
    console = board.console_for_people()
    console.print(table)
    console.print(
        f"gateway {installation.settings.gateway_url}, state {installation.settings.state_dir}", soft_wrap=True
    )
    console.print(storage.look(installation).in_words(), soft_wrap=True)
