"""Taking an import back: its figures end, and what stood before each of them counts again.

By sets, in one transaction, as they came in. Figures that a later import has replaced are left alone. What stood before
is the newest earlier row of the same figure whose import hasn't been taken back itself; it is recorded again, with its
own source and import, so that `as_of` gives the right figure before and after. Where nothing stood before, the figure
ends without a successor. No row is deleted or overwritten.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from academy.imports.applying import members
from academy.imports.applying.merge import LARGE_JOINS, NEW_ID, Counts, Figures, Origin
from academy.imports.applying.notices import announce_own_withdrawal, queue_withdrawal_for
from academy.imports.applying.progress import Stopped
from academy.imports.applying.run import ImportRun
from academy.imports.applying.targets import COMPARISONS, INSPECTIONS, NATIONAL_FIGURES, TRUST_FIGURES
from academy.imports.applying.turns import take_turn
from academy.imports.events import IMPORT_WITHDRAWN, ImportWithdrawn
from academy.imports.formats.kinds import KINDS
from academy.imports.queries import import_by_id
from academy.imports.tables import Import, ReferenceLoad
from academy.imports.transitions import IMPORTS
from academy.measures.rules import MEASURES
from academy.observations.queries import newest_years
from academy.observations.rules import Layer
from academy.ratings.queries import one_at_a_time
from academy.recording import begin_recording
from kit.database.sessions import Session
from kit.events.recording import record_event
from kit.ids import uuid7
from kit.telemetry.logs import logger

NATIONAL: Final = (NATIONAL_FIGURES, COMPARISONS, INSPECTIONS)

_OWN_STANDS: Final = """
    not exists (select from academy.import w where w.trust_id = :tenant and w.id = b.import_id
                and w.state in ('withdrawing', 'withdrawn'))
"""
_NATIONAL_STANDS: Final = """
    b.import_id is distinct from :import_id and not exists (
        select from academy.reference_load w where w.import_id = b.import_id and w.withdrawn_at is not null)
"""

log = logger(__name__)


async def withdraw_import(run: ImportRun) -> None:
    """Take an import back, unless that has been done already."""
    try:
        async with run.database.session(run.context) as session:
            found = await _lock(run, session)
            if KINDS[found.kind].layer is Layer.NATIONAL:
                await _withdraw_national(run, session, found)
            else:
                await _withdraw_own(run, session, found)
    except Stopped:
        log.info("import isn't being withdrawn any more", import_id=str(run.import_id))


async def give_up_withdrawal(run: ImportRun) -> bool:
    """Leave an import as it is after the last try has failed; its figures stand, and somebody may ask again.

    False for a national one whose figures are gone already: it stays `withdrawing` until another job writes its end.
    """
    try:
        async with run.database.session(run.context) as session:
            found = await _lock(run, session)
            async with run.loader.session(run.context) as register:
                receipt = await register.get(ReferenceLoad, found.id)
            if receipt is not None and receipt.withdrawn_at is not None:
                return False
            await run.fence(session)
            await IMPORTS.apply(session, IMPORTS.by_itself("give_up"), found)
    except Stopped:
        log.info("import isn't being withdrawn any more", import_id=str(run.import_id))
    return True


async def _lock(run: ImportRun, session: Session) -> Import:
    """The import, which nobody else changes until the transaction ends. Raises Stopped."""
    found = await import_by_id(session, run.tenant, run.import_id, lock=True)
    if found is None or found.state != "withdrawing":
        raise Stopped
    return found


async def _withdraw_own(run: ImportRun, session: Session, found: Import) -> None:
    await run.fence(session)
    await take_turn(session, found.trust_id)
    origin = await _origin(session, found)
    counts = await take_back(session, TRUST_FIGURES, origin)
    if counts.written:
        await announce_own_withdrawal(session, found)
    found.withdrawn_at = origin.at
    await _finish(session, found, counts)


async def _withdraw_national(run: ImportRun, session: Session, found: Import) -> None:
    """As the loader, then in the import. A worker that was killed between the two finds the loader's receipt."""
    async with run.loader.session(run.context) as register:
        receipt = await register.get(ReferenceLoad, found.id)
        if receipt is None:
            raise Stopped
        if receipt.withdrawn_at is None:
            await _take_back_national(register, found, receipt)
        await run.fence(session)
    await queue_withdrawal_for(session, found.id, receipt.affected_trusts)
    found.withdrawn_at = receipt.withdrawn_at
    await _finish(session, found, Counts(new=receipt.figures_withdrawn, changed=receipt.figures_restored))


async def _take_back_national(register: Session, found: Import, receipt: ReferenceLoad) -> None:
    origin = await _origin(register, found)
    newest_before = await newest_years(register, MEASURES)
    written = {table.name: await take_back(register, table, origin) for table in NATIONAL}
    await members.touch_related(register, {INSPECTIONS.name: f"withdrawn_{INSPECTIONS.name}"}, origin)
    await members.note_touched(register, ["withdrawn_observations"])
    # England's figures count for everybody, and so does the newest year of a measure.
    everybody = bool(written[COMPARISONS.name].written) or await newest_years(register, MEASURES) != newest_before
    receipt.affected_trusts = await members.affected_trusts(register, origin, everybody=everybody)
    counts = sum(written.values(), Counts())
    receipt.withdrawn_at = origin.at
    receipt.figures_restored, receipt.figures_withdrawn = counts.changed, counts.new
    await register.flush()


async def _finish(session: Session, found: Import, counts: Counts) -> None:
    await IMPORTS.apply(session, IMPORTS.by_itself("finish"), found)
    withdrawn = ImportWithdrawn(
        import_id=found.id,
        kind=found.kind,
        academic_year=found.academic_year,
        figures_restored=counts.changed,
        figures_withdrawn=counts.new,
        by=found.withdrawn_by,
        as_role=found.withdrawn_as,
    )
    await record_event(session, IMPORT_WITHDRAWN, subject=f"imports/{found.id}", urn=None, data=withdrawn)


async def _origin(session: Session, found: Import) -> Origin:
    is_own = KINDS[found.kind].layer is Layer.TRUST
    tenant = found.trust_id if is_own else None
    return Origin(found.id, tenant, found.release, found.kind, await begin_recording(session))


async def take_back(session: Session, table: Figures, origin: Origin) -> Counts:
    """End what the import has current in this table: `changed` gave way to what stood before, `new` to nothing.

    Afterwards the temporary table `withdrawn_<name>` holds the rows that ended, with the id of what stood before.
    """
    if origin.tenant is not None:
        # An erasure takes the same turn: what it erases isn't recorded again meanwhile.
        await one_at_a_time(session, origin.tenant)
    await session.execute(text(LARGE_JOINS))
    withdrawn = f"withdrawn_{table.name}"
    own = "" if origin.tenant is None else "{}.trust_id = :tenant and "
    whose = {} if origin.tenant is None else {"tenant": origin.tenant}
    stands = _NATIONAL_STANDS if origin.tenant is None else _OWN_STANDS
    key = (*table.key, "release") if table.has_release else table.key
    same = " and ".join(f"b.{column} = o.{column}" for column in key)
    find = (
        f"create temp table {withdrawn} on commit drop as"  # noqa: S608 - constants
        f" select o.id, {', '.join(f'o.{column}' for column in key)}, before.id as before_id from {table.target} o"
        f" left join lateral (select b.id from {table.target} b"
        f" where {own.format('b')}{same} and b.recorded_at < o.recorded_at and {stands}"
        " order by b.recorded_at desc limit 1) before on true"
        f" where {own.format('o')}o.import_id = :import_id and o.superseded_at is null"
        # In the order of the tables' indexes, as rows are brought in.
        f" order by {', '.join(f'o.{column}' for column in key)}"
    )
    await session.execute(text(find), {"import_id": origin.import_id, **whose})
    await session.execute(text(f"analyze {withdrawn}"))
    counted = await session.execute(text(f"select count(*), count(before_id) from {withdrawn}"))  # noqa: S608
    total, restored = counted.one()
    end = f"update {table.target} o set superseded_at = :at from {withdrawn} w where {own.format('o')}o.id = w.id"  # noqa: S608
    await session.execute(text(end), {"at": origin.at, **whose})
    again = [*(["trust_id"] if origin.tenant is not None else []), *key, *table.values, "source", "import_id"]
    restore = (
        f"insert into {table.target} (id, recorded_at, {', '.join(again)})"  # noqa: S608 - constants
        f" select {NEW_ID}, cast(:at as timestamptz), {', '.join(f'b.{column}' for column in again)}"
        f" from {withdrawn} w join {table.target} b on {own.format('b')}b.id = w.before_id"
    )
    await session.execute(text(restore), {"at": origin.at, "id_start": str(uuid7())[:24], **whose})
    return Counts(new=total - restored, changed=restored)
