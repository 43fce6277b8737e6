"""Academy trusts in the register (Get information about schools), and which academies are in them since
when."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.schools import code, company_number, whole, words
from academy.imports.formats.layouts.register import Rows, as_table, columns_in_file, read_register
from academy.imports.formats.publications.gias_cancellations import Cancellations
from academy.imports.formats.publications.gias_contradictions import Contradictions
from academy.imports.formats.publications.gias_establishments import LA, NAME, SOURCE, TYPE, URN, local_authority, phase
from academy.imports.formats.reading import Column, Reading, Request

MEMBERSHIP_STATUS: Final = "Membership status"
GROUP_COLUMNS: Final = (
    Column("Group UID", "Number of the group", required=True, example="16846"),
    Column("Group ID", "Trust reference number", example="TR03794"),
    Column("Group Name", "Name of the group", required=True, example="PROSPERE LEARNING TRUST"),
    Column("Companies House Number", "Number of the company", example="10872612"),
    Column("Group Type (code)", "Kind of group, by number", example="6"),
    Column("Group Type", "Kind of group, by name", required=True, example="Multi-academy trust"),
    Column("Closed Date", "When the group closed"),
    Column("Open date", "When the group opened"),
    Column("Incorporated on (open date)", "When the company was founded", example="2017-07-18"),
    Column("Group Status (code)", "Open or closed, by code", example="OPEN"),
    Column("Group Status", "Open or closed, by name", example="Open"),
    Column("UKPRN", "UK provider reference number", example="10066112"),
)
GROUP_LINK_COLUMNS: Final = (
    URN,
    # The register's file of academies and their trusts has another header for the same number.
    replace(GROUP_COLUMNS[0], aliases=("Linked UID",)),
    *(column for column in GROUP_COLUMNS[1:] if column.name != "UKPRN"),
    Column("Joined date", "When the school joined the group", required=True, example="2020-04-01"),
    Column(
        MEMBERSHIP_STATUS,
        "Not a column of the register: Cancelled in the row of a membership that was an error or was called off",
    ),
    NAME,
    *TYPE,
    *LA,
)
TRUST_KINDS: Final = {
    "multi-academy trust": "multi_academy_trust",
    "single-academy trust": "single_academy_trust",
    "secure single-academy trust": "secure_single_academy_trust",
}
"""Groups that run academies. Federations, sponsors, foundation trusts and children's centres don't: their
rows are passed over, and a sponsor's link is no membership."""

_GROUP_STATUSES: Final = {"open": "open", "closed": "closed", "proposed to open": "proposed_to_open"}
_GROUP_STATUS_WORDS: Final = frozenset({*_GROUP_STATUSES, "proposed_to_open"})
_GROUP_STATUSES_LISTED: Final = "Open, Closed and Proposed to open"
_STATUS: Final = ("Group Status", "Group Status (code)")


_OTHER_GROUPS: Final = (
    "Federation",
    "Trust",
    "School sponsor",
    "Umbrella trust",
    "Children's Centres Group",
    "Children's Centres Collaboration",
)
_GROUP_TYPE_WORDS: Final = frozenset({*TRUST_KINDS, *(name.casefold() for name in _OTHER_GROUPS)})
_GROUP_TYPES_LISTED: Final = (
    f"Multi-academy trust, Single-academy trust, Secure single-academy trust, {', '.join(_OTHER_GROUPS)}"
)


def _is_trust(batch: pl.DataFrame) -> pl.Expr:
    """Rows of academy trusts, and those whose type nobody knows, to be refused.

    The register may add a type of group: it is passed over if it has a number beside it.
    """
    kind = words(pl.col("Group Type"))
    is_known = kind.is_in(list(_GROUP_TYPE_WORDS)) | (kind == "")
    if "Group Type (code)" in batch.columns:
        is_known |= code(pl.col("Group Type (code)")).str.contains(r"^\d+$").fill_null(value=False)
    return kind.is_in(list(TRUST_KINDS)) | ~is_known


_SOURCES: Final = {
    "group_id": "Group ID",
    "companies_house_number": "Companies House Number",
    "ukprn": "UKPRN",
    "opened_on": ("Open date", "Incorporated on (open date)"),
    "closed_on": "Closed Date",
}
_SCHOOL_SOURCES: Final = {
    "la_code": "LA (code)",
    "la_name": "LA (name)",
    "type_code": "TypeOfEstablishment (code)",
    "type_name": "TypeOfEstablishment (name)",
    "phase": tuple(column.name for column in TYPE),
}


def read_groups(path: Path, request: Request) -> Iterator[Reading]:
    """Academy trusts; other groups are passed over."""
    contradictions = Contradictions.of_trusts(request.today)
    yield from read_register(
        path,
        GROUP_COLUMNS,
        partial(_groups, contradictions),
        source=SOURCE,
        key="Group UID",
        is_kept=_is_trust,
        at_end=contradictions.report,
    )


def _trusts(rows: Rows, contradictions: Contradictions) -> pl.DataFrame:
    """The trusts as `trusts` has them, a row each."""
    texts = ("Group ID", "Group Name")
    read = pl.DataFrame(
        [
            *(rows.code(name) for name in ("Group UID", "Companies House Number")),
            rows.digits("UKPRN"),
            *(rows.word(name, _GROUP_STATUS_WORDS, _GROUP_STATUSES_LISTED) for name in _STATUS),
            *(rows.text(name) for name in texts),
            rows.word("Group Type", _GROUP_TYPE_WORDS, _GROUP_TYPES_LISTED),
            *(rows.date(name) for name in ("Closed Date", "Open date", "Incorporated on (open date)")),
        ]
    )
    trusts = read.select(
        whole(pl.col("Group UID")).alias("group_uid"),
        pl.col("Group ID").alias("group_id"),
        pl.col("Group Name").alias("name"),
        pl.col("Group Type")
        .str.to_lowercase()
        .replace_strict(TRUST_KINDS, default=None, return_dtype=pl.String)
        .alias("kind"),
        company_number(pl.col("Companies House Number")).alias("companies_house_number"),
        whole(pl.col("UKPRN")).alias("ukprn"),
        words(pl.coalesce(*_STATUS).str.replace_all("_", " "))
        .replace_strict(_GROUP_STATUSES, default=None, return_dtype=pl.String)
        .alias("status"),
        pl.coalesce(pl.col("Open date"), pl.col("Incorporated on (open date)")).alias("opened_on"),
        pl.col("Closed Date").alias("closed_on"),
    )
    nameless = trusts["name"].is_null() & ~rows.check.faulty
    rows.check.refuse("Group Name", nameless, RowCode.VALUE_MISSING, lambda _: "Group Name is empty.")
    numberless = trusts["group_uid"].is_null() & ~rows.check.faulty
    rows.check.refuse("Group UID", numberless, RowCode.VALUE_MISSING, lambda _: "Group UID is empty or no number.")
    return contradictions.settle(trusts)


def _groups(contradictions: Contradictions, rows: Rows, reading: Reading) -> pl.Series:
    trusts = _trusts(rows, contradictions)
    reading.put("trusts", as_table("trusts", columns_in_file(trusts, _SOURCES, rows.frame.columns)))
    return trusts["group_uid"]


def read_group_links(path: Path, request: Request) -> Iterator[Reading]:
    """Which academies are in which trust since when, with the trusts and a first entry of each academy.

    A school that has several rows (a sponsor's beside its trust's) is in the trust only. Where the register
    doesn't know when it joined, the day on which the trust was founded stands.
    """
    contradictions, cancellations = Contradictions.of_trusts(request.today), Cancellations()

    def report(last: Reading) -> None:
        contradictions.report(last)
        cancellations.report(last)

    yield from read_register(
        path,
        GROUP_LINK_COLUMNS,
        partial(_group_links, contradictions, cancellations),
        source=SOURCE,
        key="school and trust",
        is_kept=_is_trust,
        at_end=report,
    )


def _group_links(
    contradictions: Contradictions, cancellations: Cancellations, rows: Rows, reading: Reading
) -> pl.Series:
    links = _trusts(rows, contradictions).with_columns(
        rows.urn().alias("urn"),
        rows.date("Joined date").alias("joined_on"),
        rows.required(NAME.name, rows.text(NAME.name)).alias("school"),
        *rows.school_types(),
        *local_authority(rows),
    )
    links = links.with_columns(pl.coalesce("joined_on", "opened_on").alias("joined_on"))
    undated = links["joined_on"].is_null() & ~rows.check.faulty
    detail = "There is neither a joined date nor a day on which the trust was founded."
    rows.check.refuse("Joined date", undated, RowCode.VALUE_MISSING, lambda _: detail)
    # The register has closed trusts which academies joined after they closed: they left as they came.
    links = links.with_columns(pl.max_horizontal("closed_on", "joined_on").alias("left_on"))
    links = links.with_columns(pl.when(pl.col("closed_on").is_not_null()).then("left_on").alias("left_on"))
    status = rows.word(MEMBERSHIP_STATUS, {"cancelled", "canceled"}, "Cancelled, and an empty cell")
    links = links.with_columns(status.is_not_null().alias("is_cancelled"))
    has_days = "Closed Date" in rows.frame.columns
    reading.put("memberships", as_table("memberships", links if has_days else links.drop("left_on")))
    cancellations.add(links, rows.frame["row"])
    # A row that cancels says nothing else: neither its school nor its trust enters the register.
    stated = links.filter(~pl.col("is_cancelled"))
    trusts = columns_in_file(stated, _SOURCES, rows.frame.columns).unique("group_uid", keep="last", maintain_order=True)
    reading.put("trusts", as_table("trusts", trusts))
    schools = stated.select(
        "urn",
        pl.col("school").alias("name"),
        pl.col("LA (code)").alias("la_code"),
        pl.col("LA (name)").alias("la_name"),
        whole(pl.col("TypeOfEstablishment (code)")).alias("type_code"),
        pl.col("TypeOfEstablishment (name)").alias("type_name"),
        phase().alias("phase"),
    ).unique("urn", keep="last", maintain_order=True)
    reading.put("schools", as_table("schools", columns_in_file(schools, _SCHOOL_SOURCES, rows.frame.columns)))
    # A wrong membership may stand beside the right one of the same school and trust.
    first_day = pl.when("is_cancelled").then(pl.format("/{}", "joined_on")).otherwise(pl.lit(""))
    return links.select(pl.concat_str("urn", pl.lit("/"), "group_uid", first_day).alias("key"))["key"]
