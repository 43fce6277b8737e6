"""Lists with England loaded, each against the same SELECT in pgbench; and what happens beyond what can be carried."""

import asyncio
import re
import statistics
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.dialects.postgresql import asyncpg
from sqlmodel import col

from academy.academies import queries as academies
from academy.academies.schemas import AcademyListParams, AcademySort
from academy.academies.service import ORDERS
from academy.academies.tables import School
from academy.observations import queries as observations
from academy.parameters import today
from academy.ratings.queries import ratings
from academy.ratings.service import NEWEST
from academy.ratings.tables import Rating
from kit.events import pages
from kit.identity.callers import Caller
from kit.resources.paging import AnySelect
from tests.load.england import load_england
from tests.load.pulls import GROUP_UID, PULL, ROUNDS, TRUST, Row, load, pgbench
from tests.support.stack import Stack

PAGE = 100
CLIENTS = 16
"""As many as pgbench has."""

MANY_CONNECTIONS = 128
REFUSALS = (429, 503)
CONSTANT = "/academy/v1/bench/constant"
OTHERS_LIST = "/academy/v1/academies?updated_since=2020-01-01T00:00:00.{number}Z"


@dataclass(frozen=True, slots=True)
class List:
    """A list: its path and the SELECT that finds its rows."""

    name: str
    path: str
    sql: str


class _Recorder:
    """Stands in for a session and keeps the statement that a query would send, with its values in place."""

    def __init__(self) -> None:
        self.sql = ""

    async def execute(self, statement: Any, parameters: dict[str, Any]) -> list[Any]:
        """Keep it; there are no rows."""
        self.sql = re.sub(r"(?<!:):(\w+)", lambda found: _literal(parameters[found[1]]), str(statement))
        return []


def _literal(value: Any) -> str:
    match value:
        case None:
            return "null"
        case int():
            return str(value)
        case list():
            kind = "int" if value and isinstance(value[0], int) else "text"
            return f"array[{', '.join(_literal(one) for one in value)}]::{kind}[]"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


def _compiled(statement: AnySelect) -> str:
    dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


async def _observations(urns: list[int]) -> str:
    recorder = _Recorder()
    wanted = observations.ObservationFilter(trust_id=TRUST, urns=urns)
    await observations.observation_list(recorder, wanted, after=None, limit=PAGE + 1)  # type: ignore[arg-type]
    return recorder.sql


def _whole_trust() -> Caller:
    nobody: frozenset[Any] = frozenset()
    return Caller("bench", None, TRUST, nobody, nobody, None, nobody, datetime.max.replace(tzinfo=UTC), "bench")


def _events(types: list[str]) -> str:
    values = {1: "0", 2: "'0'", 3: "0", 4: _literal(types), 5: str(PAGE), 6: f"'{TRUST}'"}
    return re.sub(r"\$(\d)", lambda found: values[int(found[1])], pages.OF_TRUST)


async def lists(urns: list[int], types: list[str]) -> list[List]:
    """The lists that are measured."""
    day, urn = today(), urns[0]
    by_name = ORDERS[AcademySort.NAME]
    searched = AcademyListParams(trust="any", q="bridgeview")
    of_one = ratings(_whole_trust()).where(col(Rating.urn) == urn)
    one = academies.schools(day).where(col(School.urn) == urn)
    return [
        List(
            "academies",
            "/academy/v1/academies",
            _compiled(by_name.sorted(academies.academies(AcademyListParams(), TRUST, day)).limit(PAGE + 1)),
        ),
        List("observations", "/academy/v1/observations", await _observations(urns)),
        List("ratings", f"/academy/v1/academies/{urn}/ratings", _compiled(NEWEST.sorted(of_one).limit(PAGE + 1))),
        List("events", "/academy/v1/events", _events(types)),
        List("academy", f"/academy/v1/academies/{urn}", _compiled(one)),
        List(
            "search",
            "/academy/v1/academies?trust=any&q=bridgeview",
            _compiled(by_name.sorted(academies.academies(searched, None, day)).limit(PAGE + 1)),
        ),
    ]


def measure_lists(stack: Stack, binaries: Path, app_url: str, admin_url: str) -> list[Row]:
    """Each list, its SELECT and a constant answer in turns; then too many clients, and the board meanwhile."""
    with stack.client("status-reader", trust=GROUP_UID) as client:
        urns = sorted(item["urn"] for item in client.get(PULL).json()["items"])
    load_england(admin_url, urns)
    with stack.client("chief-executive", trust=GROUP_UID) as client:
        types = sorted({item["type"] for item in client.get("/academy/v1/events?limit=500").json()["items"]})
        headers = {"Authorization": str(client.headers["Authorization"])}
        measured = asyncio.run(lists(urns, types))
        sizes: dict[str, int] = {}
        for one in measured:
            answer = client.get(one.path)
            assert answer.status_code == 200, answer.text
            sizes[one.name] = len(answer.content)
    seen: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for one in measured:
            seen[one.name].append(load(stack, one.path, headers, 200, connections=CLIENTS, refusals=REFUSALS)["rate"])
            seen[f"{one.name} bare"].append(pgbench(binaries, app_url, one.sql))
            httpx.get(f"{stack.url}/academy/v1/bench/size/{sizes[one.name]}", headers=headers).raise_for_status()
            seen[f"{one.name} constant"].append(load(stack, CONSTANT, headers, 200, connections=CLIENTS)["rate"])
    rate = {name: statistics.median(rates) for name, rates in seen.items()}
    rows = []
    for one in measured:
        name, unit, value = one.name, "requests/s", rate[one.name]
        rows.append(Row(f"{name}_vs_pgbench", value, unit, "the same SELECT in pgbench", rate[f"{name} bare"], "≥ 0.5"))
        # What the gateway and the HTTP server let through of anything: no list can be faster.
        constant = f"constant JSON of {sizes[name]} bytes"
        rows.append(Row(f"{name}_vs_constant", value, unit, constant, rate[f"{name} constant"], "≥ 0.7"))
    return [*rows, *_measure_overload(stack, headers)]


def _measure_overload(stack: Stack, headers: dict[str, str]) -> list[Row]:
    """Lists that are each made anew, for more clients than can be answered; another trust and a board meanwhile."""
    path = "/academy/v1/academies?trust=any&limit=500&updated_since=2020-01-01T00:00:00.{number}Z"
    with stack.client("status-reader") as other:
        theirs = {"Authorization": str(other.headers["Authorization"])}
    calm = load(stack, path, headers, 200, connections=4, refusals=REFUSALS)
    alone = load(stack, OTHERS_LIST, theirs, 200, connections=1)
    with ThreadPoolExecutor(3) as pool:
        flood = pool.submit(load, stack, path, headers, 200, connections=MANY_CONNECTIONS, refusals=REFUSALS)
        board = pool.submit(load, stack, PULL, theirs, 200, connections=1)
        beside = pool.submit(load, stack, OTHERS_LIST, theirs, 200, connections=1, refusals=REFUSALS)
        seen, boards, others = flood.result(), board.result(), beside.result()
    return [
        Row("overload_answered_p99_ms", seen["p99_ms"], "ms", "300 ms", 300.0, "≤ 1"),
        Row("overload_answered", seen["rate"], "requests/s", "with 4 clients", calm["rate"], "≥ 0.7"),
        Row("overload_refused", seen["refused"] / seen["seconds"], "requests/s", "answered", seen["rate"]),
        Row("overload_others_p50_ms", others["p50_ms"], "ms", "without the flood", alone["p50_ms"]),
        Row("overload_others_refused", others["refused"], "requests", "answered", others["requests"], "≤ 0.01"),
        Row("overload_board_p99_ms", boards["p99_ms"], "ms", "300 ms", 300.0, "≤ 1"),
    ]
