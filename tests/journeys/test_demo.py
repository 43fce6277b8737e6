"""What a person sees who has just typed `make up`, and what the commands do on that installation."""

import csv
import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.stack import HOUSE, Stack
from trellis.demo import contents

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PROSPERE = "16846"


def test_up_again_is_quick_and_shows_the_board(stack: Stack) -> None:
    began = time.monotonic()
    printed = stack.start()
    assert time.monotonic() - began < 15
    assert "Prospere Learning Trust: RAG board" in printed
    assert "Chorlton High School" in printed
    assert "not anybody's judgement" in " ".join(printed.split())
    assert "Open Government Licence" in printed
    for word in ("GREEN", "NOT ASSESSED"):
        assert word in printed
    assert f"{stack.url}/" in printed


def test_the_printed_request_works_as_it_is_printed(stack: Stack) -> None:
    line = re.search(r"^ *(curl .*)$", stack.start(), re.MULTILINE)
    assert line is not None
    if not (HOUSE / ".venv" / "bin" / "trellis").exists():
        pytest.skip("this environment isn't the one that make install makes")
    done = subprocess.run(
        ["/bin/sh", "-c", line[1].replace("curl ", "curl --silent --fail ", 1)],
        env=stack.environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = {item["urn"]: item["status"] for item in json.loads(done.stdout)["items"]}
    assert {135874, 139148, 144755, 145873} <= found.keys()
    assert set(found.values()) <= {"red", "amber", "green", "not_assessed"}


def test_the_reason_behind_a_colour_can_be_asked_for(stack: Stack) -> None:
    with stack.client("status-reader") as reader:
        items = reader.get("/academy/v1/rag-statuses").json()["items"]
        chorlton = next(item for item in items if item["urn"] == 139148)
        rating = reader.get(f"/academy/v1/ratings/{chorlton['rating_id']}").json()
    assert rating["status"] == chorlton["status"]
    assert all(criterion["sentence"] for criterion in rating["criteria"])
    attainment = next(one for one in rating["criteria"] if one["measure"] == "ks4.attainment_8")
    assert (attainment["value"], attainment["comparison"]["value"]) == (53.9, 45.9)


def test_special_schools_without_figures_are_not_assessed(stack: Stack) -> None:
    with stack.client("status-reader") as reader:
        items = reader.get("/academy/v1/rag-statuses", params={"phase": "special"}).json()["items"]
    assert len(items) == 4
    assert {item["status"] for item in items} == {"not_assessed"}


def test_the_trusts_are_kept_apart(stack: Stack) -> None:
    with stack.client("status-reader", trust=PROSPERE) as one, stack.client("status-reader", trust="3010") as other:
        here = one.get("/academy/v1/rag-statuses").json()["items"]
        there = other.get("/academy/v1/rag-statuses").json()["items"]
        foreign = other.get(f"/academy/v1/ratings/{here[0]['rating_id']}")
    assert len(there) == 3
    assert not {item["urn"] for item in here} & {item["urn"] for item in there}
    assert foreign.status_code == 404


def test_a_head_sees_the_academies_of_the_grant(stack: Stack) -> None:
    token = stack.cli("token", "headteacher", "--academy", "139148", "--trust", PROSPERE).stdout
    assert token.count("\n") == 1
    with stack.client("headteacher", academies=[139148]) as head:
        head.headers["Authorization"] = f"Bearer {token.strip()}"
        assert head.get("/identity/v1/me").json()["academies"] == [139148]
        assert [item["urn"] for item in head.get("/academy/v1/rag-statuses").json()["items"]] == [139148]


def test_a_role_that_does_not_exist_is_refused_plainly(stack: Stack) -> None:
    done = stack.cli("token", "headmaster", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("trellis: ")
    assert "Traceback" not in done.stderr


def test_loading_the_demo_again_changes_nothing(stack: Stack) -> None:
    with stack.client("chief-executive") as chief:
        before = chief.get("/academy/v1/rag-statuses").json()["items"]
        stack.cli("demo")
        after = chief.get("/academy/v1/rag-statuses").json()["items"]
    assert [item["rating_id"] for item in after] == [item["rating_id"] for item in before]


def own_figures(path: Path, *rows: tuple[object, ...]) -> Path:
    """A file of a trust's own figures."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["urn", "measure", "academic_year", "value"])
        writer.writerows(rows)
    return path


def test_a_file_is_tried_then_loaded_then_known(stack: Stack, tmp_path: Path) -> None:
    file = own_figures(tmp_path / "own.csv", (139148, "absence.overall_percent", "2025/26", 6.1))
    arguments = ("import", "observations", str(file), "--trust", PROSPERE)
    assert "only tried" in stack.cli(*arguments, "--dry-run").stderr
    assert "1 new" in stack.cli(*arguments).stderr
    assert "0 new" in stack.cli(*arguments).stderr


def test_a_refused_file_says_why_and_fails(stack: Stack, tmp_path: Path) -> None:
    file = own_figures(
        tmp_path / "own.csv",
        (139148, "absence.overall_percent", "2025/26", "n.a"),
        (139148, "no.such_measure", "2025/26", 1),
    )
    done = stack.cli("import", "observations", str(file), "--trust", PROSPERE, check=False)
    assert done.returncode == 1
    assert "failed" in done.stderr
    assert "Why the file was refused" in done.stderr
    assert "no.such_measure" in done.stderr
    assert done.stdout == ""


def test_a_published_file_that_is_known_changes_nothing(stack: Stack) -> None:
    said = stack.cli("import", "gias-groups", str(contents.DATA / "groups.csv.gz")).stderr
    assert "2,730 rows read" in said
    assert "0 new, 0 changed" in said


def test_national_figures_need_the_platforms_operator(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "groups.csv"
    file.write_text("Group UID,Group Name\n1,Nobody\n")
    done = stack.cli("import", "gias-groups", str(file), "--trust", PROSPERE, check=False)
    assert done.returncode == 1
    assert "trellis: " in done.stderr


def test_status_tells_people_and_programs(stack: Stack) -> None:
    told = stack.status()
    assert told["ready"]
    workers = {"academy-worker", "research-worker", "reporting-worker"}
    assert {"postgres", "identity", "academy", "research", "reporting", "envoy", "watcher"} | workers == {
        program["name"] for program in told["programs"]
    }
    shown = stack.cli("status").stdout
    assert stack.url in shown
    assert str(stack.state) in shown


def test_logs_are_read_by_name(stack: Stack) -> None:
    assert "watching identity" in stack.cli("logs", "supervisor", "--lines", "1000").stdout
    assert "There is no log of nothing" in stack.cli("logs", "nothing", check=False).stderr


def test_no_secret_stands_in_a_log_or_in_a_list_of_processes(stack: Stack) -> None:
    secrets = json.loads((stack.state / "credentials.json").read_text())
    hidden = [secrets["secret_key"], *secrets["passwords"].values()]
    hidden.append((stack.state / "postgres" / "data.password").read_text().strip())
    text = "".join(path.read_text(errors="replace") for path in (stack.state / "log").glob("*"))
    commands = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert not [secret for secret in hidden if secret in text or secret in commands]


def test_keys_rotate_and_tokens_go_on(stack: Stack) -> None:
    with stack.client("status-reader") as reader:
        assert "signs from" in stack.cli("keys", "rotate").stdout
        assert stack.cli("keys", "list").stdout.count("\n") >= 2
        assert reader.get("/academy/v1/rag-statuses").status_code == 200
