"""A client that copies lists by `updated_since` has what the API has, whatever comes, goes or is taken back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit import clock
from tests.academy.imports.applying.links import ARK_UID, PROSPERE_UID, cancelling, link, links
from tests.academy.imports.applying.test_withdraw import withdraw
from tests.academy.imports.conftest import Workbench, csv
from tests.academy.rated import publish
from tests.academy.rows import PROSPERE
from tests.support.tokens import OTHER_TRUST
from tests.support.tries import tries

URNS = (135874, 142100, 105560)
KS4 = "RECTYPE,LEA,URN,TPUP,ATT8SCR,P8PUP,P8MEA,P8CILOW,P8CIUPP,P8_BANDING\n"
SCHOOLS = "URN,LA (code),LA (name),EstablishmentName,EstablishmentStatus (name),PhaseOfEducation (name),CloseDate\n"
TODAY = datetime.now(UTC).date()
INSPECTIONS = "URN,Overall effectiveness,Inspection start date\n"
LINKED = "URN,LinkURN,LinkType,LinkEstablishedDate\n"


def date_of(days_from_now: int) -> str:
    return (TODAY + timedelta(days=days_from_now)).isoformat()


def figure(urn: int, value: int) -> str:
    return KS4 + f"1,352,{urn},180,{value},,,,,\n"


urns = st.sampled_from(URNS)
values = st.integers(40, 45)
# Days in the past, and such as come while the test lets days pass.
days = st.sampled_from((date_of(-4000), date_of(-2000), date_of(2), date_of(5), date_of(9)))
# Kind, role of the sender, parameters, and the file.
FILES = st.one_of(
    st.builds(
        lambda urn, uid, on, name, say: (
            "gias-group-links",
            "platform-operator",
            {},
            say(link(urn, uid, on)).replace(f"Trust {uid}", name),
        ),
        urns,
        st.sampled_from((PROSPERE_UID, ARK_UID)),
        days,
        st.sampled_from(("Trust", "Renamed")),
        st.sampled_from((links, links, cancelling)),
    ),
    st.builds(
        lambda urn, la, name, status, phase, closes: (
            "gias-establishments",
            "platform-operator",
            {},
            SCHOOLS + f"{urn},{la},Somewhere,{name},{status},{phase},{closes}\n",
        ),
        urns,
        st.sampled_from(("352", "850")),
        st.sampled_from(("Hill", "Dale")),
        st.sampled_from(("Open", "Closed", "Proposed to open")),
        st.sampled_from(("Secondary", "Primary")),
        st.one_of(st.just(""), days),
    ),
    st.builds(
        lambda urn, grade, on: (
            "ofsted-inspections",
            "platform-operator",
            {},
            INSPECTIONS + f"{urn},{grade},{on}\n",
        ),
        urns,
        st.sampled_from(("Good", "Outstanding")),
        st.sampled_from(("18/04/2013", "01/03/2018")),
    ),
    st.builds(
        lambda urn, value: ("dfe-ks4", "platform-operator", {"academic_year": "2017/18"}, figure(urn, value)),
        urns,
        values,
    ),
    st.builds(
        lambda area, value: (
            "dfe-ks4",
            "platform-operator",
            {"academic_year": "2017/18"},
            KS4 + f"{area},5000,{value},4900,-0.1,,,\n",
        ),
        st.sampled_from(("7,,", "4,352,", "4,850,")),
        values,
    ),
    st.builds(
        lambda urn, value: (
            "observations",
            "data-manager",
            {},
            csv([(urn, "ks4.attainment_8", "2017/18", value)]),
        ),
        urns,
        values,
    ),
)


class Mirror:
    """A copy of one list by the documented walk."""

    def __init__(self, reader: httpx.AsyncClient, path: str, key: tuple[str, ...], **params: Any) -> None:
        self.reader, self.path, self.key, self.params = reader, f"/academy/v1/{path}", key, params
        self.rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.synced: str | None = None

    async def walk(self, since: str | None) -> tuple[list[dict[str, Any]], str]:
        """Every page, and the watermark."""
        params = {"limit": 2, **self.params} | ({} if since is None else {"updated_since": since})
        rows: list[dict[str, Any]] = []
        while True:
            response = await self.reader.get(self.path, params=params)
            assert response.status_code == 200, response.text
            body = response.json()
            rows += body["items"]
            if body["next"] is None:
                return rows, body["synced_to"]
            params["cursor"] = body["next"]

    async def follow(self) -> None:
        """Bring the copy up to date."""
        rows, self.synced = await self.walk(self.synced)
        for row in rows:
            key = tuple(row[name] for name in self.key)
            if row["is_removed"]:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row

    async def check(self) -> None:
        """It equals the list."""
        await self.follow()
        rows, _ = await self.walk(None)
        expected = {tuple(row[name] for name in self.key): row for row in rows}
        assert self.rows == expected


# A number of days that pass, or which of the imports so far is taken back.
STEPS = st.one_of(FILES, st.integers(1, 4).map(timedelta), st.integers(0, 5))


@pytest.fixture
def moving_clock() -> Iterator[None]:
    """The clock of the process may be moved."""
    yield
    clock.move(timedelta(0))


@pytest.fixture
async def clients_by_role(bench: Workbench) -> dict[str, httpx.AsyncClient]:
    """A client of each role that the test needs; the trust has criteria for secondaries."""
    found = {role: await bench.client(role) for role in ("chief-executive", "platform-operator", "data-manager")}
    await publish(found["chief-executive"])
    return found


class Copies:
    """Copies of every list that can be copied, and what happens to them."""

    def __init__(self, bench: Workbench, clients: dict[str, httpx.AsyncClient]) -> None:
        """`clients` by role: tokens are of the time at which the test began."""
        reader, self.clients = clients["chief-executive"], clients
        figures = ("urn", "layer", "measure", "academic_year", "pupil_group", "period")
        self.bench = bench
        self.loaded: list[tuple[str, dict[str, Any]]] = []
        self.mirrors = [
            Mirror(reader, "academies", ("urn",)),
            Mirror(reader, "academies", ("urn",), trust="any"),
            Mirror(reader, "academies", ("urn",), phase="secondary", status="open"),
            Mirror(reader, "academies", ("urn",), trust="any", la="352", q="hill"),
            Mirror(reader, "observations", figures),
            Mirror(reader, "observations", figures, trust="any", layer="national"),
            Mirror(reader, "inspections", ("id",)),
            Mirror(reader, "inspections", ("id",), trust="any", kind="overall_grade"),
            Mirror(reader, "rag-statuses", ("urn",)),
            Mirror(reader, "rag-statuses", ("urn",), status="green", phase="secondary"),
        ]

    async def take(self, step: Any) -> None:
        """Load a file, let days pass, or take an import back."""
        if isinstance(step, timedelta):
            clock.move(clock.offset() + step)
            await self.bench.execute(
                "set search_path = academy; update procrastinate_jobs set scheduled_at = now() - interval '1 second'"
                f" where status = 'todo' and scheduled_at <= now() + interval '{clock.offset().days} days'"
                " and task_name = 'academy.ratings.come_back'"
            )
            await self.bench.work()
        elif isinstance(step, int):
            for role, ended in self.loaded[step : step + 1]:
                await withdraw(self.clients[role], ended)
                await self.bench.work()
        else:
            kind, role, params, content = step
            ended = await self.bench.load(self.clients[role], kind, content, **params)
            assert ended["state"] == "succeeded", ended
            self.loaded.append((role, ended))

    async def check(self) -> None:
        """All equal their lists."""
        for mirror in self.mirrors:
            await mirror.check()


@pytest.mark.usefixtures("moving_clock")
@settings(max_examples=tries(4), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=8))
async def test_a_mirror_equals_the_lists_after_any_step(
    bench: Workbench, clients_by_role: dict[str, httpx.AsyncClient], steps: list[Any]
) -> None:
    await bench.rate(PROSPERE, OTHER_TRUST)
    copies = Copies(bench, clients_by_role)
    await copies.check()
    for step in steps:
        await copies.take(step)
        await copies.check()


@pytest.mark.usefixtures("moving_clock")
async def test_a_mirror_follows_days_withdrawals_and_renames(
    bench: Workbench, clients_by_role: dict[str, httpx.AsyncClient]
) -> None:
    """Each of these once, in an order in which everything has an effect."""
    copies = Copies(bench, clients_by_role)
    operator = "platform-operator"

    async def load(kind: str, content: str, role: str = operator, **params: Any) -> None:
        await copies.take((kind, role, params, content))
        await copies.check()

    inspections = INSPECTIONS + f"{URNS[0]},Good,18/04/2013\n"
    for urn, closes in ((URNS[0], ""), (URNS[1], date_of(3))):
        await load("gias-establishments", SCHOOLS + f"{urn},352,Somewhere,Hill,Open,Secondary,{closes}\n")
    await load(
        "gias-group-links", links(link(URNS[0], PROSPERE_UID, date_of(2)), link(URNS[1], PROSPERE_UID, date_of(-9)))
    )
    await load("ofsted-inspections", inspections + f"{URNS[1]},Good,18/04/2013\n")
    await load("dfe-ks4", figure(URNS[0], 44), academic_year="2017/18")
    for _ in range(4):
        await copies.take(timedelta(days=1))
        await copies.check()
    joined = {name: len(mirror.rows) for name, mirror in zip(range(10), copies.mirrors, strict=True)}
    assert joined[0] == joined[6] == joined[8] == 1, joined
    await load("ofsted-inspections", inspections.replace("Good", "Inadequate") + f"{URNS[0]},Outstanding,01/03/2018\n")
    assert len(copies.mirrors[6].rows) == 2
    await copies.take(len(copies.loaded) - 1)
    await copies.check()
    assert [row["overall_grade"] for row in copies.mirrors[6].rows.values()] == ["good"]
    await load(
        "gias-group-links", links(link(URNS[0], PROSPERE_UID, date_of(2))).replace(f"Trust {PROSPERE_UID}", "New")
    )
    await load("gias-establishments", SCHOOLS + f"{URNS[0]},850,Somewhere,Dale,Open,Secondary,\n")
    assert copies.mirrors[3].rows == {}
    await load("gias-group-links", links(link(URNS[0], ARK_UID, date_of(6))))
    for _ in range(3):
        await copies.take(timedelta(days=1))
        await copies.check()
    assert [len(mirror.rows) for mirror in copies.mirrors][6] == 0


async def test_what_is_shown_of_an_academy_reaches_its_feed(bench: Workbench) -> None:
    operator = await bench.client("platform-operator")
    await bench.load(operator, "gias-group-links", links(link(URNS[0], PROSPERE_UID, "2018-09-01")))
    await bench.rate(PROSPERE, OTHER_TRUST)
    seen = len(await bench.events())

    async def news(kind: str, content: str, **params: Any) -> list[tuple[str, str]]:
        nonlocal seen
        await bench.load(operator, kind, content, **params)
        events = await bench.events()
        fresh, seen = events[seen:], len(events)
        return fresh

    academy = ("academy.changed", f"academies/{URNS[0]}")
    inspection = INSPECTIONS + f"{URNS[0]},Good,18/04/2013\n"
    assert await news("ofsted-inspections", inspection) == [("inspection.recorded", academy[1]), academy]
    assert await news("ofsted-inspections", inspection) == []
    assert await news("gias-urn-links", LINKED + f"{URNS[2]},{URNS[0]},Successor,2010-09-01\n") == [academy]
    renamed = links(link(URNS[0], PROSPERE_UID, "2018-09-01")).replace(f"Trust {PROSPERE_UID}", "Renamed")
    assert await news("gias-group-links", renamed) == [academy]
    england = KS4 + "7,,,523636,46.5,494832,-0.02,,,\n"
    measures = {subject for kind, subject in await news("dfe-ks4", england, academic_year="2017/18")}
    assert "measures/ks4.attainment_8" in measures
    assert await bench.events(OTHER_TRUST) == [
        ("comparison.changed", subject) for kind, subject in await bench.events(OTHER_TRUST)
    ]
