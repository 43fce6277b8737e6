"""A million of a trust's own figures over HTTP, against `psql \\copy` of the same rows into the same table."""

import itertools
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg

from academy.measures.rules import MEASURES, PUPIL_GROUPS
from tests.load.pulls import GROUP_UID, TRUST, Row
from tests.support.stack import Stack

ROWS = 1_000_000
COLUMNS = "urn,measure,academic_year,period,pupil_group,value,cohort"
TARGET = "urn,measure,academic_year,period,pupil_group,value,cohort,trust_id,release,source,import_id,recorded_at"


def figures(urns: list[int], rows: int, step: int = 0) -> Iterator[str]:
    """Rows of our own layout, each key once; `step` shifts every value."""
    chance = random.Random(7)
    years = [f"{year}/{(year + 1) % 100:02d}" for year in range(1999, 2025)]
    keys = itertools.product(urns, sorted(MEASURES), years, sorted(PUPIL_GROUPS))
    least = {code: float(measure.minimum or 0) for code, measure in MEASURES.items()}
    for urn, measure, year, group in itertools.islice(keys, rows):
        value = round(least[measure] + (chance.randrange(900) + step) / 100, 2)
        yield f"{urn},{measure},{year},year,{group},{value},{chance.randrange(20, 300)}"


def _write(path: Path, urns: list[int], rows: int, *, step: int = 0) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{COLUMNS}\n")
        file.writelines(f"{line}\n" for line in figures(urns, rows, step))


def _copy(binaries: Path, admin_url: str, urns: list[int], rows: int, folder: Path) -> float:
    """Seconds that `\\copy` takes as the administrator, keys, checks and indexes included; the rows go again."""
    import_id = uuid4()
    tail = f",{TRUST},final,x,{import_id},2026-01-01T00:00:00Z"
    source = folder / "copy.csv"
    with source.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}{tail}\n" for line in figures(urns, rows))
    command = f"\\copy academy.observation ({TARGET}) from '{source}' with (format csv)"
    began = time.perf_counter()
    subprocess.run(
        [binaries / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", command, admin_url],
        check=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - began
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("delete from academy.observation where import_id = %s", (import_id,))
        admin.execute("vacuum full academy.observation")
        admin.execute("checkpoint")
    return seconds


def _import(stack: Stack, file: Path) -> float:
    """Seconds from the first byte sent until the import has succeeded."""
    params = {"kind": "observations"}
    with stack.client("data-manager", trust=GROUP_UID, timeout=300) as client, file.open("rb") as body:
        began = time.perf_counter()
        accepted = client.post("/academy/v1/imports", params=params, content=body, headers={"Content-Type": "text/csv"})
        assert accepted.status_code == 202, accepted.text
        while True:
            ended = client.get(accepted.headers["Location"]).json()
            if ended["state"] not in ("queued", "running"):
                break
            assert time.perf_counter() - began < 300
            time.sleep(0.1)
        seconds = time.perf_counter() - began
    assert ended["state"] == "succeeded", ended["errors"][:3]
    return seconds


def measure_import(stack: Stack, binaries: Path, admin_url: str, folder: Path, rows: int = ROWS) -> list[Row]:
    """All new, nothing changed, all changed; each as a rate held against that of `\\copy`."""
    with stack.client("status-reader", trust=GROUP_UID) as client:
        urns = sorted(item["urn"] for item in client.get("/academy/v1/rag-statuses").json()["items"])
    # The better of two, since the first one meets a cold table.
    copied = rows / min(_copy(binaries, admin_url, urns, rows, folder) for _ in range(2))
    _write(folder / "new.csv", urns, rows)
    _write(folder / "changed.csv", urns, rows, step=1)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("checkpoint")
    new = rows / _import(stack, folder / "new.csv")
    with psycopg.connect(admin_url) as admin:
        (kept,) = admin.execute(
            "select count(*) from academy.observation where trust_id = %s", (TRUST,)
        ).fetchone() or (0,)
        assert kept == rows
    # The same figures under another name: a copy of the very file would be answered from its fingerprint.
    with (folder / "new.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    again = rows / _import(stack, folder / "new.csv")
    changed = rows / _import(stack, folder / "changed.csv")
    against = f"psql \\copy of {rows:,} rows"
    return [
        Row("import_vs_copy", new, "rows/s", against, copied, "≥ 0.40"),
        Row("import_unchanged_vs_copy", again, "rows/s", against, copied),
        Row("import_changed_vs_copy", changed, "rows/s", against, copied),
    ]
