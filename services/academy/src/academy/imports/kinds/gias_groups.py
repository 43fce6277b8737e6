"""Academy trusts in the register (Get information about schools), and which academies are in them since
when."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from academy.imports.kinds.cells import read_whole_numbers
from academy.imports.kinds.gias import LA, NAME, SOURCE, TYPE, URN, phase
from academy.imports.kinds.kind import Column, Request
from academy.imports.kinds.reading import Reading
from academy.imports.kinds.register import Rows, as_table, read_register
from academy.imports.kinds.schools import company_number, whole

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
    *(column for column in GROUP_COLUMNS if column.name != "UKPRN"),
    Column("Joined date", "When the school joined the group", required=True, example="2020-04-01"),
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


def read_groups(path: Path, request: Request) -> Iterator[Reading]:
    """Academy trusts; other groups are passed over."""
    del request
    yield from read_register(path, GROUP_COLUMNS, _groups, source=SOURCE, key="Group UID")


def _group_frame(rows: Rows) -> pl.DataFrame:
    """The groups as `trusts` has them, a row each; `kind` is null for groups that run no academies."""
    texts = ("Group UID", "Group ID", "Group Name", "Companies House Number", "Group Type", "UKPRN")
    read = pl.DataFrame(
        [
            *(rows.text(name) for name in (*texts, "Group Status", "Group Status (code)")),
            *(rows.date(name) for name in ("Closed Date", "Open date", "Incorporated on (open date)")),
        ]
    )
    status = pl.coalesce(pl.col("Group Status"), pl.col("Group Status (code)"))
    return read.select(
        whole(pl.col("Group UID")).alias("group_uid"),
        pl.col("Group ID").alias("group_id"),
        pl.col("Group Name").alias("name"),
        pl.col("Group Type")
        .str.to_lowercase()
        .replace_strict(TRUST_KINDS, default=None, return_dtype=pl.String)
        .alias("kind"),
        company_number(pl.col("Companies House Number")).alias("companies_house_number"),
        whole(pl.col("UKPRN")).alias("ukprn"),
        status.str.to_lowercase()
        .str.replace_all("_", " ")
        .replace_strict(_GROUP_STATUSES, default="unknown", return_dtype=pl.String)
        .alias("status"),
        pl.coalesce(pl.col("Open date"), pl.col("Incorporated on (open date)")).alias("opened_on"),
        pl.col("Closed Date").alias("closed_on"),
    )


def _check_groups(rows: Rows, groups: pl.DataFrame) -> None:
    is_trust = groups["kind"].is_not_null()
    rows.check.refuse(
        "Group UID",
        is_trust & groups["group_uid"].is_null(),
        "value-missing",
        lambda _: "Group UID is empty or no number.",
    )
    rows.check.refuse(
        "Group Name", is_trust & groups["name"].is_null(), "value-missing", lambda _: "Group Name is empty."
    )


def _groups(rows: Rows, reading: Reading) -> pl.Series:
    groups = _group_frame(rows)
    _check_groups(rows, groups)
    trusts = groups.filter(pl.col("kind").is_not_null())
    reading.put("trusts", as_table("trusts", trusts))
    return groups["group_uid"].set(groups["kind"].is_null(), None)


def read_group_links(path: Path, request: Request) -> Iterator[Reading]:
    """Which academies are in which trust since when, with the trusts and a first entry of each academy.

    A school that has several rows (a sponsor's beside its trust's) is in the trust only. Where the register
    doesn't know when it joined, the day on which the trust was founded stands.
    """
    del request
    yield from read_register(
        path, GROUP_LINK_COLUMNS, _group_links, source=SOURCE, key="school and trust", passed_over=("",)
    )


def _group_links(rows: Rows, reading: Reading) -> pl.Series:
    groups = _group_frame(rows)
    _check_groups(rows, groups)
    is_trust = groups["kind"].is_not_null()
    cells = rows.frame["URN"].set(~is_trust, None)
    urns = rows.check.urns("URN", cells, read_whole_numbers(cells), required=False)
    rows.check.refuse("URN", is_trust & cells.is_null(), "urn-missing", lambda _: "The row has no URN.")
    joined = rows.date("Joined date")
    read = groups.with_columns(
        urns.alias("urn"),
        joined.alias("joined_on"),
        rows.text(NAME.name).alias("school"),
        *(rows.text(c.name) for c in (*TYPE, *LA)),
    ).with_columns(pl.coalesce("joined_on", "opened_on").alias("joined_on"))
    rows.check.refuse(
        "Joined date", is_trust & read["joined_on"].is_null(), "value-missing",
        lambda _: "There is neither a joined date nor a day on which the trust was founded.",
    )  # fmt: skip
    left_before = (read["closed_on"] < read["joined_on"]).fill_null(value=False)
    kept = read.with_columns(left_before.alias("left_before")).filter(is_trust)
    reading.put("trusts", as_table("trusts", kept.drop("ukprn").unique("group_uid", keep="last", maintain_order=True)))
    memberships = kept.with_columns(
        pl.when(~pl.col("left_before")).then(pl.col("closed_on")).otherwise(pl.col("joined_on")).alias("left_on")
    )
    reading.put("memberships", as_table("memberships", memberships))
    schools = kept.select(
        "urn",
        pl.col("school").alias("name"),
        pl.col("LA (code)").alias("la_code"),
        pl.col("LA (name)").alias("la_name"),
        whole(pl.col("TypeOfEstablishment (code)")).alias("type_code"),
        pl.col("TypeOfEstablishment (name)").alias("type_name"),
        phase().alias("phase"),
    ).unique("urn", keep="last", maintain_order=True)
    reading.put("schools", as_table("schools", schools))
    key = pl.concat_str(pl.col("urn"), pl.col("group_uid"), separator="/")
    return read.select(key.alias("key"))["key"].set(~is_trust, None)
