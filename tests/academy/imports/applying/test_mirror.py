"""A client that copies lists by `updated_since` has what the API has, whatever files arrive in whatever order."""

from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.academy.imports.applying.links import ARK_UID, PROSPERE_UID, link, links
from tests.academy.imports.conftest import Workbench, csv
from tests.academy.rows import PROSPERE
from tests.support.tokens import OTHER_TRUST

URNS = (135874, 142100, 105560)
KS4 = "RECTYPE,LEA,URN,TPUP,ATT8SCR,P8PUP,P8MEA,P8CILOW,P8CIUPP,P8_BANDING\n"
SCHOOLS = "URN,LA (code),LA (name),EstablishmentName,EstablishmentStatus (name),PhaseOfEducation (name)\n"
INSPECTIONS = "URN,Overall effectiveness,Inspection start date\n"
LINKED = "URN,LinkURN,LinkType,LinkEstablishedDate\n"


def figure(urn: int, value: int) -> str:
    return KS4 + f"1,352,{urn},180,{value},,,,,\n"


urns = st.sampled_from(URNS)
values = st.integers(40, 45)
# Kind, role of the sender, parameters, and the file.
FILES = st.one_of(
    st.builds(
        lambda urn, uid, on: ("gias-group-links", "platform-operator", {}, links(link(urn, uid, on))),
        urns,
        st.sampled_from((PROSPERE_UID, ARK_UID)),
        st.sampled_from(("2015-09-01", "2018-09-01", "2020-09-01")),
    ),
    st.builds(
        lambda urn, la, name, status, phase: (
            "gias-establishments",
            "platform-operator",
            {},
            SCHOOLS + f"{urn},{la},Somewhere,{name},{status},{phase}\n",
        ),
        urns,
        st.sampled_from(("352", "850")),
        st.sampled_from(("Hill", "Dale")),
        st.sampled_from(("Open", "Closed", "Proposed to open")),
        st.sampled_from(("Secondary", "Primary")),
    ),
    st.builds(
        lambda urn, grade: (
            "ofsted-inspections",
            "platform-operator",
            {},
            INSPECTIONS + f"{urn},{grade},18/04/2013\n",
        ),
        urns,
        st.sampled_from(("Good", "Outstanding")),
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


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(FILES, min_size=1, max_size=6))
async def test_a_mirror_equals_the_lists_after_any_import(
    bench: Workbench, files: list[tuple[str, str, dict[str, Any], str]]
) -> None:
    reader = await bench.client("trustee")
    figures = ("urn", "layer", "measure", "academic_year", "pupil_group", "period")
    mirrors = [
        Mirror(reader, "academies", ("urn",)),
        Mirror(reader, "academies", ("urn",), trust="any"),
        Mirror(reader, "observations", figures),
        Mirror(reader, "observations", figures, trust="any", layer="national"),
    ]
    for mirror in mirrors:
        await mirror.check()
    for kind, role, params, content in files:
        ended = await bench.load(await bench.client(role), kind, content, **params)
        assert ended["state"] == "succeeded", ended
        for mirror in mirrors:
            await mirror.check()


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
