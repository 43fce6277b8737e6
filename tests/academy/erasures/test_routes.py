"""A figure that is erased is nowhere any more, and a tombstone says so."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from academy.imports.applying import turns
from academy.ratings.service import rerate
from kit.database.sessions import Context
from tests.academy.imports.conftest import IMPORTS, Workbench, bench, csv
from tests.academy.rated import ATTAINMENT, criteria_set, publish
from tests.support.databases import Clone
from tests.support.jobs import until
from tests.support.tokens import OTHER_TRUST, PROSPERE

__all__ = ["bench"]

PATH = "/academy/v1/observation-erasures"
URN = 136105
VALUE = 41.7391
"""Not to be found by chance in an instant or an id."""
WHY = "Three pupils can be recognised by it."
OWN = {**ATTAINMENT, "layer": "trust", "comparison": "fixed", "bounds": {"green": 50, "amber": 40}}
GROWTH = {**OWN, "code": "growth", "comparison": "previous", "bounds": {"green": 0, "amber": -5}}
LINKS = (
    "URN,Group UID,Group ID,Group Name,Group Type (code),Group Type,Group Status,Joined date,EstablishmentName,"
    "TypeOfEstablishment (code),PhaseOfEducation (name)\n"
    f"{URN},16846,TR03794,Prospere Learning Trust,6,Multi-academy trust,Open,2012-01-01,An academy,28,Secondary\n"
)


def file(year: str, value: float) -> str:
    return csv([(URN, "ks4.attainment_8", year, value)])


async def everywhere(database: Clone, word: str) -> set[str]:
    """The tables of the service in which a row has this word: in its text, or in the bytes of a stored file."""
    found = set()
    async with database.admin() as admin:
        tables = await admin.fetch(
            "select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = 'academy' and c.relkind = 'r'"
        )
        for name in (table["name"] for table in tables):
            if await admin.fetchval(f"select exists (select from {name} t where strpos(t::text, $1) > 0)", word):
                found.add(name)
        files = "select exists (select from academy.import_chunk where position($1::bytea in content) > 0)"
        return found | ({"academy.import_chunk"} if await admin.fetchval(files, word.encode()) else set())


async def shown(client: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    about = {"urn": URN, "layer": "trust", **params}
    response = await client.get("/academy/v1/observations", params=about)
    items: list[dict[str, Any]] = response.json()["items"]
    return items


@pytest.fixture
async def rated(bench: Workbench) -> datetime:
    """Loaded, rated as such and as the year before, taken over by a later year; an instant at which it was shown."""
    await bench.load(await bench.client("platform-operator"), "gias-group-links", LINKS)
    await publish(await bench.client("chief-executive"), criteria_set(criteria=[OWN, GROWTH]))
    manager = await bench.client()
    await bench.load(manager, "observations", file("2022/23", 41))
    await bench.load(manager, "observations", file("2023/24", VALUE))
    at = datetime.now(UTC)
    await bench.load(manager, "observations", file("2024/25", 52))
    return at


async def test_a_rating_that_is_being_made_keeps_nothing_of_the_value(bench: Workbench, rated: datetime) -> None:
    manager = await bench.client()
    (figure,) = await shown(manager, academic_year="2023/24")
    # What is rated now rests on it again.
    await publish(await bench.client("chief-executive"), criteria_set(criteria=[{**OWN, "code": "again"}, GROWTH]))
    async with bench.database.of("academy").session(Context(PROSPERE, None, "test")) as session:
        await rerate(session, PROSPERE)
        sending = asyncio.create_task(manager.post(PATH, json={"observation_id": figure["id"], "reason": WHY}))
        await until(lambda: bench.value("select exists (select from pg_locks where not granted)"), 10)
    assert (await sending).status_code == 201
    await bench.work()
    assert await everywhere(bench.database, str(VALUE)) == set()


async def test_the_value_is_gone_from_every_table_and_a_tombstone_stays(bench: Workbench, rated: datetime) -> None:
    manager = await bench.client(subject="person:0193e2f1")
    before = await everywhere(bench.database, str(VALUE))
    assert {"academy.observation", "academy.rating", "academy.event", "academy.import_chunk"} <= before
    (figure,) = await shown(manager, academic_year="2023/24")
    reader = await bench.client("chief-executive")
    synced = (await reader.get("/academy/v1/observations", params={"layer": "trust"})).json()["synced_to"]
    answer = await manager.post(PATH, json={"observation_id": figure["id"], "reason": WHY})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert {name: body[name] for name in ("reason", "erased_by", "erased_as", "urn", "academic_year")} == {
        "reason": WHY,
        "erased_by": "person:0193e2f1",
        "erased_as": "data-manager",
        "urn": URN,
        "academic_year": "2023/24",
    }
    # The rating of its own year, and that of the next, which compared itself with it.
    assert (body["figures"], body["ratings"], body["events"], body["files"]) == (1, 2, 2, 3)
    await bench.work()
    assert await everywhere(bench.database, str(VALUE)) == set()
    assert (await reader.get(answer.headers["Location"])).json() == body
    assert (await reader.get(PATH)).json()["items"] == [body]
    # As it is now, as it was, in its history, and for those who keep a copy.
    for params in ({}, {"as_of": rated.isoformat()}, {"updated_since": synced}):
        (one,) = await shown(reader, academic_year="2023/24", **params)
        assert (one["value"], one["reason"], one["is_removed"]) == (None, "erased", False), params
    history = {"history": True, "academic_year": "2023/24"}
    kept = await shown(reader, **history)
    assert [(one["value"], one["reason"]) for one in kept] == [(None, "erased")] * 2
    assert await shown(reader, updated_since=synced, **history) == kept
    # Ratings say that it was erased; the colours that were shown stay.
    ratings = (await reader.get(f"/academy/v1/academies/{URN}/ratings")).json()["items"]
    reasons = [[criterion["reason"] for criterion in rating["criteria"]] for rating in ratings]
    assert "erased" in reasons[1] and "erased" in reasons[2]
    told = [one for one in ratings[2]["criteria"] if one["reason"] == "erased"]
    assert {(one["value"], one["sentence"]) for one in told} == {(None, "The figure was erased by the trust.")}
    assert ratings[2]["status"] in ("red", "amber", "green")
    kinds = [kind for kind, _ in await bench.events()]
    assert kinds.count("observation.erased") == 1 and kinds[-1] == "rating.computed"
    (event,) = await bench.rows(
        "select data::text as data from academy.event where type = 'org.trellis.academy.observation.erased.v1'"
    )
    assert WHY not in event["data"] and figure["id"] in event["data"]


async def test_versions_that_had_another_value_keep_it(bench: Workbench) -> None:
    manager = await bench.client()
    for value in (5, 7, 5, 9):
        await bench.load(manager, "observations", file("2023/24", value))
    old = await shown(manager, history=True)
    body = (await manager.post(PATH, json={"observation_id": old[0]["id"], "reason": WHY})).json()
    assert body["figures"] == 2
    values = [one["value"] for one in await shown(manager, history=True)]
    assert values == [None, 7, None, 9]
    assert [one["value"] for one in await shown(manager)] == [9]


async def test_an_import_that_is_taken_back_brings_no_erased_value_back(bench: Workbench) -> None:
    manager = await bench.client()
    await bench.load(manager, "observations", file("2023/24", VALUE))
    later = await bench.load(manager, "observations", file("2023/24", 40))
    (first, _) = await shown(manager, history=True)
    assert (await manager.post(PATH, json={"observation_id": first["id"], "reason": WHY})).status_code == 201
    path = f"{IMPORTS}/{later['id']}"
    tag = (await manager.get(path)).headers["ETag"]
    await manager.post(f"{path}/withdraw", json={"reason": "Wrong."}, headers={"If-Match": tag})
    await bench.work()
    assert [(one["value"], one["reason"]) for one in await shown(manager)] == [(None, "erased")]


async def test_an_erasure_waits_for_files_that_were_sent_before(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.1)
    manager = await bench.client()
    await bench.load(manager, "observations", file("2023/24", VALUE))
    (first,) = await shown(manager)
    await bench.send(manager, "observations", file("2023/24", VALUE + 1))
    refused = await manager.post(PATH, json={"observation_id": first["id"], "reason": WHY})
    assert (refused.status_code, refused.json()["code"]) == (503, "import-in-progress")
    await bench.work()
    (later,) = await shown(manager)
    assert (await manager.post(PATH, json={"observation_id": later["id"], "reason": WHY})).status_code == 201
    assert [(one["value"], one["reason"]) for one in await shown(manager)] == [(None, "erased")]


async def test_only_a_data_manager_of_the_whole_trust_erases_its_own_figures(bench: Workbench) -> None:
    manager = await bench.client()
    await bench.load(manager, "observations", file("2023/24", VALUE))
    (figure,) = await shown(manager)
    body = {"observation_id": figure["id"], "reason": WHY}
    for client, code in (
        (await bench.client("mis-client"), "role-may-not"),
        (await bench.client("chief-executive"), "insufficient-scope"),
        (await bench.client(academies=[URN]), "whole-trust-only"),
        (await bench.client(trust=OTHER_TRUST), "observation-not-found"),
    ):
        refused = await client.post(PATH, json=body)
        assert refused.json()["code"] == code, refused.text
    assert [one["value"] for one in await shown(manager)] == [VALUE]
    for reason in ("", "  "):
        assert (await manager.post(PATH, json={**body, "reason": reason})).status_code == 422
    made = await manager.post(PATH, json=body)
    (now,) = await shown(manager)
    for one in (figure["id"], now["id"]):
        again = await manager.post(PATH, json={"observation_id": one, "reason": WHY})
        assert (again.status_code, again.json()["code"]) == (409, "nothing-to-erase")
    # Another trust, and a grant for other academies, see nothing of it.
    for client in (await bench.client(trust=OTHER_TRUST), await bench.client("headteacher", academies=[100000])):
        assert (await client.get(PATH)).json()["items"] == []
        assert (await client.get(made.headers["Location"])).status_code == 404
    assert (await manager.get(PATH, params={"urn": URN})).json()["items"] == [made.json()]
    assert (await manager.get(PATH, params={"urn": 100000})).json()["items"] == []


@pytest.mark.usefixtures("rated")
@pytest.mark.parametrize(
    "change",
    [
        "update academy.rating set criteria = '[]'",
        "update academy.rating set criteria = jsonb_set(criteria, '{0,value}', '99')",
        "update academy.rating set criteria = jsonb_set(criteria, '{0,status}', '\"green\"')",
        "update academy.rating set criteria = jsonb_set(criteria, '{0,reason}', '\"erased\"')",
        "update academy.rating set criteria = criteria || '[{}]'",
        "update academy.event set data = jsonb_set(data, '{criteria,0,value}', '99') where data ? 'criteria'",
        "update academy.event set data = jsonb_set(data, '{criteria,0,reason}', '\"erased\"') where data ? 'criteria'",
        "update academy.event set data = jsonb_set(data, '{after,status}', '\"red\"') where data ? 'criteria'",
        "update academy.event set data = '{}'",
    ],
)
async def test_histories_lose_values_of_erased_figures_and_change_in_no_other_way(
    bench: Workbench, change: str
) -> None:
    with pytest.raises(asyncpg.RestrictViolationError):
        async with bench.database.of("academy").connection(Context(PROSPERE, None, "test")) as connection:
            await connection.execute(change)
