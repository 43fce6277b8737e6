"""Imports over HTTP: who may send what, following, cancelling, sending twice."""

import gzip
import hashlib
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from academy.imports.formats.kinds import KINDS
from academy.imports.rules import RUN_SMALL_TASK, RUN_TASK, SMALL_BYTES
from academy.imports.schemas import ImportKind
from academy.observations.rules import Layer
from tests.academy.imports.conftest import IMPORTS, Workbench, csv
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.tokens import OTHER_TRUST

GOOD = csv([(136105, "ks4.attainment_8", "2024/25", 47.5)])


def test_the_kinds_of_the_contract_are_those_that_can_be_read() -> None:
    assert {kind.value for kind in ImportKind} == set(KINDS)


async def test_an_accepted_file_is_durable_and_can_be_followed(bench: Workbench) -> None:
    manager = await bench.client(subject="client:mis")
    response = await bench.send(manager, "observations", GOOD * 3)
    assert response.status_code == 202
    body = response.json()
    assert (body["state"], body["progress_percent"], body["created_by"]) == ("queued", 0, "client:mis")
    assert body["sha256"] == hashlib.sha256((GOOD * 3).encode()).hexdigest()
    assert body["size_bytes"] == len(GOOD) * 3
    assert response.headers["Location"] == f"{IMPORTS}/{body['id']}"
    chunks = await bench.rows("select content from academy.import_chunk order by number")
    assert b"".join(chunk["content"] for chunk in chunks) == (GOOD * 3).encode()
    followed = await manager.get(response.headers["Location"])
    assert followed.json() == body
    assert followed.headers["ETag"] == response.headers["ETag"]
    unchanged = await manager.get(response.headers["Location"], headers={"If-None-Match": followed.headers["ETag"]})
    assert unchanged.status_code == 304


async def test_a_large_file_is_kept_in_chunks(bench: Workbench) -> None:
    content = (GOOD * 60_000).encode()
    assert (await bench.send(await bench.client(), "observations", content)).status_code == 202
    chunks = await bench.rows("select number, length(content) as size from academy.import_chunk order by number")
    assert [chunk["number"] for chunk in chunks] == list(range(len(chunks)))
    assert {chunk["size"] for chunk in chunks[:-1]} == {1 << 20}
    assert sum(chunk["size"] for chunk in chunks) == len(content)


async def test_a_small_file_has_a_queue_of_its_own_and_what_it_unpacks_to_counts(bench: Workbench) -> None:
    manager = await bench.client()
    packed = gzip.compress(b" " * (SMALL_BYTES + 1))
    for content, headers in ((GOOD.encode(), {}), (packed, {"Content-Encoding": "gzip"})):
        assert (await bench.send(manager, "observations", content, headers=headers)).status_code == 202
    queued = await bench.rows("select task_name, lock from academy.procrastinate_jobs order by id")
    assert [job["task_name"] for job in queued] == [RUN_SMALL_TASK, RUN_TASK]
    # A trust's files are still taken in the order in which they were sent.
    assert len({job["lock"] for job in queued}) == 1


async def test_the_kind_decides_who_may_send_it(bench: Workbench) -> None:
    for role in ("platform-operator", "data-manager", "mis-client"):
        client = await bench.client(role)
        for kind in ImportKind:
            may = (KINDS[kind].layer is Layer.NATIONAL) == (role == "platform-operator")
            media_type = KINDS[kind].media_types[0]
            content = "[]" if media_type == "application/json" else "x"
            response = await bench.send(client, kind, content, media_type=media_type, academic_year="2018/19")
            assert response.status_code == (202 if may else 403), (role, kind)
            if not may:
                assert response.json()["code"] == "import-kind-not-allowed"


async def test_other_roles_may_send_nothing(client: Clients) -> None:
    for role in ("chief-executive", "trustee", "headteacher", "status-reader", "trust-admin", "auditor"):
        sender = await client("academy", role, academies=[136105] if role == "headteacher" else None)
        response = await sender.post(
            IMPORTS, params={"kind": "observations"}, content=GOOD, headers={"Content-Type": "text/csv"}
        )
        assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")


async def test_imports_need_a_token(client: Clients) -> None:
    nobody = await client("academy")
    some = uuid4()
    for method, path in (
        ("POST", IMPORTS),
        ("GET", IMPORTS),
        ("GET", f"{IMPORTS}/{some}"),
        ("GET", f"{IMPORTS}/kinds"),
        ("GET", f"{IMPORTS}/kinds/observations/template"),
        ("POST", f"{IMPORTS}/{some}/cancel"),
    ):
        assert (await nobody.request(method, path)).status_code == 401
    stranger = await client("academy", "status-reader")
    for path in (IMPORTS, f"{IMPORTS}/{some}", f"{IMPORTS}/kinds", f"{IMPORTS}/kinds/observations/template"):
        assert (await stranger.get(path)).status_code == 403


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"kind": "dfe-ks5"},
        {"kind": "observations", "academic_year": "2018/20"},
        {"kind": "observations", "release": "draft"},
        {"kind": "observations", "dry_run": "perhaps"},
        {"kind": "observations", "year": "2018/19"},
    ],
)
async def test_mistyped_parameters_are_refused(client: Clients, params: dict[str, str]) -> None:
    manager = await client("academy", "data-manager")
    response = await manager.post(IMPORTS, params=params, content=GOOD, headers={"Content-Type": "text/csv"})
    assert response.status_code == 422
    assert response.json()["errors"]
    assert (await manager.get(IMPORTS)).json()["items"] == []


async def test_a_kind_without_its_year_asks_for_it(bench: Workbench) -> None:
    operator = await bench.client("platform-operator")
    response = await bench.send(operator, "dfe-ks4", "URN\n1\n")
    assert (response.status_code, response.json()["code"]) == (422, "academic-year-missing")
    assert response.json()["errors"][0]["parameter"] == "academic_year"
    assert (await bench.send(operator, "dfe-ks4", "URN\n1\n", academic_year="201819")).status_code == 202


async def test_a_year_that_has_not_begun_is_refused(bench: Workbench, clock: Clock) -> None:
    manager, operator = await bench.client(), await bench.client("platform-operator")
    for client, kind in ((manager, "observations"), (operator, "dfe-ks4")):
        response = await bench.send(client, kind, GOOD, academic_year="2026/27")
        assert (response.status_code, response.json()["code"]) == (422, "academic-year-ahead")
        assert response.json()["errors"][0]["parameter"] == "academic_year"
        assert (await bench.send(client, kind, GOOD, academic_year="2025/26")).status_code == 202
    # Midnight in England, an hour before it is midnight in UTC.
    clock.set(datetime(2026, 8, 31, 22, 59, 59, tzinfo=UTC))
    manager = await bench.client()
    assert (await bench.send(manager, "observations", GOOD, academic_year="2026/27")).status_code == 422
    clock.advance(seconds=1)
    begun = await bench.send(manager, "observations", GOOD, academic_year="2026/27", confirm="same-file-other-year")
    assert begun.status_code == 202


@pytest.mark.usefixtures("clock")
async def test_rows_of_a_year_that_has_not_begun_are_refused(bench: Workbench) -> None:
    rows = [(136105, "ks4.attainment_8", year, 47.5) for year in ("2025/26", "2026/27")]
    ended = await bench.load(await bench.client(), "observations", csv(rows))
    assert [(one["row"], one["code"]) for one in ended["errors"]] == [(3, "academic_year_ahead")]


async def test_the_same_key_and_file_make_one_import(bench: Workbench) -> None:
    manager = await bench.client()
    headers = {"Idempotency-Key": "term-1"}
    first = await bench.send(manager, "observations", GOOD, headers=headers)
    again = await bench.send(manager, "observations", GOOD, headers=headers)
    assert (again.status_code, again.json(), again.headers["Location"]) == (
        202,
        first.json(),
        first.headers["Location"],
    )
    assert await bench.value("select count(*) from academy.import") == 1
    for other in (
        await bench.send(manager, "observations", GOOD + GOOD, headers=headers),
        await bench.send(manager, "observations", GOOD, headers=headers, dry_run=True),
    ):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    theirs = await bench.client(trust=OTHER_TRUST)
    assert (await bench.send(theirs, "observations", GOOD, headers=headers)).json()["id"] != first.json()["id"]


async def test_imports_are_listed_newest_first(bench: Workbench) -> None:
    manager = await bench.client()
    sent = [(await bench.send(manager, "observations", GOOD)).json()["id"] for _ in range(3)]
    await bench.work()
    sent.append((await bench.send(manager, "observations", GOOD)).json()["id"])
    listed = (await manager.get(IMPORTS)).json()
    assert [one["id"] for one in listed["items"]] == sent[::-1]
    queued = (await manager.get(IMPORTS, params={"state": "queued"})).json()
    assert [one["id"] for one in queued["items"]] == sent[3:]
    assert (await manager.get(IMPORTS, params={"kind": "dfe-ks4"})).json() == {"items": [], "next": None, "total": None}
    seen: list[str] = []
    params = {"limit": "3"}
    while True:
        page = (await manager.get(IMPORTS, params=params)).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert seen == sent[::-1]
    assert (await manager.get(IMPORTS, params={"cursor": "x"})).status_code == 400


async def test_an_import_of_another_trust_is_not_found(bench: Workbench) -> None:
    theirs = await bench.client(trust=OTHER_TRUST)
    location = (await bench.send(theirs, "observations", GOOD)).headers["Location"]
    for asker in (await bench.client(), await bench.client("platform-operator")):
        response = await asker.get(location)
        assert (response.status_code, response.json()["code"]) == (404, "import-not-found")
        assert (await asker.get(IMPORTS)).json()["items"] == []
        cancelled = await asker.post(f"{location}/cancel", headers={"If-Match": "*"})
        assert cancelled.status_code == 404
    assert (await theirs.get(location)).status_code == 200


async def test_a_queued_import_is_cancelled(bench: Workbench) -> None:
    manager = await bench.client()
    accepted = await bench.send(manager, "observations", GOOD)
    path = f"{accepted.headers['Location']}/cancel"
    assert (await manager.post(path)).status_code == 428
    assert (await manager.post(path, headers={"If-Match": '"99-0"'})).status_code == 412
    cancelled = await manager.post(path, headers={"If-Match": accepted.headers["ETag"]})
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert datetime.fromisoformat(cancelled.json()["finished_at"]).tzinfo is not None
    await bench.work()
    assert (await manager.get(accepted.headers["Location"])).json()["state"] == "cancelled"
    assert await bench.value("select count(*) from academy.observation") == 0
    again = await manager.post(path, headers={"If-Match": cancelled.headers["ETag"]})
    assert (again.status_code, again.json()["code"]) == (409, "import-already-finished")
    assert [kind for kind, _ in await bench.events()] == ["import.finished"]


async def test_progress_alone_does_not_make_a_tag_stale(bench: Workbench) -> None:
    manager = await bench.client()
    accepted = await bench.send(manager, "observations", GOOD)
    await bench.execute("update academy.import set progress_percent = 40")
    moved = await manager.get(accepted.headers["Location"])
    assert moved.headers["ETag"] != accepted.headers["ETag"]
    cancelled = await manager.post(
        f"{accepted.headers['Location']}/cancel", headers={"If-Match": accepted.headers["ETag"]}
    )
    assert cancelled.status_code == 200


async def test_whoever_may_not_load_a_kind_may_not_cancel_it(bench: Workbench) -> None:
    manager = await bench.client()
    accepted = await bench.send(manager, "observations", GOOD)
    writer = await bench.client("data-manager", scopes=["imports:write"])
    refused = await writer.post(f"{accepted.headers['Location']}/cancel", headers={"If-Match": "*"})
    assert (refused.status_code, refused.json()["code"]) == (403, "import-kind-not-allowed")


async def test_kinds_and_their_layouts_are_told(client: Clients) -> None:
    reader = await client("academy", "data-manager")
    kinds = (await reader.get(f"{IMPORTS}/kinds")).json()["items"]
    assert [one["kind"] for one in kinds] == list(KINDS)
    listed = await reader.get(f"{IMPORTS}/kinds")
    unchanged = await reader.get(f"{IMPORTS}/kinds", headers={"If-None-Match": listed.headers["ETag"]})
    assert unchanged.status_code == 304
    own = next(one for one in kinds if one["kind"] == "observations")
    assert (own["layer"], own["scope"], own["needs_academic_year"]) == ("trust", "observations:write", False)
    for kind in KINDS:
        response = await reader.get(f"{IMPORTS}/kinds/{kind}/template")
        assert response.status_code == 200
        assert response.json()["columns"]
    assert (await reader.get(f"{IMPORTS}/kinds/dfe-ks5/template")).json()["code"] == "import-kind-not-found"


async def test_the_example_of_our_own_layout_can_be_imported(bench: Workbench) -> None:
    manager = await bench.client()
    template = (await manager.get(f"{IMPORTS}/kinds/observations/template")).json()
    ended = await bench.load(manager, "observations", template["example"])
    assert (ended["state"], ended["errors"]) == ("succeeded", [])


async def test_the_file_is_forgotten_a_week_after_the_end(bench: Workbench) -> None:
    manager = await bench.client()
    ended = await bench.load(manager, "observations", GOOD)
    assert await bench.value("select count(*) from academy.import_chunk") == 1
    (due,) = await bench.rows(
        "select scheduled_at from academy.procrastinate_jobs where task_name = 'academy.imports.forget'"
    )
    assert (due["scheduled_at"] - datetime.fromisoformat(ended["finished_at"])).days == 7
    await bench.execute(
        "set search_path = academy; update procrastinate_jobs set scheduled_at = now() where status = 'todo'"
    )
    await bench.work()
    assert await bench.value("select count(*) from academy.import_chunk") == 0
    assert (await manager.get(f"{IMPORTS}/{ended['id']}")).json()["state"] == "succeeded"
