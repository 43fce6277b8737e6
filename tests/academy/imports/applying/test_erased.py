"""Values that come back although the trust has erased them."""

from typing import Any

import httpx
import pytest

from academy.imports.jobs import find_lost
from kit.database.sessions import Context
from kit.jobs.queue import defer
from tests.academy.imports.applying.test_failed_withdrawals import job_run
from tests.academy.imports.conftest import Workbench, csv
from tests.support.tokens import PROSPERE

URN, OTHER = 136105, 139148
MEASURE = "ks4.attainment_8"
FILE = csv([(URN, MEASURE, "2023/24", 41), (OTHER, MEASURE, "2023/24", 52)])
CONFIRMED = {"confirm": "value-was-erased"}


async def values(client: httpx.AsyncClient) -> dict[int, tuple[float | None, str | None]]:
    found = await client.get("/academy/v1/observations", params={"urn": [URN, OTHER], "layer": "trust"})
    return {one["urn"]: (one["value"], one["reason"]) for one in found.json()["items"]}


@pytest.fixture
async def manager(bench: Workbench) -> httpx.AsyncClient:
    """Who has loaded two figures and erased the first."""
    client = await bench.client()
    loaded = await bench.load(client, "observations", FILE)
    assert loaded["state"] == "succeeded", loaded
    found = await client.get("/academy/v1/observations", params={"urn": URN, "layer": "trust"})
    body = {"observation_id": found.json()["items"][0]["id"], "reason": "Three pupils can be recognised by it."}
    assert (await client.post("/academy/v1/observation-erasures", json=body)).status_code == 201
    return client


def said(body: dict[str, Any]) -> list[str]:
    return [one["detail"] for one in body["warnings"] if one["code"] == "value_was_erased"]


async def test_an_erased_value_is_left_out_until_it_is_confirmed(bench: Workbench, manager: httpx.AsyncClient) -> None:
    for params in ({"dry_run": "true"}, {}, {"release": "provisional"}):
        again = await bench.load(manager, "observations", FILE.replace("52", "53"), **params)
        (warning,) = said(again)
        assert again["state"] == "succeeded"
        for word in (str(URN), MEASURE, "2023/24", "confirm=value-was-erased"):
            assert word in warning
        assert "41" not in warning
    assert await values(manager) == {URN: (None, "erased"), OTHER: (53, None)}
    assert await bench.value("select count(*) from academy.observation where value = 41") == 0
    confirmed = await bench.load(manager, "observations", FILE, **CONFIRMED)
    assert (said(confirmed), confirmed["rows_changed"]) == ([], 2)
    # Now another value stands, and that is like any other.
    later = await bench.load(manager, "observations", FILE.replace("41", "44"))
    assert (said(later), await values(manager)) == ([], {URN: (44, None), OTHER: (52, None)})


async def test_a_reason_may_take_the_place_of_an_erased_value_but_no_number_of_pupils(
    bench: Workbench, manager: httpx.AsyncClient
) -> None:
    header = "urn,measure,academic_year,reason,cohort"
    counted = await bench.load(manager, "observations", csv([(URN, MEASURE, "2023/24", "suppressed", 3)], header))
    assert len(said(counted)) == 1
    assert (await values(manager))[URN] == (None, "erased")
    await bench.load(manager, "observations", csv([(URN, MEASURE, "2023/24", "suppressed", "")], header))
    assert (await values(manager))[URN] == (None, "suppressed")


async def test_figures_by_request_are_held_to_the_same(bench: Workbench, manager: httpx.AsyncClient) -> None:
    body = {"observations": [{"urn": URN, "measure": MEASURE, "academic_year": "2023/24", "value": 41}]}
    left_out = (await manager.post("/academy/v1/observations", json=body)).json()
    assert len(said(left_out)) == 1
    assert left_out["observations"][0]["outcome"] == "left_out"
    kept = await manager.post("/academy/v1/observations", json={**body, "confirm": ["value-was-erased"]})
    assert (said(kept.json()), kept.json()["observations"][0]["outcome"]) == ([], "changed")
    assert (await values(manager))[URN] == (41, None)


@pytest.mark.parametrize("release", ["this one", "the one before"])
async def test_what_was_confirmed_outlives_the_job(bench: Workbench, manager: httpx.AsyncClient, release: str) -> None:
    sent = (await bench.send(manager, "observations", FILE, confirm="value-was-erased")).json()
    assert sent["confirmed"] == ["value-was-erased"]
    await bench.execute("set search_path = academy; delete from procrastinate_jobs where status = 'todo'")
    if release == "this one":
        await find_lost(job_run(bench), PROSPERE)
    else:
        await bench.execute("update academy.import set confirmed = '{}'")
        async with bench.database.of("academy").session(Context(PROSPERE, None, "test")) as session:
            about = {"trust_id": PROSPERE, "import_id": sent["id"], "confirmed": "value-was-erased"}
            await defer(session, "academy.imports.run", **about)
    await bench.work()
    ended = (await manager.get(f"/academy/v1/imports/{sent['id']}")).json()
    assert (ended["state"], ended["confirmed"], said(ended)) == ("succeeded", ["value-was-erased"], [])
    assert (await values(manager))[URN] == (41, None)


async def test_a_request_gets_an_outcome_for_each_figure_even_where_nothing_stands(manager: httpx.AsyncClient) -> None:
    keys = [{"urn": urn, "measure": MEASURE, "academic_year": "2023/24", "value": 55} for urn in (URN, OTHER)]
    body = {"release": "provisional", "observations": keys}
    sent = (await manager.post("/academy/v1/observations", json=body)).json()["observations"]
    assert [(one["urn"], one["outcome"]) for one in sent] == [(URN, "left_out"), (OTHER, "new")]
    assert sent[0]["observation_id"] is None and sent[1]["observation_id"] is not None


async def test_each_value_that_is_left_out_is_named_with_its_period_and_pupils(bench: Workbench) -> None:
    client = await bench.client()
    header = "urn,measure,academic_year,period,pupil_group,value"
    measure = "attendance.overall_percent"
    keys = [("spring", "all"), ("summer", "all"), ("spring", "boys")]
    rows = [(URN, measure, "2023/24", period, group, 91 + n) for n, (period, group) in enumerate(keys)]
    await bench.load(client, "observations", csv(rows, header))
    for _ in keys:
        await erase(client)
    again = await bench.load(
        client, "observations", csv([*rows, (OTHER, measure, "2023/24", "year", "all", 90)], header)
    )
    warnings = said(again)
    assert len(warnings) == len(keys)
    for period, group in keys:
        assert sum(f"period {period}, pupil group {group}" in warning for warning in warnings) == 1


async def erase(client: httpx.AsyncClient) -> None:
    """Erase the first figure that has a value."""
    found = await client.get("/academy/v1/observations", params={"urn": URN, "layer": "trust"})
    figure = next(one for one in found.json()["items"] if one["value"] is not None)
    body = {"observation_id": figure["id"], "reason": "Three pupils can be recognised by it."}
    assert (await client.post("/academy/v1/observation-erasures", json=body)).status_code == 201


async def withdraw(bench: Workbench, client: httpx.AsyncClient, import_id: str) -> None:
    path = f"/academy/v1/imports/{import_id}"
    tag = {"If-Match": (await client.get(path)).headers["ETag"]}
    assert (await client.post(f"{path}/withdraw", json={"reason": "Sent twice."}, headers=tag)).status_code == 202
    await bench.work()


async def push(client: httpx.AsyncClient, value: float, *confirm: str) -> dict[str, Any]:
    figure = {"urn": URN, "measure": MEASURE, "academic_year": "2023/24", "value": value}
    sent = await client.post("/academy/v1/observations", json={"observations": [figure], "confirm": confirm})
    assert sent.status_code == 201, sent.text
    body: dict[str, Any] = sent.json()
    return body


async def test_a_withdrawal_lets_no_erased_value_back_without_confirmation(bench: Workbench) -> None:
    client = await bench.client()
    first = await push(client, 70.1)
    await erase(client)
    await withdraw(bench, client, first["import_id"])
    assert await values(client) == {}
    again = await push(client, 70.1)
    assert (len(said(again)), again["observations"][0]["outcome"]) == (1, "left_out")
    assert await values(client) == {}
    confirmed = await push(client, 70.1, "value-was-erased")
    assert confirmed["observations"][0]["outcome"] == "new"
    assert said(await push(client, 70.2)) == []
    # A confirmation that was taken back is none; what was stored after it stays chosen.
    await withdraw(bench, client, confirmed["import_id"])
    assert said(await push(client, 70.3)) == []


async def test_what_a_withdrawal_records_again_confirms_nothing(bench: Workbench) -> None:
    client = await bench.client()
    await push(client, 70.1)
    second = await push(client, 71.2)
    await erase(client)
    await withdraw(bench, client, second["import_id"])
    assert (await values(client))[URN] == (70.1, None)
    again = await push(client, 71.2)
    assert (len(said(again)), again["observations"][0]["outcome"]) == (1, "left_out")
    # What stands already brings nothing back.
    same = await push(client, 70.1)
    assert (said(same), same["observations"][0]["outcome"]) == ([], "unchanged")
    assert (await values(client))[URN] == (70.1, None)
    taken_back = await push(client, 71.2, "value-was-erased")
    await withdraw(bench, client, taken_back["import_id"])
    # Also who sends this academy's figures alone, and doesn't see an import of the whole trust.
    for sender in (client, await bench.client("mis-client", academies=[URN])):
        assert len(said(await push(sender, 71.2))) == 1


async def test_a_reason_in_place_of_an_erased_value_confirms_no_value(manager: httpx.AsyncClient) -> None:
    figure = {"urn": URN, "measure": MEASURE, "academic_year": "2023/24", "reason": "suppressed"}
    assert (await manager.post("/academy/v1/observations", json={"observations": [figure]})).status_code == 201
    assert (await values(manager))[URN] == (None, "suppressed")
    assert len(said(await push(manager, 41))) == 1
