"""Imports as clients see them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from academy.imports.tables import Import
from academy.imports.transitions import IMPORTS
from academy.observations.rules import Layer, Release
from kit.identity.callers import Caller
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from kit.resources.transitions import ActionOut
from sector.parameters import AcademicYear


class ImportKind(StrEnum):
    """What a file is: whose publication, in which layout."""

    GIAS_ESTABLISHMENTS = "gias-establishments"
    GIAS_GROUPS = "gias-groups"
    GIAS_GROUP_LINKS = "gias-group-links"
    GIAS_URN_LINKS = "gias-urn-links"
    DFE_KS4 = "dfe-ks4"
    DFE_KS2 = "dfe-ks2"
    DFE_SCHOOL_PROFILES = "dfe-school-profiles"
    DFE_ABSENCE = "dfe-absence"
    DFE_ATTENDANCE = "dfe-attendance"
    DFE_CENSUS = "dfe-census"
    OFSTED_INSPECTIONS = "ofsted-inspections"
    OBSERVATIONS = "observations"


class ImportState(StrEnum):
    """What came of reading and applying the file. The last three are final; `withdrawal` says what came after."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Withdrawal(StrEnum):
    """How far an import that succeeded is taken back. `not_withdrawn`: all tries have failed, and its figures stand; it
    can be asked for again."""

    WITHDRAWING = "withdrawing"
    WITHDRAWN = "withdrawn"
    NOT_WITHDRAWN = "not_withdrawn"


ROW_CODE = "A stable code for programs. `x-error-codes` of this document lists all; new ones may be added."
# Imports of earlier releases wrote their codes with hyphens.
RowCodeOut = Annotated[str, BeforeValidator(lambda code: code.replace("-", "_"))]


class RowErrorOut(BaseModel):
    """One reason why a file is rejected."""

    row: int | None = Field(
        description="As a spreadsheet counts (the header is 1); the item or line in JSON; null for the whole file.",
        examples=[17],
    )
    column: str | None = Field(description="Column or member; null for the whole row.", examples=["P8MEA"])
    code: RowCodeOut = Field(description=ROW_CODE, examples=["not_a_number"])
    detail: str = Field(description="One sentence for people.", examples=["'n.a' is not a number."])


class ImportWarningOut(BaseModel):
    """Something in the file that was left out, or that is kept although it looks wrong."""

    column: str | None = Field(description="Column or member it is about.", examples=["Notes"])
    code: RowCodeOut = Field(description=ROW_CODE, examples=["unknown_column"])
    detail: str = Field(description="One sentence for people.", examples=["The column Notes isn't read."])


class Confirmation(StrEnum):
    """What the sender of a file has looked at and says is meant so: what a 409 or a warning of this code was about."""

    SAME_FILE_OTHER_YEAR = "same-file-other-year"
    VALUE_WAS_ERASED = "value-was-erased"


_MADE = frozenset({"state", "withdrawal", "errors", "actions"})


class ImportOut(Tagged):
    """One file that was sent, with its progress and its result."""

    id: UUID = Field(description="Id of the import.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    kind: ImportKind = Field(description="What the file is.", examples=["dfe-ks4"])
    academic_year: str | None = Field(description="The academic year that was sent with it.", examples=["2018/19"])
    release: Release = Field(description="How settled its figures are.", examples=["final"])
    dry_run: bool = Field(description="Whether it was only checked and counted; nothing is kept.", examples=[False])
    confirmed: list[Confirmation] = Field(
        description="What its sender confirmed with `confirm`; empty when nothing.", examples=[["value-was-erased"]]
    )
    state: ImportState = Field(description="Its state.", examples=["succeeded"])
    progress_percent: int = Field(description="0 to 100.", ge=0, le=100, examples=[100])
    sha256: str = Field(
        description="Of the file as it was sent.", examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"]
    )
    size_bytes: int = Field(description="Of the file as it was sent.", examples=[219303])
    rows_read: int = Field(description="Rows in the file.", examples=[118])
    rows_accepted: int = Field(
        description="Rows that could be read and were applied; 0 when the import failed or was only tried. A row "
        "counts although some of its values were left out, such as one that the trust has erased: `warnings` names it.",
        examples=[104],
    )
    rows_ignored: int = Field(description="Aggregates and other record types; never an error.", examples=[14])
    comparison_rows: int = Field(description="Aggregate rows that are kept as figures to compare with.", examples=[3])
    rows_new: int = Field(
        description="Figures or entries that are new. One row of a file can hold many.", examples=[1456]
    )
    rows_changed: int = Field(description="Figures or entries that replaced others.", examples=[0])
    rows_unchanged: int = Field(description="Figures or entries that are unchanged.", examples=[0])
    errors: list[RowErrorOut] = Field(
        description="Why the file is rejected: the first 1,000 errors, in lists the first 10."
    )
    errors_total: int = Field(description="How many errors there are.", examples=[0])
    warnings: list[ImportWarningOut] = Field(
        description="What was left out, or is kept although it looks wrong: the most important first."
    )
    created_by: str = Field(description="Who sent it: a subject of identity.", examples=["client:mis"])
    created_at: datetime = Field(description="When it was accepted.", examples=["2026-11-22T08:00:00Z"])
    started_at: datetime | None = Field(description="When reading began.", examples=["2026-11-22T08:00:01Z"])
    finished_at: datetime | None = Field(description="When it ended.", examples=["2026-11-22T08:00:03Z"])

    withdrawal: Withdrawal | None = Field(
        description="Whether an import that succeeded is being taken back, was, or couldn't be; null when nobody did.",
        examples=["withdrawn"],
    )
    withdrawn_at: datetime | None = Field(
        description="When its figures were taken back; null when they weren't, or not yet.",
        examples=["2026-11-24T09:30:00Z"],
    )
    withdrawn_by: str | None = Field(
        description="Who took it back: a subject of identity; null when nobody did.", examples=["person:0193e2f1"]
    )
    withdrawn_as: str | None = Field(description="In which role; null when nobody did.", examples=["data-manager"])
    withdrawal_reason: str | None = Field(
        description="Why it was taken back; null when it wasn't.", examples=["Loaded for the wrong year."]
    )
    actions: list[ActionOut] = Field(description="What you may do with it now.")

    @classmethod
    def of(cls, found: Import, caller: Caller, errors: list[dict[str, Any]] | None = None) -> Self:
        """An import as this caller sees it; with `errors` in place of all that it has."""
        shown = {name: getattr(found, name) for name in cls.model_fields if name not in _MADE}
        after = found.state if found.state in set(Withdrawal) else None
        shown |= {"state": "succeeded" if after else found.state, "withdrawal": after}
        shown["errors"] = found.errors if errors is None else errors
        shown["actions"] = IMPORTS.actions(found, caller)
        return cls.model_validate(shown).tagged(found.tag)


class ImportPage(Page[ImportOut]):
    """A page of imports."""


class ImportCreateParams(BaseModel):
    """What is sent with a file."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[ImportKind, Field(description="What the file is.")]
    academic_year: Annotated[
        AcademicYear | None, Field(description="The year of its figures, for kinds of files that don't contain it.")
    ] = None
    release: Annotated[Release, Field(description="How settled its figures are.")] = Release.FINAL
    dry_run: Annotated[bool, Field(description="Only check the file and count its rows. Nothing is stored.")] = False

    confirm: Annotated[
        tuple[Confirmation, ...],
        Field(
            max_length=5, description="What is meant so, although an import without it was refused or left values out."
        ),
    ] = ()


class ImportListParams(ListParams):
    """Filters of the list of imports."""

    kind: Annotated[tuple[ImportKind, ...], Field(max_length=20, description="Of these kinds.")] = ()
    state: Annotated[tuple[ImportState, ...], Field(max_length=5, description="In these states.")] = ()
    withdrawal: Annotated[
        tuple[Withdrawal, ...],
        Field(max_length=3, description="Only those that are being taken back, were, or couldn't be."),
    ] = ()


class ImportKindOut(BaseModel):
    """A kind of file that can be imported."""

    kind: ImportKind = Field(description="Its code.", examples=["dfe-ks4"])
    title: str = Field(description="Its name.", examples=["Key stage 4 performance tables"])
    publisher: str = Field(description="Who publishes it.", examples=["Department for Education"])
    layer: Layer = Field(description="Whose figures it holds.", examples=["national"])
    scope: str = Field(
        description="The scope that an import of it needs, besides `imports:write`.", examples=["reference:write"]
    )
    media_types: list[str] = Field(description="How the file may be sent.", examples=[["text/csv"]])
    needs_academic_year: bool = Field(description="Whether the request must name the academic year.", examples=[True])
    notes: str = Field(description="What else to know.", examples=["Aggregate rows become figures to compare with."])


class ImportKindPage(Page[ImportKindOut]):
    """All kinds of files."""


class TemplateColumnOut(BaseModel):
    """A column that is read."""

    name: str = Field(description="Its name.", examples=["P8MEA"])
    meaning: str = Field(description="What it holds.", examples=["Progress 8 score"])
    required: bool = Field(description="Whether a file without it is rejected.", examples=[False])
    aliases: list[str] = Field(description="Names that it has in files of other years.", examples=[[]])
    example: str = Field(description="What a cell looks like.", examples=["-0.02"])


class ImportTemplateOut(Tagged):
    """How a file of one kind is laid out."""

    kind: ImportKind = Field(description="Its code.", examples=["observations"])
    media_types: list[str] = Field(description="How the file may be sent.", examples=[["text/csv"]])
    needs_academic_year: bool = Field(description="Whether the request must name the academic year.", examples=[False])
    columns: list[TemplateColumnOut] = Field(
        description="Columns that are read. Other columns are reported and ignored."
    )
    example: str = Field(description="A small file.", examples=["urn,measure,value\r\n136105,attendance.overall,94.1"])
    notes: str = Field(description="What else to know.", examples=["Every symbol of the DfE becomes a reason."])
