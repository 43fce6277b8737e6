"""The RAG status pull of a trust of thirty academies through the gateway, against what else one could do."""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from academy.rag_statuses.queries import LISTS_NOW
from academy.rag_statuses.schemas import RagSort
from kit.ids import tenant_id
from tests.load.loads import request_bytes
from tests.support.stack import HOUSE, Stack

GROUP_UID = "4454"
"""A real trust of thirty academies in the demo's register."""

TRUST = tenant_id(f"gias-group:{GROUP_UID}")
ROUNDS = 3
SECONDS = 4.0
CONNECTIONS = 32
PULL = "/academy/v1/rag-statuses"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a value, what it was held against, and their ratio."""

    name: str
    value: float
    unit: str
    against: str
    against_value: float
    target: str = ""

    @property
    def ratio(self) -> float:
        """Value by what it was held against."""
        return self.value / self.against_value if self.against_value else 0.0

    def told(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "against": self.against,
            "against_value": round(self.against_value, 3),
            "ratio": round(self.ratio, 3),
        }


def load(
    stack: Stack,
    path: str,
    headers: dict[str, str],
    status: int,
    *,
    connections: int = CONNECTIONS,
    refusals: Sequence[int] = (),
) -> dict[str, Any]:
    """One run of the load generator in a process of its own. Raises AssertionError when an answer was wrong.

    Answers with a status of `refusals` are counted by themselves and aren't timed.
    """
    job = {
        "host": "127.0.0.1",
        "port": stack.port,
        "path": path,
        "headers": headers,
        "status": status,
        "seconds": SECONDS,
        "connections": connections,
        "refusals": list(refusals),
    }
    assert request_bytes("127.0.0.1", stack.port, path, headers)
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.loads"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=True,
        cwd=HOUSE,
        timeout=SECONDS + 60,
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["wrong"] == 0, f"{path}: {seen['wrong']} wrong answers, the first {seen['first_wrong']}"
    return seen


def _pull_sql() -> str:
    values = {1: f"'{TRUST}'::uuid", 2: "null", 3: "current_date", 4: "null", 5: "'{}'", 6: "'{}'"}
    values |= {7: "null", 8: "null", 9: "null", 10: "101", 11: "'{}'", 12: "null"}
    return re.sub(r"\$(\d+)", lambda found: values[int(found[1])], LISTS_NOW[RagSort.NAME])


def pgbench(binaries: Path, app_url: str, sql: str) -> float:
    """Transactions a second of a SELECT with its context, straight from Postgres."""
    # In one line: pgbench ends a statement at a semicolon, and a comment would go on to there.
    sql = re.sub(r"--[^\n]*", "", sql)
    script = (
        "begin;\n"
        f"select set_config('app.trust_id', '{TRUST}', true), set_config('app.academies', '*', true);\n"
        f"{' '.join(sql.split())};\ncommit;\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [
                *(str(binaries / "pgbench"), "-n", "-M", "prepared", "-c", "16", "-j", "1"),
                *("-T", str(int(SECONDS)), "-f", file.name, app_url),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS + 60,
        )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found is not None
    return float(found[1])


def measure_pulls(stack: Stack, binaries: Path, app_url: str) -> list[Row]:
    """The pull, its 304, the constant answer, the same SELECT and the plain ORM route, in turns."""
    with stack.client("status-reader", trust=GROUP_UID) as client:
        answer = client.get(PULL)
        assert len(answer.json()["items"]) == 30
        tag = answer.headers["ETag"]
        size = len(answer.content)
        client.get(f"/academy/v1/bench/size/{size}").raise_for_status()
        assert len(client.get("/academy/v1/bench/constant").content) == size
        assert len(client.get("/academy/v1/bench/orm").json()["items"]) == 30
        headers = {"Authorization": str(client.headers["Authorization"])}
    jobs: dict[str, tuple[str, dict[str, str], int]] = {
        "constant": ("/academy/v1/bench/constant", headers, 200),
        "pull": (PULL, headers, 200),
        "unchanged": (PULL, {**headers, "If-None-Match": tag}, 304),
        "orm": ("/academy/v1/bench/orm", headers, 200),
    }
    rates: dict[str, list[float]] = {name: [] for name in (*jobs, "pgbench")}
    for _ in range(ROUNDS):
        for name, (path, sent, status) in jobs.items():
            rates[name].append(load(stack, path, sent, status)["rate"])
        rates["pgbench"].append(pgbench(binaries, app_url, _pull_sql()))
    middle = {name: statistics.median(seen) for name, seen in rates.items()}
    constant, pull = middle["constant"], middle["pull"]
    unit = "requests/s"
    return [
        Row("rag_pull_200_vs_constant", pull, unit, f"constant JSON of {size} bytes", constant, "≥ 0.70"),
        Row(
            "rag_pull_304_vs_constant", middle["unchanged"], unit, f"constant JSON of {size} bytes", constant, "≥ 0.90"
        ),
        Row("rag_pull_200_vs_pgbench", pull, unit, "the same SELECT in pgbench", middle["pgbench"]),
        Row("rag_pull_200_vs_orm", pull, unit, "a plain FastAPI and SQLModel route", middle["orm"], "≥ 10"),
    ]


def measure_freshness(stack: Stack, admin_url: str) -> Row:
    """The longest of ten times from a commit by another process until the pull tells it."""
    slowest = 0.0
    with (
        stack.client("status-reader", trust=GROUP_UID) as client,
        psycopg.connect(admin_url, autocommit=True) as admin,
    ):
        urn = client.get(PULL).json()["items"][0]["urn"]
        (was,) = admin.execute("select name from academy.school where urn = %s", (urn,)).fetchone() or ("",)
        for turn in range(10):
            name = f"{was} {turn}" if turn < 9 else was
            client.get(PULL)
            admin.execute("update academy.school set name = %s, updated_at = now() where urn = %s", (name, urn))
            began = time.perf_counter()
            while all(item["name"] != name for item in client.get(PULL).json()["items"]):
                assert time.perf_counter() - began < 10
            slowest = max(slowest, time.perf_counter() - began)
    return Row("rag_fresh_seconds", slowest, "s", "one second", 1.0, "≤ 1")
