"""Figures sent as JSON: stored as an import that is applied at once."""

import asyncio
import re
from typing import Any

import httpx
import pytest

from academy.imports.applying import turns
from tests.academy.imports.conftest import IMPORTS, Workbench, bench, csv
from tests.support.tokens import OTHER_TRUST

__all__ = ["bench"]

OBSERVATIONS = "/academy/v1/observations"
MINE, OTHER = 136105, 139148


def figure(value: float | str | None = 45, year: str = "2022/23", **more: Any) -> dict[str, Any]:
    return {"urn": MINE, "measure": "ks4.attainment_8", "academic_year": year, "value": value, **more}


async def push(client: httpx.AsyncClient, *figures: dict[str, Any], key: str = "", **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post(OBSERVATIONS, json={"observations": figures, **more}, headers=headers)


async def listed(client: httpx.AsyncClient) -> list[tuple[Any, ...]]:
    found = await client.get(OBSERVATIONS, params={"layer": "trust", "urn": MINE})
    assert found.status_code == 200, found.text
    return [(one["academic_year"], one["value"], one["reason"]) for one in found.json()["items"]]


async def test_the_answer_says_what_became_of_each_figure_in_the_order_sent(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    first = await push(mis, figure(46, "2023/24"), figure(45, "2022/23"))
    assert first.status_code == 201, first.text
    again = (await push(mis, figure(47, "2023/24"), figure("SUPP", "2021-22"), figure(45.0, "202223"))).json()
    assert [(one["academic_year"], one["outcome"]) for one in again["observations"]] == [
        ("2023/24", "changed"),
        ("2021/22", "new"),
        ("2022/23", "unchanged"),
    ]
    assert (again["rows_new"], again["rows_changed"], again["rows_unchanged"]) == (1, 1, 1)
    assert await listed(mis) == [("2021/22", None, "suppressed"), ("2022/23", 45, None), ("2023/24", 47, None)]
    stands = {
        one["id"] for one in (await mis.get(OBSERVATIONS, params={"layer": "trust", "urn": MINE})).json()["items"]
    }
    assert stands == {one["observation_id"] for one in again["observations"]}


async def test_it_is_an_import_that_is_listed_announced_rated_and_taken_back(bench: Workbench) -> None:
    await bench.rate()
    mis = await bench.client("mis-client")
    await push(mis, figure(45))
    sent = await push(mis, figure(46), academic_year="2022/23", release="final")
    shown = await mis.get(sent.headers["Location"])
    assert shown.headers["ETag"] == sent.headers["ETag"]
    made = shown.json()
    assert (made["id"], made["kind"], made["state"], made["rows_accepted"], made["academic_year"]) == (
        sent.json()["import_id"], "observations", "succeeded", 1, "2022/23",
    )  # fmt: skip
    assert made["created_by"] and made["started_at"] <= made["finished_at"]
    assert (await mis.get(IMPORTS)).json()["items"][0]["id"] == made["id"]
    changes = (await mis.get(f"{IMPORTS}/{made['id']}/changes")).json()["items"]
    assert [(one["before"]["value"], one["after"]["value"]) for one in changes] == [(45, 46)]
    ours = [one for one in await bench.events() if one[1] in {f"imports/{made['id']}", f"academies/{MINE}"}]
    assert ours[-2:] == [("observation.changed", f"academies/{MINE}"), ("import.finished", f"imports/{made['id']}")]
    assert [job["status"] for job in await bench.jobs("academy.ratings.rerate")][-2:] == ["todo", "todo"]
    tag = {"If-Match": sent.headers["ETag"]}
    taken_back = await mis.post(f"{IMPORTS}/{made['id']}/withdraw", json={"reason": "The wrong year."}, headers=tag)
    assert taken_back.status_code == 202
    await bench.work()
    assert await listed(mis) == [("2022/23", 45, None)]


async def test_nothing_is_stored_when_one_figure_is_wrong_and_every_fault_is_named(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    wrong = [
        figure(45),
        figure("4O", "2021/22"),
        figure(45, measure="ks4.attainment8"),
        figure(45, year="2022-23"),
        figure(450, "2020/21"),
        figure(None, "2019/20", reason=None),
        {**figure(45, "2018/19"), "urn": 3526908},
    ]
    refused = await push(mis, *wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "observations-rejected")
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
        ("#/observations/1/value", "not_a_number"),
        ("#/observations/2/measure", "unknown_measure"),
        ("#/observations/3", "key_repeated"),
        ("#/observations/4/value", "out_of_range"),
        ("#/observations/5/value", "value_missing"),
        ("#/observations/6/urn", "urn_invalid"),
    ]
    assert "LAESTAB" in refused.json()["errors"][-1]["detail"]
    # Words of files have no place here.
    other_year = await push(mis, figure(45, "2021/22"), academic_year="2022/23")
    details = [one["detail"] for answer in (refused, other_year) for one in answer.json()["errors"]]
    assert details[-1] == "This is of 2021/22, but the academic year that was sent is 2022/23."
    assert [detail for detail in details if re.search(r"\b(file|row)\b", detail, re.IGNORECASE)] == []
    assert (await mis.get(IMPORTS)).json()["items"] == []
    assert await listed(mis) == []
    # The same words as for a file.
    file = await bench.load(mis, "observations", csv([(MINE, "ks4.attainment_8", "2021/22", "4O")]))
    assert file["errors"][0]["detail"] == refused.json()["errors"][0]["detail"]


async def test_a_request_with_a_key_is_done_once(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    one, two = await asyncio.gather(push(mis, figure(45), key="a"), push(mis, figure(45), key="a"))
    assert one.json() == two.json()
    assert [one.status_code, two.status_code] == [201, 201]
    assert len((await mis.get(IMPORTS)).json()["items"]) == 1
    assert (await push(mis, figure(46), key="a")).status_code == 422


@pytest.mark.parametrize(
    ("role", "claims", "code"),
    [
        ("status-reader", {}, "insufficient-scope"),
        ("platform-operator", {}, "insufficient-scope"),
        ("mis-client", {"academies": [OTHER]}, "observations-rejected"),
    ],
)
async def test_who_may_not_send_a_file_may_not_send_figures(
    bench: Workbench, role: str, claims: dict[str, Any], code: str
) -> None:
    refused = await push(await bench.client(role, **claims), figure(45))
    assert refused.json()["code"] == code, refused.text


async def test_a_grant_for_some_academies_covers_their_figures(bench: Workbench) -> None:
    mis, other = await bench.client("mis-client", academies=[MINE]), await bench.client("mis-client", trust=OTHER_TRUST)
    assert (await push(mis, figure(45))).json()["observations"][0]["outcome"] == "new"
    # Another trust's figure of the same academy is another figure.
    assert (await push(other, figure(45))).json()["observations"][0]["outcome"] == "new"
    assert await listed(mis) == [("2022/23", 45, None)]


async def test_figures_wait_briefly_for_files_that_were_sent_before(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.1)
    mis = await bench.client("mis-client")
    # What one sender sent holds the figures of another back, and no other trust's.
    covered = await bench.client("mis-client", academies=[MINE])
    other = await bench.client("mis-client", trust=OTHER_TRUST)
    await bench.send(mis, "observations", csv([(MINE, "ks4.attainment_8", "2022/23", 44)]))
    refused = await push(covered, figure(45))
    assert (refused.status_code, refused.json()["code"]) == (503, "import-in-progress")
    assert int(refused.headers["Retry-After"]) > 0
    assert (await push(other, figure(45))).status_code == 201
    await bench.work()
    assert (await push(covered, figure(45))).json()["observations"][0]["outcome"] == "changed"


async def test_figures_wait_for_others_that_are_being_written(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.1)
    mis = await bench.client("mis-client")
    await push(mis, figure(44))
    trust = await bench.value("select trust_id from academy.import")
    async with bench.database.admin() as connection:
        lock = "select pg_advisory_lock(hashtextextended('own figures ' || $1::text, 0))"
        await connection.execute(lock, str(trust))
        assert (await push(mis, figure(45))).json()["code"] == "import-in-progress"
    assert (await push(mis, figure(45))).status_code == 201


async def test_a_thousand_figures_are_taken(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    many = [{"urn": 100000 + place, "measure": "ks4.attainment_8", "value": 45, "cohort": 90} for place in range(1000)]
    taken = await push(mis, *many, academic_year="2022/23")
    assert (taken.status_code, taken.json()["rows_new"]) == (201, 1000), taken.text
    assert [one["urn"] for one in taken.json()["observations"]] == [one["urn"] for one in many]
    more = await push(mis, *many, many[0], academic_year="2022/23")
    assert [one["code"] for one in more.json()["errors"]] == ["too_long"]


async def test_a_request_warns_as_a_file_does_and_takes_no_boolean(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    sent = await push(mis, figure(45, lower=50, upper=60))
    assert "outside_interval" in {one["code"] for one in sent.json()["warnings"]}
    refused = await push(mis, figure(True))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-request")
