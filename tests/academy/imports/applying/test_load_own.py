"""A trust's own figures, from the file to the list."""

import random
from typing import Any

from academy.imports.applying.load import MOST_NAMED
from academy.imports.formats.kinds import KINDS
from kit.database.sessions import Context
from kit.ids import PLATFORM
from tests.academy.imports.conftest import Workbench, csv
from tests.academy.rows import PROSPERE, add_school, add_trust
from tests.support.tokens import OTHER_TRUST

FIGURES = [
    (136105, "attendance.overall_percent", "2025/26", 94.1),
    (136105, "ks4.attainment_8", "2024-25", 47.25),
    (136106, "ks4.attainment_8", "202425", "SUPP"),
]


async def current(bench: Workbench, **params: Any) -> list[tuple[int, str, str, float | None, str | None]]:
    reader = await bench.client("trustee")
    params = {"urn": [136105, 136106], "layer": "trust", **params}
    response = await reader.get("/academy/v1/observations", params=params)
    return [
        (one["urn"], one["measure"], one["academic_year"], one["value"], one["reason"])
        for one in response.json()["items"]
    ]


async def test_a_file_becomes_figures(bench: Workbench) -> None:
    manager = await bench.client()
    ended = await bench.load(manager, "observations", csv(FIGURES))
    assert (ended["state"], ended["progress_percent"], ended["errors_total"]) == ("succeeded", 100, 0)
    assert (ended["rows_read"], ended["rows_accepted"], ended["rows_ignored"]) == (3, 3, 0)
    assert (ended["rows_new"], ended["rows_changed"], ended["rows_unchanged"]) == (3, 0, 0)
    assert await current(bench) == [
        (136105, "attendance.overall_percent", "2025/26", 94.1, None),
        (136105, "ks4.attainment_8", "2024/25", 47.25, None),
        (136106, "ks4.attainment_8", "2024/25", None, "suppressed"),
    ]
    figures = await bench.rows("select id, import_id, recorded_at, source from academy.observation order by id")
    assert {str(row["import_id"]) for row in figures} == {ended["id"]}
    assert len({row["recorded_at"] for row in figures}) == 1
    assert all(row["id"].version == 7 for row in figures)


async def test_the_same_file_again_changes_nothing(bench: Workbench) -> None:
    manager = await bench.client()
    await bench.load(manager, "observations", csv(FIGURES))
    before = await bench.rows("select * from academy.observation order by id")
    events = await bench.events()
    ended = await bench.load(manager, "observations", csv(FIGURES))
    assert (ended["state"], ended["rows_new"], ended["rows_changed"], ended["rows_unchanged"]) == ("succeeded", 0, 0, 3)
    assert await bench.rows("select * from academy.observation order by id") == before
    assert await bench.events() == [*events, ("import.finished", f"imports/{ended['id']}")]
    assert len(await bench.jobs("academy.ratings.rerate")) == 1


async def test_changed_figures_are_written_in_the_order_of_the_index(bench: Workbench) -> None:
    """... whatever the order of the file: that is several times as fast."""
    manager = await bench.client()
    keys = [
        (urn, measure, f"{year}/{year - 1999}")
        for urn in (136105, 136106)
        for measure in ("attendance.overall_percent", "ks4.attainment_8")
        for year in range(2015, 2022)
    ]
    random.Random(3).shuffle(keys)
    await bench.load(manager, "observations", csv([(*key, 5) for key in keys]))
    ended = await bench.load(manager, "observations", csv([(*key, 6) for key in keys]))
    assert ended["rows_changed"] == len(keys)
    written = await bench.rows(
        "select urn, measure, academic_year from academy.observation where superseded_at is null order by id"
    )
    assert [tuple(row.values()) for row in written] == sorted(keys)


async def test_a_corrected_file_supersedes_only_what_differs(bench: Workbench) -> None:
    manager = await bench.client()
    await bench.load(manager, "observations", csv(FIGURES))
    corrected = [
        FIGURES[0],
        (*FIGURES[1][:3], 48),
        (136106, "ks4.attainment_8", "202425", 41),
        (136106, "ks4.progress_8", "2024/25", 3.5),
    ]
    ended = await bench.load(manager, "observations", csv(corrected))
    assert (ended["rows_new"], ended["rows_changed"], ended["rows_unchanged"]) == (1, 2, 1)
    assert [(row[0], row[3]) for row in await current(bench)] == [
        (136105, 94.1), (136105, 48), (136106, 41), (136106, 3.5),
    ]  # fmt: skip
    history = await current(bench, history=True, measure="ks4.attainment_8")
    assert [row[3] for row in history] == [47.25, 48, None, 41]
    closed = await bench.rows(
        "select o.superseded_at = n.recorded_at as same from academy.observation o join academy.observation n"
        " on n.urn = o.urn and n.measure = o.measure and n.superseded_at is null where o.superseded_at is not null"
    )
    assert [row["same"] for row in closed] == [True, True]


async def test_what_a_file_does_not_hold_stays(bench: Workbench) -> None:
    manager = await bench.client()
    await bench.load(manager, "observations", csv(FIGURES))
    await bench.load(manager, "observations", csv([(136106, "ks4.attainment_8", "2023/24", 39)]))
    assert len(await current(bench)) == 4


async def test_columns_that_a_file_does_not_have_stay_with_their_figure(bench: Workbench) -> None:
    manager = await bench.client()
    header = "urn,measure,academic_year,value,cohort,lower,upper"
    await bench.load(manager, "observations", csv([(136105, "ks4.progress_8", "2023/24", 0.2, 180, 0.1, 0.3)], header))
    statement = "select value, cohort, lower, upper from academy.observation where superseded_at is null"
    narrow = await bench.load(manager, "observations", csv([(136105, "ks4.progress_8", "2023/24", 0.2)]))
    assert (narrow["state"], narrow["rows_unchanged"]) == ("succeeded", 1)
    header = "urn,measure,academic_year,value,cohort"
    emptied = await bench.load(manager, "observations", csv([(136105, "ks4.progress_8", "2023/24", 0.2, "")], header))
    assert emptied["rows_changed"] == 1
    assert [tuple(map(str, row.values())) for row in await bench.rows(statement)] == [("0.2", "None", "0.1", "0.3")]
    # An interval is one of its value: it doesn't stay with another.
    await bench.load(manager, "observations", csv([(136105, "ks4.progress_8", "2023/24", 0.4)]))
    assert [tuple(map(str, row.values())) for row in await bench.rows(statement)] == [("0.4", "None", "None", "None")]


async def test_a_revised_release_stands_beside_the_final_one(bench: Workbench) -> None:
    manager = await bench.client()
    await bench.load(manager, "observations", csv([FIGURES[1]]), release="final")
    ended = await bench.load(manager, "observations", csv([(*FIGURES[1][:3], 50)]), release="provisional")
    assert (ended["release"], ended["rows_new"]) == ("provisional", 1)
    assert [row[3] for row in await current(bench)] == [47.25]
    assert [row[3] for row in await current(bench, history=True)] == [47.25, 50]


async def test_a_dry_run_counts_and_keeps_nothing(bench: Workbench) -> None:
    manager = await bench.client()
    await bench.load(manager, "observations", csv(FIGURES))
    before = await bench.rows("select * from academy.observation order by id")
    changed = csv([(*FIGURES[0][:3], 95), FIGURES[1], (199998, "ks4.attainment_8", "2024/25", 41)])
    ended = await bench.load(manager, "observations", changed, dry_run=True)
    assert (ended["state"], ended["dry_run"], ended["rows_accepted"]) == ("succeeded", True, 0)
    assert (ended["rows_new"], ended["rows_changed"], ended["rows_unchanged"]) == (1, 1, 1)
    assert await bench.rows("select * from academy.observation order by id") == before
    assert await bench.value("select count(*) from academy.school where urn = 199998") == 0
    assert len(await bench.jobs("academy.ratings.rerate")) == 1


async def test_a_dry_run_of_a_bad_file_says_what_is_wrong(bench: Workbench) -> None:
    manager = await bench.client()
    content = csv([(136105, "ks4.attainment_8", "2024/25", "4O")])
    ended = await bench.load(manager, "observations", content, dry_run=True)
    assert (ended["state"], ended["errors_total"]) == ("failed", 1)


async def test_figures_of_other_schools_are_kept_and_warned_of_and_leave_the_register_alone(bench: Workbench) -> None:
    async with bench.database.of("academy", "loader").session(Context(PLATFORM, None, "test")) as register:
        await add_trust(register)
        other = await add_trust(register, "2044")
        await add_school(register, 136105, trust=PROSPERE)
        await add_school(register, 136107, trust=other)
    before = await bench.rows("select * from academy.school order by urn")
    rows = [*FIGURES, (136107, "ks4.attainment_8", "2024/25", 40)]
    manager = await bench.client()
    for dry_run in (True, False):
        ended = await bench.load(manager, "observations", csv(rows), dry_run=dry_run)
        assert (ended["state"], ended["rows_new"]) == ("succeeded", 4)
        assert [(one["column"], one["code"]) for one in ended["warnings"]] == [("urn", "academy_not_of_trust")] * 2
        assert "136106" in ended["warnings"][0]["detail"] and "136107" in ended["warnings"][1]["detail"]
    assert await bench.rows("select * from academy.school order by urn") == before
    assert len(await current(bench, urn=[136105, 136106, 136107])) == 4
    reader = await bench.client("trustee", trust=OTHER_TRUST)
    assert (await reader.get("/academy/v1/academies/136106")).status_code == 404


async def test_figures_that_came_before_the_register_count_when_the_school_joins(bench: Workbench) -> None:
    await bench.rate(PROSPERE)
    manager = await bench.client()
    rows = [(135874, "ks4.attainment_8", "2024/25", 47.5)]
    assert len((await bench.load(manager, "observations", csv(rows)))["warnings"]) == 1
    rerated = len(await bench.jobs("academy.ratings.rerate"))
    links = KINDS["gias-group-links"].example()
    assert (await bench.load(await bench.client("platform-operator"), "gias-group-links", links))["errors"] == []
    assert len(await bench.jobs("academy.ratings.rerate")) > rerated
    academy = (await manager.get("/academy/v1/academies/135874")).json()
    assert (academy["name"], academy["is_registered"]) == ("Manchester Enterprise Academy", True)
    again = await bench.load(manager, "observations", csv(rows))
    assert (again["warnings"], again["rows_unchanged"]) == ([], 1)


async def test_so_many_schools_of_others_are_named_and_the_rest_counted(bench: Workbench) -> None:
    rows = [(urn, "ks4.attainment_8", "2024/25", 40) for urn in range(136105, 136105 + MOST_NAMED + 7)]
    ended = await bench.load(await bench.client(), "observations", csv(rows))
    assert len(ended["warnings"]) == MOST_NAMED + 1
    assert ended["warnings"][-1]["code"] == "academies_not_of_trust"
    assert ended["warnings"][-1]["detail"].startswith("7 more URNs")


async def test_figures_are_the_senders_trusts_alone(bench: Workbench) -> None:
    theirs = await bench.client(trust=OTHER_TRUST)
    await bench.load(theirs, "observations", csv([(136105, "ks4.attainment_8", "2024/25", 1)]))
    await bench.load(await bench.client(), "observations", csv([(136105, "ks4.attainment_8", "2024/25", 2)]))
    assert [row[3] for row in await current(bench)] == [2]
    reader = await bench.client("trustee", trust=OTHER_TRUST)
    items = (await reader.get("/academy/v1/observations", params={"urn": 136105})).json()["items"]
    assert [one["value"] for one in items] == [1]
    assert await bench.value("select count(*) from academy.observation where superseded_at is not null") == 0


async def test_a_grant_for_some_academies_loads_figures_of_these_alone(bench: Workbench) -> None:
    manager = await bench.client(academies=[136105])
    ended = await bench.load(manager, "observations", csv(FIGURES))
    assert ended["state"] == "failed"
    assert [(one["code"], one["column"], one["row"]) for one in ended["errors"]] == [("academy_not_yours", "urn", None)]
    assert "136106" in ended["errors"][0]["detail"]
    assert await bench.value("select count(*) from academy.observation") == 0
    ended = await bench.load(manager, "observations", csv(FIGURES[:2]))
    assert (ended["state"], ended["rows_new"]) == ("succeeded", 2)


async def test_the_feed_is_told_once_for_each_academy_measure_and_year(bench: Workbench) -> None:
    manager = await bench.client()
    groups = [(136105, "ks4.attainment_8", "2024/25", group, 40) for group in ("all", "boys", "girls")]
    content = csv(
        [*groups, (136106, "ks4.attainment_8", "2024/25", "all", 41)], "urn,measure,academic_year,pupil_group,value"
    )
    ended = await bench.load(manager, "observations", content)
    assert await bench.events() == [
        ("observation.changed", "academies/136105"),
        ("observation.changed", "academies/136106"),
        ("import.finished", f"imports/{ended['id']}"),
    ]
    (data,) = await bench.rows("select data::text from academy.event where urn = 136105")
    assert '"figures_new": 3' in data["data"]
    (job,) = await bench.jobs("academy.ratings.rerate")
    assert str(PROSPERE) in job["args"]


async def test_ndjson_is_read_too(bench: Workbench) -> None:
    lines = (
        '{"urn": 136105, "measure": "ks4.attainment_8", "academic_year": "2024/25", "value": 47.5}\n'
        '{"urn": 136105, "measure": "ks4.progress_8", "academic_year": "2018/19", "reason": "suppressed"}\n'
    )
    ended = await bench.load(await bench.client(), "observations", lines, media_type="application/x-ndjson")
    assert (ended["state"], ended["rows_new"]) == ("succeeded", 2)
    assert [row[3:] for row in await current(bench)] == [(47.5, None), (None, "suppressed")]
