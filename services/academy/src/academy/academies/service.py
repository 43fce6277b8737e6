"""Finding academies: in lists, by their identifiers, one by one with their history and inspections."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import orjson

from academy.academies import queries
from academy.academies.errors import AcademyNotFound, NothingToLookUp, TooManyToLookUp
from academy.academies.rules import comes_before, joining, seen_from_the_other
from academy.academies.schemas import AcademyListParams, AcademyLookup, InspectionKind, TrustAcademyParams
from academy.parameters import today
from academy.recording import synced_to
from academy.trusts.service import find_trust, trust_of_filter
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.cursors import decode, encode
from kit.resources.pages import ListParams
from sector.laestabs import plain_laestab

MOST_LOOKED_UP = 1000

_LIST = "academies"
_TRUST_LIST = "trust-academies"
_INSPECTION_LIST = "inspections"
_PARTS = ("local_authority", "type", "trust")


async def list_academies(
    session: Session, caller: Caller, params: AcademyListParams
) -> tuple[list[dict[str, Any]], str | None, datetime]:
    """A page of academies, the cursor after it, and up to when the list says everything.

    Raises InvalidCursor and TrustUnknown.
    """
    filters = params.model_dump(mode="json", exclude={"limit", "cursor"})
    synced, after = await synced_to(session), None
    if params.cursor is not None:
        *after, first_synced = decode(_LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
        # What changes while somebody turns pages is for next time: the first page's watermark holds for all.
        synced = datetime.fromisoformat(first_synced)
    wanted = queries.AcademyFilter(
        trust_id=await trust_of_filter(session, caller, params.trust),
        phases=params.phase,
        statuses=params.status,
        las=params.la,
        q=params.q,
        updated_since=params.updated_since,
    )
    rows = await queries.academy_list(
        session, wanted, today=today(), sort=params.sort, after=after, limit=params.limit + 1
    )
    items = [_academy(row) for row in rows[: params.limit]]
    if len(rows) <= params.limit:
        return items, None, synced
    last = items[-1]
    values = [last["name"], last["urn"], synced.isoformat()]
    return items, encode(_LIST, values, tenant=caller.tenant_id, filters=filters), synced


async def view_academy(session: Session, urn: int) -> dict[str, Any]:
    """One academy with its trusts, links and latest inspections. Raises AcademyNotFound."""
    row = await queries.academy_view(session, urn, today=today())
    if row is None:
        raise AcademyNotFound(f"The register has no school with URN {urn}.")
    academy = _academy(row)
    joined_on = _joined_on(academy)
    links = [_link(row) for row in await queries.links_of(session, urn)]
    latest = {
        inspection["kind"]: _inspection(inspection, joined_on)
        for inspection in await queries.latest_inspections_of(session, urn)
    }
    return {
        **academy,
        "memberships": await queries.memberships_of(session, urn),
        "predecessors": [link for link in links if comes_before(link["link_type"])],
        "successors": [link for link in links if not comes_before(link["link_type"])],
        "latest_inspections": {str(kind): latest.get(kind) for kind in InspectionKind},
    }


async def look_up(session: Session, sought: AcademyLookup) -> dict[str, Any]:
    """Every school with one of the identifiers, and the identifiers that none has.

    Raises NothingToLookUp and TooManyToLookUp.
    """
    total = len(sought.urns) + len(sought.ukprns) + len(sought.laestabs)
    if total == 0:
        raise NothingToLookUp("Send urns, ukprns or laestabs.")
    if total > MOST_LOOKED_UP:
        raise TooManyToLookUp(f"Send at most {MOST_LOOKED_UP} identifiers at once; these are {total}.")
    laestabs = {written: plain_laestab(written) for written in sought.laestabs}
    rows = await queries.academy_lookup(
        session,
        urns=sought.urns,
        ukprns=sought.ukprns,
        laestabs=[plain for plain in laestabs.values() if plain is not None],
        today=today(),
    )
    known = {field: {row[field] for row in rows} for field in ("urn", "ukprn", "laestab")}
    return {
        "found": [_academy(row) for row in rows],
        "not_found": {
            "urns": [urn for urn in sought.urns if urn not in known["urn"]],
            "ukprns": [ukprn for ukprn in sought.ukprns if ukprn not in known["ukprn"]],
            "laestabs": [written for written, plain in laestabs.items() if plain not in known["laestab"]],
        },
    }


async def list_trust_academies(
    session: Session, caller: Caller, trust: str, params: TrustAcademyParams
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of a trust's academies and the cursor after it. Raises TrustNotFound and InvalidCursor."""
    trust_id = await find_trust(session, trust)
    filters = {"trust": trust_id, "membership": params.membership}
    after = None
    if params.cursor is not None:
        after = decode(_TRUST_LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
    rows = await queries.trust_academies(
        session, trust_id, which=params.membership, today=today(), after=after, limit=params.limit + 1
    )
    items = rows[: params.limit]
    if len(rows) <= params.limit:
        return items, None
    last = items[-1]
    values = [last["name"], last["urn"], last["joined_on"]]
    return items, encode(_TRUST_LIST, values, tenant=caller.tenant_id, filters=filters)


async def list_inspections(
    session: Session, caller: Caller, urn: int, params: ListParams
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of an academy's inspections, newest first. Raises AcademyNotFound and InvalidCursor."""
    academy = await queries.academy_view(session, urn, today=today())
    if academy is None:
        raise AcademyNotFound(f"The register has no school with URN {urn}.")
    filters = {"urn": urn}
    after = None
    if params.cursor is not None:
        after = decode(_INSPECTION_LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
    rows = await queries.inspections_of(session, urn, after=after, limit=params.limit + 1)
    joined_on = _joined_on(_academy(academy))
    items = [_inspection(row, joined_on) for row in rows[: params.limit]]
    if len(rows) <= params.limit:
        return items, None
    last = items[-1]
    values = [last["inspected_on"], last["id"]]
    return items, encode(_INSPECTION_LIST, values, tenant=caller.tenant_id, filters=filters)


def _academy(row: dict[str, Any]) -> dict[str, Any]:
    parts = {name: _json(row[name]) for name in _PARTS}
    return {**row, **parts}


def _link(row: dict[str, Any]) -> dict[str, Any]:
    link = {name: value for name, value in row.items() if name != "is_own"}
    return link if row["is_own"] else {**link, "link_type": seen_from_the_other(row["link_type"])}


def _inspection(row: dict[str, Any], joined_on: date | None) -> dict[str, Any]:
    return {**row, "judgements": _json(row["judgements"]), "joining": joining(row["inspected_on"], joined_on)}


def _joined_on(academy: dict[str, Any]) -> date | None:
    trust = academy["trust"]
    return None if trust is None else date.fromisoformat(trust["joined_on"])


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value


async def check_own(session: Session, caller: Caller, urn: int) -> None:
    """Raises AcademyNotFound unless it is an academy of the caller's trust today, and covered by the grant."""
    if not caller.sees_academy(urn) or not await queries.is_member(session, caller.tenant_id, urn, today()):
        raise AcademyNotFound(f"There is no academy {urn} of your trust that you may see.")
