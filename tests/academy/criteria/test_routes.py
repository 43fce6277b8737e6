"""Criteria sets over HTTP."""

from uuid import uuid4

from sqlalchemy import text

from tests.academy.rated import ATTAINMENT, SETS, add_england, add_rated_trust, criteria_set, publish, rerate
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST


async def test_a_draft_is_kept_and_read_as_it_was_sent(client: Clients) -> None:
    author = await client("academy", "data-manager")
    made = await author.post(SETS, json=criteria_set())
    assert made.status_code == 201, made.text
    told = made.json()
    assert made.headers["Location"] == f"{SETS}/{told['id']}"
    assert (told["state"], told["version"], told["published_at"]) == ("draft", 1, None)
    assert told["criteria"][0]["bounds"] == {"green": 0, "amber": -5}
    assert [step["code"] for step in told["scale"]] == ["green", "amber", "red"]
    read = await author.get(made.headers["Location"])
    assert read.json() == told
    assert read.headers["ETag"] == made.headers["ETag"]
    assert (
        await author.get(made.headers["Location"], headers={"If-None-Match": read.headers["ETag"]})
    ).status_code == 304


async def test_who_may_do_what(client: Clients) -> None:
    nobody = await client("academy")
    assert (await nobody.get(SETS)).status_code == 401
    reader = await client("academy", "headteacher", academies=[135001])
    assert (await reader.get(SETS)).status_code == 200
    assert (await reader.post(SETS, json=criteria_set())).status_code == 403
    drafter = await client("academy", "data-manager")
    made = await drafter.post(SETS, json=criteria_set())
    answer = await drafter.post(made.headers["Location"] + "/publish", headers={"If-Match": made.headers["ETag"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")


async def test_flaws_are_told_all_at_once(client: Clients) -> None:
    author = await client("academy", "data-manager")
    body = criteria_set(criteria=[{**ATTAINMENT, "measure": "ks4.nothing", "bounds": {"green": 1, "amber": 2}}])
    answer = await author.post(SETS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "criteria-set-not-sound")
    assert {error["pointer"] for error in answer.json()["errors"]} == {"#/criteria/0/measure", "#/criteria/0/bounds"}
    body = criteria_set(criteria=[{**ATTAINMENT, "pupil_group": "aliens", "needs_significance": True}])
    answer = await author.post(SETS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "criteria-set-not-sound")
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "#/criteria/0/pupil_group",
        "#/criteria/0/needs_significance",
    }


async def test_other_comparisons_are_not_supported_yet(client: Clients) -> None:
    author = await client("academy", "data-manager")
    answer = await author.post(SETS, json=criteria_set(criteria=[{**ATTAINMENT, "comparison": "similar_schools"}]))
    assert (answer.status_code, answer.json()["code"]) == (422, "comparison-not-supported")
    assert answer.json()["errors"][0]["pointer"] == "#/criteria/0/comparison"


async def test_a_draft_is_changed_by_who_has_read_it(client: Clients) -> None:
    author = await client("academy", "data-manager")
    made = await author.post(SETS, json=criteria_set())
    where = made.headers["Location"]
    assert (await author.patch(where, json={"title": "New"})).status_code == 428
    changed = await author.patch(where, json={"title": "New"}, headers={"If-Match": made.headers["ETag"]})
    assert (changed.status_code, changed.json()["title"]) == (200, "New")
    assert changed.json()["criteria"] == made.json()["criteria"]
    stale = await author.patch(where, json={"title": "Newer"}, headers={"If-Match": made.headers["ETag"]})
    assert stale.status_code == 412
    tag = changed.headers["ETag"]
    again = await author.patch(
        where,
        json={"overall": {"least_assessed_percent": 80}, "criteria": [ATTAINMENT | {"code": "other"}], "scale": None},
        headers={"If-Match": tag},
    )
    assert again.status_code == 200, again.text
    assert again.json()["overall"] == made.json()["overall"] | {"least_assessed_percent": 80}
    assert again.json()["criteria"] == [made.json()["criteria"][0] | {"code": "other"}]
    tag = again.headers["ETag"]
    assert (await author.patch(where, json={"title": None}, headers={"If-Match": tag})).status_code == 422
    flawed = await author.patch(where, json={"criteria": []}, headers={"If-Match": tag})
    assert (flawed.status_code, flawed.json()["code"]) == (422, "criteria-set-not-sound")
    deleted = await author.delete(where, headers={"If-Match": tag})
    assert (deleted.status_code, deleted.headers.get("Content-Type")) == (204, None)
    assert (await author.get(where)).status_code == 404


async def test_publishing_retires_the_last_and_nothing_published_changes(client: Clients, database: Sandbox) -> None:
    author = await client("academy", "chief-executive")
    first = await publish(author)
    second = await publish(author)
    assert (second["version"], second["state"]) == (2, "published")
    retired = await author.get(f"{SETS}/{first['id']}")
    assert retired.json()["state"] == "retired"
    tag = {"If-Match": retired.headers["ETag"]}
    for answer in (
        await author.patch(f"{SETS}/{first['id']}", json={"title": "Other"}, headers=tag),
        await author.delete(f"{SETS}/{first['id']}", headers=tag),
        await author.post(f"{SETS}/{first['id']}/publish", headers=tag),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "criteria-already-published")
    published = await author.get(SETS, params={"state": "published", "phase": ["secondary", "special"]})
    assert [one["id"] for one in published.json()["items"]] == [second["id"]]
    async with database.admin() as session:
        rows = await session.execute(text("select type from academy.event order by seq"))
        words = [kind.split(".")[-2] for kind in rows.scalars()]
        jobs = await session.execute(text("select task_name from academy.procrastinate_jobs"))
        assert list(jobs.scalars()) == ["academy.ratings.rerate"] * 2
    assert words == ["created", "published", "created", "retired", "published"]


async def test_a_set_says_what_you_may_do_with_it_and_keeps_how_it_moved(client: Clients, database: Sandbox) -> None:
    chief, manager = await client("academy", "chief-executive"), await client("academy", "data-manager")
    draft = await manager.post(SETS, json=criteria_set())
    change_it = {"verb": "change", "title": "Change", "needs_reason": False}
    assert draft.json()["actions"] == [change_it]
    where = draft.headers["Location"]
    publish_it = {"verb": "publish", "title": "Publish", "needs_reason": False}
    assert (await chief.get(where)).json()["actions"] == [change_it, publish_it]
    published = await chief.post(f"{where}/publish", headers={"If-Match": draft.headers["ETag"]})
    assert published.json()["actions"] == []
    again = await chief.post(f"{where}/publish", headers={"If-Match": published.headers["ETag"]})
    assert (again.json()["state"], again.json()["allowed"]) == ("published", [])
    await publish(chief)
    async with database.admin() as session:
        rows = await session.execute(
            text("select verb, before, after, as_role from academy.state_change where thing_id = :id order by id"),
            {"id": draft.json()["id"]},
        )
        assert [tuple(row) for row in rows] == [
            ("publish", "draft", "published", "chief-executive"),
            ("retire", "published", "retired", "chief-executive"),
        ]


async def test_a_draft_is_published_by_roles_that_may(client: Clients) -> None:
    author = await client("academy", "data-manager")
    made = await author.post(SETS, json=criteria_set())
    other = await client("academy", "data-manager", scopes=["criteria:publish"])
    answer = await other.post(made.headers["Location"] + "/publish", headers={"If-Match": made.headers["ETag"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")


async def test_a_set_of_another_trust_is_not_found(client: Clients) -> None:
    made = await (await client("academy", "data-manager", trust=OTHER_TRUST)).post(SETS, json=criteria_set())
    ours = await client("academy", "chief-executive")
    tag = {"If-Match": made.headers["ETag"]}
    where = made.headers["Location"]
    for answer in (
        await ours.get(where),
        await ours.patch(where, json={"title": "Mine"}, headers=tag),
        await ours.delete(where, headers=tag),
        await ours.post(f"{where}/publish", headers=tag),
        await ours.post(f"{where}/preview"),
        await ours.get(f"{SETS}/{uuid4()}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "criteria-set-not-found")
    assert (await ours.get(SETS)).json() == {"items": [], "next": None, "total": None}


async def test_pages_follow_one_another(client: Clients) -> None:
    author = await client("academy", "data-manager")
    for phase in ("special", "secondary", "secondary", "primary"):
        assert (await author.post(SETS, json=criteria_set(phase=phase))).status_code == 201
    seen, cursor = [], None
    for _ in range(3):
        page = await author.get(SETS, params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        seen += [(one["phase"], one["version"]) for one in page.json()["items"]]
        cursor = page.json()["next"]
        assert ("Link" in page.headers) == (cursor is not None)
        if cursor is None:
            break
    assert seen == [("primary", 1), ("secondary", 2), ("secondary", 1), ("special", 1)]
    assert (await author.get(SETS, params={"cursor": "nonsense"})).status_code == 400
    assert (await author.get(SETS, params={"colour": "red"})).status_code == 422


async def test_the_same_request_twice_makes_one_draft(client: Clients) -> None:
    author = await client("academy", "data-manager")
    first = await author.post(SETS, json=criteria_set(), headers={"Idempotency-Key": "once"})
    again = await author.post(SETS, json=criteria_set(), headers={"Idempotency-Key": "once"})
    assert again.json() == first.json()
    assert len((await author.get(SETS)).json()["items"]) == 1


async def test_a_preview_says_which_academies_would_change_and_why_and_writes_nothing(
    client: Clients, database: Sandbox
) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
    author = await client("academy", "chief-executive")
    draft = await author.post(SETS, json=criteria_set())
    first = await author.post(draft.headers["Location"] + "/preview")
    assert first.status_code == 200, first.text
    assert (first.json()["academies"], first.json()["unchanged"]) == (3, 0)
    assert all(item["before"] is None for item in first.json()["items"])
    await publish(author)
    await rerate(database)
    kinder = criteria_set(criteria=[{**ATTAINMENT, "code": "attainment", "bounds": {"green": -3, "amber": -6}}])
    draft = await author.post(SETS, json=kinder)
    preview = (await author.post(draft.headers["Location"] + "/preview")).json()
    assert (preview["academies"], preview["unchanged"]) == (3, 2)
    (changed,) = preview["items"]
    assert (changed["name"], changed["before"]["status"], changed["after"]["status"]) == ("B School", "amber", "green")
    codes = {one["code"]: one for one in changed["criteria"]}
    assert codes["attainment"]["before"] is None and "so green." in codes["attainment"]["after"]["sentence"]
    assert codes["attainment_8"]["after"] is None and "so amber." in codes["attainment_8"]["before"]["sentence"]
    assert await rerate(database) == 0
    head = await client("academy", scopes=["criteria:write"], academies=[135001])
    assert (await head.post(draft.headers["Location"] + "/preview")).json()["academies"] == 1
