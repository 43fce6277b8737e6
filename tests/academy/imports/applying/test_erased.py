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
    assert left_out["observations"][0]["outcome"] == "unchanged"
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
