"""Imports that are taken back: what stood before counts again, and the history keeps both."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from academy.imports.formats.kinds import KINDS
from academy.imports.rules import REGISTER_KINDS
from kit.ids import PLATFORM
from tests.academy.imports.conftest import IMPORTS, Workbench, csv
from tests.academy.rows import PROSPERE
from tests.support.tokens import OTHER_TRUST

KS4 = "RECTYPE,LEA,URN,TPUP,ATT8SCR,P8PUP,P8MEA,P8CILOW,P8CIUPP,P8_BANDING\n"
LINKS = (
    "URN,Group UID,Group ID,Group Name,Group Type (code),Group Type,Group Status,Joined date,EstablishmentName\n"
    "136105,16846,TR03794,Prospere Learning Trust,6,Multi-academy trust,Open,2012-01-01,An academy\n"
)
WHY = {"reason": "Loaded for the wrong year."}


def figures(*values: tuple[int, str, float]) -> str:
    return csv([(urn, "ks4.attainment_8", year, value) for urn, year, value in values])


async def withdraw(
    client: httpx.AsyncClient, ended: dict[str, Any], body: dict[str, Any] | None = None, **headers: str
) -> httpx.Response:
    """Ask for it, with the tag of now."""
    path = f"{IMPORTS}/{ended['id']}"
    tag = (await client.get(path)).headers["ETag"]
    return await client.post(
        f"{path}/withdraw", json=WHY if body is None else body, headers={"If-Match": tag} | headers
    )


async def taken_back(bench: Workbench, client: httpx.AsyncClient, ended: dict[str, Any]) -> dict[str, Any]:
    """The import once it is withdrawn."""
    accepted = await withdraw(client, ended)
    assert (accepted.status_code, accepted.json()["withdrawal"]) == (202, "withdrawing"), accepted.text
    await bench.work()
    body: dict[str, Any] = (await client.get(f"{IMPORTS}/{ended['id']}")).json()
    assert (body["state"], body["withdrawal"]) == ("succeeded", "withdrawn")
    return body


async def shown(bench: Workbench, layer: str = "trust", **params: Any) -> dict[tuple[int, str], float | None]:
    reader = await bench.client("trustee")
    response = await reader.get(
        "/academy/v1/observations",
        params={"urn": [136105, 136106], "layer": layer, "measure": "ks4.attainment_8", **params},
    )
    return {(one["urn"], one["academic_year"]): one["value"] for one in response.json()["items"]}


async def test_what_stood_before_counts_again_and_as_of_shows_both(bench: Workbench) -> None:
    manager = await bench.client(subject="person:0193e2f1")
    first = await bench.load(manager, "observations", figures((136105, "2024/25", 47), (136106, "2024/25", 50)))
    wrong = await bench.load(manager, "observations", figures((136105, "2024/25", 12), (136105, "2023/24", 13)))
    before = datetime.now(UTC).isoformat()
    assert await shown(bench) == {(136105, "2024/25"): 12, (136105, "2023/24"): 13, (136106, "2024/25"): 50}
    body = await taken_back(bench, manager, wrong)
    assert (body["withdrawn_by"], body["withdrawn_as"]) == ("person:0193e2f1", "data-manager")
    assert body["withdrawal_reason"] == WHY["reason"] and body["withdrawn_at"] is not None
    assert body["actions"] == []
    for params, listed in (
        ({"withdrawal": "withdrawn"}, [wrong]),
        ({"withdrawal": "withdrawing"}, []),
        ({"state": "succeeded"}, [wrong, first]),
    ):
        items = (await manager.get(IMPORTS, params=params)).json()["items"]
        assert [one["id"] for one in items] == [one["id"] for one in listed]
    assert await shown(bench) == {(136105, "2024/25"): 47, (136106, "2024/25"): 50}
    assert await shown(bench, as_of=before) == {
        (136105, "2024/25"): 12,
        (136105, "2023/24"): 13,
        (136106, "2024/25"): 50,
    }
    assert await shown(bench, as_of=body["withdrawn_at"]) == {(136105, "2024/25"): 47, (136106, "2024/25"): 50}
    rows = await bench.rows(
        "select import_id::text as id, value::int as value, superseded_at is null as stands from academy.observation"
        " where urn = 136105 and academic_year = '2024/25' order by recorded_at"
    )
    assert [(row["id"], row["value"], row["stands"]) for row in rows] == [
        (first["id"], 47, False),
        (wrong["id"], 12, False),
        (first["id"], 47, True),
    ]


async def test_figures_that_a_later_import_corrected_stay(bench: Workbench) -> None:
    manager = await bench.client()
    wrong = await bench.load(manager, "observations", figures((136105, "2024/25", 12), (136106, "2024/25", 13)))
    await bench.load(manager, "observations", figures((136105, "2024/25", 48)))
    await taken_back(bench, manager, wrong)
    assert await shown(bench) == {(136105, "2024/25"): 48}


async def test_what_was_taken_back_never_comes_back(bench: Workbench) -> None:
    """Of three imports the middle one goes first: the last one then gives way to the first."""
    manager = await bench.client()
    loads = [await bench.load(manager, "observations", figures((136105, "2024/25", value))) for value in (1, 2, 3)]
    for number, left in ((1, 3.0), (2, 1.0), (0, None)):
        await taken_back(bench, manager, loads[number])
        assert await shown(bench) == ({(136105, "2024/25"): left} if left else {})
    # Nothing is in the way of the right file.
    again = await bench.load(manager, "observations", figures((136105, "2024/25", 2)))
    assert again["rows_new"] == 1
    assert await shown(bench) == {(136105, "2024/25"): 2}


async def test_the_feed_announces_it_and_the_trust_is_rated_again(bench: Workbench) -> None:
    manager = await bench.client()
    await bench.load(manager, "observations", figures((136105, "2024/25", 47)))
    wrong = await bench.load(manager, "observations", figures((136105, "2024/25", 12), (136106, "2024/25", 13)))
    known, ratings = len(await bench.events()), len(await bench.jobs("academy.ratings.rerate"))
    await taken_back(bench, manager, wrong)
    assert (await bench.events())[known:] == [
        ("observation.changed", "academies/136105"),
        ("observation.changed", "academies/136106"),
        ("import.withdrawn", f"imports/{wrong['id']}"),
    ]
    rows = await bench.rows("select data->>'figures_changed' as c, data->>'figures_withdrawn' as w,"
                            " data->>'figures_restored' as r, data::text as text from academy.event"
                            " order by xid, seq")  # fmt: skip
    assert [(row["c"], row["w"], row["r"]) for row in rows[known:]] == [
        ("1", "0", None),
        ("0", "1", None),
        (None, "1", "1"),
    ]
    assert not any(WHY["reason"] in row["text"] for row in rows)
    assert len(await bench.jobs("academy.ratings.rerate")) == ratings + 1
    (kept,) = await bench.rows("select by, as_role, reason from academy.state_change where verb = 'withdraw'")
    assert (kept["as_role"], kept["reason"]) == ("data-manager", WHY["reason"])


async def test_a_job_that_runs_again_changes_nothing(bench: Workbench) -> None:
    manager = await bench.client()
    await bench.load(manager, "observations", figures((136105, "2024/25", 47)))
    wrong = await bench.load(manager, "observations", figures((136105, "2024/25", 12)))
    await taken_back(bench, manager, wrong)
    rows, events = await bench.rows("select * from academy.observation order by id"), await bench.events()
    await bench.execute(
        "set search_path = academy;"
        " update procrastinate_jobs set status = 'todo' where task_name = 'academy.imports.withdraw'"
    )
    await bench.work()
    assert await bench.rows("select * from academy.observation order by id") == rows
    assert await bench.events() == events


async def test_asking_twice_has_one_effect(bench: Workbench) -> None:
    manager = await bench.client()
    wrong = await bench.load(manager, "observations", figures((136105, "2024/25", 12)))
    path, key = f"{IMPORTS}/{wrong['id']}", {"Idempotency-Key": "a-key-of-ours"}
    tag = (await manager.get(path)).headers["ETag"]
    answers = [await manager.post(f"{path}/withdraw", json=WHY, headers={"If-Match": tag} | key) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    stale = await manager.post(f"{path}/withdraw", json=WHY, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    # While it is being withdrawn it may be asked for again, as when the worker gave up.
    assert (await withdraw(manager, wrong)).status_code == 202
    await bench.work()
    late = await withdraw(manager, wrong)
    assert (late.status_code, late.json()["code"], late.json()["state"]) == (409, "transition-not-allowed", "withdrawn")
    assert [kind for kind, _ in await bench.events()].count("import.withdrawn") == 1


@pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": None}])
async def test_a_reason_is_needed(bench: Workbench, body: dict[str, Any]) -> None:
    manager = await bench.client()
    wrong = await bench.load(manager, "observations", figures((136105, "2024/25", 12)))
    assert (await withdraw(manager, wrong, body)).status_code == 422
    assert (await manager.get(f"{IMPORTS}/{wrong['id']}")).json()["withdrawal"] is None


async def test_who_may_load_may_take_back_and_nobody_else(bench: Workbench) -> None:
    manager = await bench.client()
    wrong = await bench.load(manager, "observations", figures((136105, "2024/25", 12)))
    assert [one["verb"] for one in wrong["actions"]] == ["withdraw"]
    trustee = await bench.client("chief-executive")
    assert (await withdraw(trustee, wrong)).json()["code"] == "insufficient-scope"
    path = f"{IMPORTS}/{wrong['id']}/withdraw"
    others = [await bench.client(trust=OTHER_TRUST), await bench.client("platform-operator")]
    others.append(await bench.client(academies=[136105]))
    for other in others:
        assert (await other.post(path, json=WHY, headers={"If-Match": '"2-100"'})).status_code == 404
    mis = await bench.client("mis-client")
    assert (await withdraw(mis, wrong)).status_code == 202


def test_the_register_is_what_gias_publishes() -> None:
    assert {code for code in KINDS if code.startswith("gias-")} == REGISTER_KINDS


async def test_files_of_the_register_trials_and_failures_cannot_be_taken_back(bench: Workbench) -> None:
    operator, manager = await bench.client("platform-operator"), await bench.client()
    register = await bench.load(
        operator, "gias-establishments", "URN,EstablishmentName,EstablishmentStatus (name)\n115850,Alton,Open\n"
    )
    assert (register["state"], register["actions"]) == ("succeeded", [])
    refused = await withdraw(operator, register)
    assert (refused.status_code, refused.json()["code"]) == (409, "import-not-withdrawable")
    assert "Load the newest file of this kind" in refused.json()["detail"]
    trial = await bench.load(manager, "observations", figures((136105, "2024/25", 12)), dry_run=True)
    assert (await withdraw(manager, trial)).json()["code"] == "import-not-withdrawable"
    failed = await bench.load(manager, "observations", csv([(136105, "ks4.attainment_8", "2024/25", "4O")]))
    refused = await withdraw(manager, failed)
    assert (refused.status_code, refused.json()["code"]) == (409, "transition-not-allowed")


async def test_national_figures_comparisons_and_inspections_go_back_too(bench: Workbench) -> None:
    operator = await bench.client("platform-operator")
    await bench.load(operator, "gias-group-links", LINKS)
    await bench.rate(PROSPERE, OTHER_TRUST)
    row = "1,352,136105,180,{value},,,,,\n7,,,523636,{england},494832,-0.02,,,\n"
    await bench.load(operator, "dfe-ks4", KS4 + row.format(value=44, england=46.5), academic_year="2017/18")
    wrong = await bench.load(operator, "dfe-ks4", KS4 + row.format(value=11, england=12.5), academic_year="2017/18")
    known, ratings = len(await bench.events()), len(await bench.jobs("academy.ratings.rerate"))
    await taken_back(bench, operator, wrong)
    assert await shown(bench, "national") == {(136105, "2017/18"): 44}
    stands = "select value::float8 from academy.comparison_figure where superseded_at is null and measure = $1"
    assert await bench.value(stands, "ks4.attainment_8") == 46.5
    assert (await bench.events(PLATFORM))[-1] == ("import.withdrawn", f"imports/{wrong['id']}")
    # The figures concern one trust, England's everybody.
    changed = [event for event in (await bench.events())[known:] if event[0] == "observation.changed"]
    assert set(changed) == {("observation.changed", "academies/136105")}
    assert len(await bench.jobs("academy.ratings.rerate")) == ratings + 2
    await bench.execute(
        "set search_path = academy;"
        " update procrastinate_jobs set status = 'todo' where task_name = 'academy.imports.announce_withdrawal'"
    )
    after = await bench.events()
    await bench.work()
    assert await bench.events() == after


async def test_inspections_go_back(bench: Workbench) -> None:
    operator = await bench.client("platform-operator")
    header = "URN,Overall effectiveness,Inspection start date\n"
    await bench.load(operator, "ofsted-inspections", header + "100000,Good,18/04/2013\n")
    wrong = await bench.load(
        operator, "ofsted-inspections", header + "100000,Inadequate,18/04/2013\n100000,Outstanding,01/03/2018\n"
    )
    await taken_back(bench, operator, wrong)
    reader = await bench.client("trustee")
    items = (await reader.get("/academy/v1/academies/100000/inspections")).json()["items"]
    assert [(one["inspected_on"], one["overall_grade"]) for one in items] == [("2013-04-18", "good")]
