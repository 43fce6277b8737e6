"""The RAG board built from nothing but the academy feed says what `GET /academy/v1/rag-statuses` says."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text

from academy.moderations.service import lapse_overdue
from academy.rag_statuses.rules import why_not_assessed
from kit.database.sessions import Context
from tests.academy.moderations.test_routes import moderate
from tests.academy.rated import (
    AMBER,
    ATTAINMENT,
    GREEN,
    RED,
    SPECIAL,
    add_england,
    add_rated_trust,
    change_figure,
    committing,
    criteria_set,
    publish,
    rerate,
    statuses,
)
from tests.academy.rows import PROSPERE, add_figure, add_membership, add_school
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.databases import Clone, Sandbox

NEW = 135009
NOTHING = {"red": 0, "amber": 0, "green": 0, "not_assessed": 0}
STEPS = [
    {"code": "strong", "label": "Strong", "status": "green"},
    {"code": "secure", "label": "Secure", "status": "amber"},
    {"code": "fragile", "label": "Fragile", "status": "amber"},
    {"code": "failing", "label": "Failing", "status": "red"},
]

Data = dict[str, Any]


class Board:
    """What a reader of the feed knows; one method for each type of event that matters to a board."""

    def __init__(self) -> None:
        self.members: set[int] = set()
        self.facts: dict[int, Data] = {}
        self.ratings: dict[int, Data] = {}
        self.shown: dict[int, Data] = {}
        self.judged: dict[int, str] = {}
        self.sets: dict[str, Data] = {}
        self.rates: dict[str, str] = {}
        self.cursor: str | None = None

    async def follow(self, reader: httpx.AsyncClient) -> None:
        """Read on to the end of the feed."""
        while True:
            after = {} if self.cursor is None else {"after": self.cursor}
            page = (await reader.get("/academy/v1/events", params={"limit": 5, **after})).json()
            self.cursor = page["next"]
            for event in page["items"]:
                name = event["type"].removeprefix("org.trellis.academy.").removesuffix(".v1")
                takers: dict[str, Callable[[Data], None]] = {
                    "academy.joined": self.joined,
                    "academy.left": self.left,
                    "academy.changed": self.changed,
                    "rating.computed": self.rated,
                    "rating.moderated": self.moderated,
                    "moderation.ended": self.ended,
                    "criteria-set.published": self.published,
                    "criteria-set.retired": self.retired,
                }
                if name in takers:
                    takers[name](event["data"])
            if not page["items"]:
                return

    def joined(self, data: Data) -> None:
        self.members.add(data["urn"])
        self.facts[data["urn"]] = {"name": data["name"], "phase": data["phase"]}

    def changed(self, data: Data) -> None:
        assert data["before"] == self.facts.get(data["urn"])
        self.members.add(data["urn"])
        self.facts[data["urn"]] = data["after"]

    def left(self, data: Data) -> None:
        self.members.discard(data["urn"])

    def rated(self, data: Data) -> None:
        self.ratings[data["urn"]] = data
        self.shown[data["urn"]] = data["shown"]

    def moderated(self, data: Data) -> None:
        # One that took another's place has been announced by the end of that.
        self.shown[data["urn"]] = data["after"]
        self.judged[data["urn"]] = self.ratings[data["urn"]]["after"]["status"]

    def ended(self, data: Data) -> None:
        assert data["before"] == self.shown[data["urn"]]
        rating = self.ratings[data["urn"]]
        computed = {"status": rating["after"]["status"], "step": rating["step"], "moderated": False}
        self.shown[data["urn"]] = data["after"] or computed

    def published(self, data: Data) -> None:
        self.sets[data["criteria_set_id"]] = data
        self.rates[data["phase"]] = data["criteria_set_id"]

    def retired(self, data: Data) -> None:
        if self.rates.get(data["phase"]) == data["criteria_set_id"]:
            del self.rates[data["phase"]]

    def rows(self) -> dict[int, Data]:
        """The board, as the list of RAG statuses has it."""
        return {urn: self.row(urn) for urn in self.members}

    def row(self, urn: int) -> Data:
        rating = self.ratings.get(urn)
        shown = self.shown.get(urn, {"status": "not_assessed", "step": None, "moderated": False})
        computed = rating["after"]["status"] if rating else "not_assessed"
        set_ = self.sets[rating["criteria_set_id"]] if rating else None
        rated_by = rating["criteria_set_id"] if rating else None
        return {
            "urn": urn,
            **self.facts[urn],
            **shown,
            "label": shown["step"]["label"] if shown["step"] else "Not assessed",
            "reason": why_not_assessed(shown["status"], self.facts[urn]["phase"], rated_by, self.rates),
            "computed_status": computed,
            "computed_changed_since": shown["moderated"] and self.judged[urn] != computed,
            "counts": rating["counts"] if rating else NOTHING,
            "criteria_set": {"id": set_["criteria_set_id"], "title": set_["title"], "version": set_["version"]}
            if set_
            else None,
            "rating_id": rating["after"]["rating_id"] if rating else None,
            "rated_at": rating["rated_at"] if rating else None,
            "data_as_at": rating["data_as_at"] if rating else None,
            "is_removed": False,
            "criteria": None,
        }


SUPERSEDE = text("update academy.membership set superseded_at = now() where urn = :urn and superseded_at is null")


async def move(database: Clone, urn: int, **values: Any) -> None:
    """The register says other days of a membership."""
    async with committing(database) as session:
        await session.execute(SUPERSEDE, {"urn": urn})
        await add_membership(session, urn, PROSPERE, **values)


async def test_the_feed_alone_makes_the_board(
    committed_client: Clients, committed_database: Clone, clock: Clock
) -> None:
    client, database, board = committed_client, committed_database, Board()

    async def same() -> dict[int, Data]:
        """Rate, read the feed on, and hold what came of it against the list; another token each time."""
        clock.advance(seconds=10)
        await rerate(database)
        await board.follow(await client("academy", "chief-executive"))
        told = await statuses(await client("academy", "status-reader", subject=str(uuid4())))
        assert board.rows() == told
        return told

    async with committing(database) as session:
        await add_rated_trust(session)
        await add_england(session)
    author = await client("academy", "chief-executive")
    await publish(author)
    assert len(await same()) == 4

    # An override, a rating under it, another override in its place, and its withdrawal.
    assert (await moderate(author)).status_code == 201
    assert (await same())[RED]["moderated"] is True
    async with committing(database) as session:
        await change_figure(session, RED, 44.0)
        await change_figure(session, GREEN, 42.0)
    assert (await same())[RED]["computed_changed_since"] is True
    made = await moderate(author, status="green")
    assert made.status_code == 201, made.text
    assert (await same())[RED]["status"] == "green"
    withdrawn = await author.post(
        f"/academy/v1/moderations/{made.json()['id']}/withdraw", headers={"If-Match": made.headers["ETag"]}
    )
    assert withdrawn.status_code == 200
    assert (await same())[RED]["status"] == "amber"

    # A name and a phase change, an academy joins, one leaves with its override and comes back.
    async with committing(database) as session:
        await session.execute(
            text("update academy.school set name = 'Z School', updated_at = now() where urn = :u"), {"u": AMBER}
        )
        await session.execute(text("update academy.school set phase = 'secondary' where urn = :u"), {"u": SPECIAL})
        await add_school(session, NEW, trust=PROSPERE, name="E School")
        await add_figure(session, NEW, value=60.0)
    told = await same()
    assert (told[AMBER]["name"], told[SPECIAL]["phase"], told[NEW]["status"]) == ("Z School", "secondary", "green")
    assert (await moderate(author, AMBER, status="red")).status_code == 201
    await same()
    await move(database, AMBER, left_on=date(2025, 1, 1))
    assert AMBER not in await same()
    await move(database, AMBER, joined_on=date(2025, 9, 30))
    assert (await same())[AMBER]["moderated"] is False

    # Another scale under an override that is in force, and the end of its last day.
    assert (await moderate(author, GREEN, lapses_on="2025-10-03")).status_code == 201
    await same()
    attainment = {**ATTAINMENT, "bounds": {"strong": 0, "secure": -3, "fragile": -6}}
    overall = {**criteria_set()["overall"], "point_cuts": [66, 50, 33]}
    await publish(author, criteria_set(scale=STEPS, criteria=[attainment], overall=overall, title="On four steps"))
    assert (await same())[GREEN]["step"] == {"code": "secure", "label": "Secure", "order": 2}
    clock.advance(days=4)
    async with database.of("academy").session(Context(PROSPERE, None, "test")) as session:
        assert await lapse_overdue(session, PROSPERE) == 1
    assert (await same())[GREEN]["moderated"] is False


async def test_the_feed_tells_of_a_phase_that_no_set_rates(
    committed_client: Clients, committed_database: Clone, clock: Clock
) -> None:
    client, database, board = committed_client, committed_database, Board()
    async with committing(database) as session:
        await add_rated_trust(session)
        await add_england(session)
    await publish(await client("academy", "chief-executive"))
    for phase, status in (("secondary", "red"), ("sixteen_plus", "not_assessed"), (None, "not_assessed")):
        async with committing(database) as session:
            await session.execute(
                text("update academy.school set phase = :phase, updated_at = now() where urn = :urn"),
                {"urn": RED, "phase": phase},
            )
        clock.advance(seconds=10)
        await rerate(database)
        await board.follow(await client("academy", "chief-executive"))
        shown = await statuses(await client("academy", "status-reader", subject=str(uuid4())))
        assert board.rows() == shown
        assert shown[RED]["status"] == status


async def test_a_head_builds_the_board_of_their_academy_alone(
    committed_client: Clients, committed_database: Clone, clock: Clock
) -> None:
    client, database = committed_client, committed_database
    async with committing(database) as session:
        await add_rated_trust(session)
        await add_england(session)
    await publish(await client("academy", "chief-executive"))
    await rerate(database)
    clock.advance(minutes=1)
    head = await client("academy", "headteacher", academies=[RED])
    board = Board()
    await board.follow(head)
    assert set(board.rows()) == {RED}
    assert board.rows() == await statuses(head)


async def test_long_names_are_cut_in_events_alone(client: Clients, database: Sandbox) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
        await session.execute(
            text("update academy.school set name = repeat('Long ', 40) where urn = :urn"), {"urn": GREEN}
        )
    await publish(await client("academy", "chief-executive"))
    await rerate(database)
    await rerate(database)
    async with database.admin() as session:
        rows = await session.execute(
            text(
                "select data #>> '{after,name}' from academy.event where type like '%academy.changed%' and urn = :urn"
            ),
            {"urn": GREEN},
        )
        # Rated twice, announced once.
        (name,) = rows.scalars()
    assert len(name) <= 120
    assert name.endswith("Long\N{HORIZONTAL ELLIPSIS}")


async def test_who_published_before_the_feed_named_academies_hears_the_names_once(
    client: Clients, database: Sandbox
) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
    await publish(await client("academy", "chief-executive"))
    await rerate(database)
    async with database.admin() as session:
        # As the release before left it.
        await session.execute(text("update academy.rag_status set name = null"))
        await session.execute(text("delete from academy.event where type like '%academy.changed%'"))
    for _ in range(2):
        await rerate(database)
    async with database.admin() as session:
        rows = await session.execute(
            text("select urn, data -> 'before' from academy.event where type like '%academy.changed%' order by urn")
        )
        assert [tuple(row) for row in rows] == [(GREEN, None), (AMBER, None), (RED, None), (SPECIAL, None)]
