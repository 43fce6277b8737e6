"""`make bench`: everything that is promised about speed, measured side by side in one run.

Prints a table and writes `build/bench.json`. Only ratios mean anything: the machine is small and never alone. One
installation is started for the run, on a free port, with its own data, and ended with it.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

HOUSE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(HOUSE))

from tests.load import feed, importing, lists, memory, pulls, rerate  # noqa: E402 - the house must be on the path first
from tests.load.pulls import GROUP_UID, TRUST, Row  # noqa: E402
from tests.support import cluster as clusters  # noqa: E402
from tests.support.cluster import shared_cluster  # noqa: E402
from tests.support.stack import Stack  # noqa: E402
from trellis import tokens  # noqa: E402
from trellis.api import Api  # noqa: E402
from trellis.demo import contents, loading  # noqa: E402
from trellis.installation import Installation  # noqa: E402
from trellis.settings import LocalSettings  # noqa: E402

SETTINGS = {
    "TRELLIS_ACADEMY_APP": "tests.load.app:create_app",
    "TRELLIS_BENCH_TRUST": str(TRUST),
    "TRELLIS_LOG_LEVEL": "WARNING",
    "PYTHONPATH": str(HOUSE),
}


def _prepare(stack: Stack) -> None:
    """Register the trust of thirty academies and publish the demonstration criteria for it."""
    with stack.client("platform-operator") as operator:
        made = operator.post(
            "/identity/v1/tenants", json={"group_uid": GROUP_UID, "name": "A trust of thirty academies"}
        )
        assert made.status_code == 201, made.text
    sets = json.loads(contents.criteria_document())["sets"]
    with Api(stack.url, tokens.demo_person("chief-executive", trust=GROUP_UID)) as chief:
        loading.publish_criteria(chief, sets)
        loading.await_ratings(chief, {one["phase"] for one in sets})


def measure_stack(only: Sequence[str], figures: int) -> list[Row]:
    """What needs the whole installation: idle memory, pulls, freshness, imports."""
    rows: list[Row] = []
    folder = Path(tempfile.mkdtemp(prefix="trellis-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        with Stack(folder, environment=SETTINGS) as stack:
            if "memory" in only:
                rows += memory.measure_idle_memory(stack)
            if not {"pull", "lists", "feed", "import"} & set(only):
                return rows
            _prepare(stack)
            with mock.patch.dict("os.environ", stack.environment):
                installation = Installation(LocalSettings.load())
                assert installation.postgres is not None
                admin_url = installation.admin_url
                app_url = installation.environment()["TRELLIS_ACADEMY_DATABASE_URL"]
                binaries = installation.postgres.binaries
            if "pull" in only:
                rows += pulls.measure_pulls(stack, binaries, app_url)
                rows.append(pulls.measure_freshness(stack, admin_url))
            if "lists" in only:
                rows += lists.measure_lists(stack, binaries, app_url, admin_url)
            if "feed" in only:
                rows += feed.measure_feed(stack, app_url, folder)
            if "import" in only:
                rows += importing.measure_import(stack, binaries, admin_url, folder, figures)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def measure_rerate() -> list[Row]:
    """All ratings of 200 and of 2,000 academies, on a Postgres of its own."""
    clusters.announce()
    try:
        found = asyncio.run(rerate.measure(shared_cluster()))
    finally:
        clusters.end()
    small, large = found[200]["all_changed"], found[2000]["all_changed"]
    return [
        Row("rerate_2000_seconds", large, "s", "twenty seconds", 20.0, "≤ 1"),
        Row("rerate_linearity", 2000 / large, "academies/s", "the rate of 200 academies", 200 / small, "about 1"),
    ]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="memory, pull, lists, feed, import or rerate; all unless given")
    parser.add_argument("--rows", type=int, default=importing.ROWS, help="figures of an import; a million unless given")
    given = parser.parse_args()
    only = given.only or ["memory", "pull", "feed", "import", "lists", "rerate"]
    rows: list[Row] = []
    if "rerate" in only:
        rows += measure_rerate()
    if {"memory", "pull", "lists", "feed", "import"} & set(only):
        rows += measure_stack(only, given.rows)
    target = HOUSE / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([row.told() for row in rows], indent=2) + "\n", encoding="utf-8")
    print(f"{'what':28} {'value':>12} {'unit':12} {'against':>12}  {'ratio':>7}  {'to reach':9} held against")
    for row in rows:
        print(
            f"{row.name:28} {row.value:12,.2f} {row.unit:12} {row.against_value:12,.2f}  {row.ratio:7.2f}  "
            f"{row.target:9} {row.against}"
        )
    print(f"Written to {target.relative_to(HOUSE)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
