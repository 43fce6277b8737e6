"""Every kind of import: its title, publisher, columns, an example, and the reader of its layouts."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from academy.imports.formats.conclusions import conclude
from academy.imports.formats.kind import Kind
from academy.imports.formats.layouts.csv_file import CsvFile
from academy.imports.formats.layouts.tidy_table import TidyTable, read_tidy
from academy.imports.formats.layouts.wide_table import WideTable, read_wide
from academy.imports.formats.other_kinds import name_other_kind
from academy.imports.formats.publications import (
    dfe_absence,
    dfe_destinations,
    dfe_ks2,
    dfe_ks4,
    dfe_profiles,
    gias_establishments,
    gias_groups,
    ofsted_columns,
    ofsted_inspections,
    own_observations,
)
from academy.imports.formats.publications.dfe_census import CENSUS_TABLE
from academy.imports.formats.reading import Column, FileRefused, Reading, Request
from academy.imports.formats.tallies import Tally, TallyKey
from academy.observations.rules import Layer

CSV: Final = ("text/csv", "application/csv")
JSON: Final = ("application/json",)
NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")

DFE: Final = "Department for Education"


def _names(sheet: CsvFile) -> frozenset[str]:
    return frozenset(name.casefold() for name in sheet.header)


def _either(wide: WideTable, tidy: TidyTable, sheet: CsvFile, request: Request) -> Iterator[Reading]:
    """Explore education statistics always has `geographic_level`, the performance tables never."""
    names = _names(sheet)
    is_wide = any(column.name.casefold() in names for column in wide.keys if column.required)
    if "geographic_level" in names and not is_wide:
        yield from read_tidy(sheet, request, tidy)
    else:
        yield from read_wide(sheet, request, wide)


def _both(wide: WideTable, tidy: TidyTable) -> tuple[Column, ...]:
    """The columns of the performance tables, then those of Explore education statistics; of these none is
    required where the first layout is sent."""
    later = (replace(c, required=False, meaning=f"{c.meaning} (Explore education statistics)") for c in tidy.columns())
    return (*wide.columns(), *later)


def _read_ks4(path: Path, request: Request) -> Iterator[Reading]:
    sheet = CsvFile(path, may_be_cp1252=True)
    names = _names(sheet)
    results = (dfe_ks4.PERFORMANCE_TABLE, dfe_ks4.EES_TABLE)
    has_results = not dfe_ks4.RESULTS.isdisjoint(names)
    tables = None if has_results else dfe_destinations.tables_of(names)
    yield from _either(*(tables or results), sheet, request)


def _ks4_columns() -> tuple[Column, ...]:
    """The columns of results, then those of destinations that have other names."""
    columns: dict[str, Column] = {}
    for wide, tidy in ((dfe_ks4.PERFORMANCE_TABLE, dfe_ks4.EES_TABLE), *dfe_destinations.TABLES):
        for column in _both(wide, tidy):
            columns.setdefault(column.name.casefold(), column)
    return tuple(columns.values())


def _read_ks2(path: Path, request: Request) -> Iterator[Reading]:
    yield from _either(dfe_ks2.PERFORMANCE_TABLE, dfe_ks2.EES_TABLE, CsvFile(path, may_be_cp1252=True), request)


def _read_absence(path: Path, request: Request) -> Iterator[Reading]:
    yield from _either(
        dfe_absence.ABSENCE_TABLE, dfe_absence.ABSENCE_EES_TABLE, CsvFile(path, may_be_cp1252=True), request
    )


def _read_attendance(path: Path, request: Request) -> Iterator[Reading]:
    yield from read_tidy(CsvFile(path, may_be_cp1252=True), request, dfe_absence.ATTENDANCE_TABLE)


def _read_census(path: Path, request: Request) -> Iterator[Reading]:
    yield from read_wide(CsvFile(path, may_be_cp1252=True), request, CENSUS_TABLE)


def _example(text: str) -> tuple[dict[str, str | float], ...]:
    return tuple(csv.DictReader(io.StringIO(text)))


_EVERY: Final = (
    Kind(
        code="gias-establishments",
        title="Schools of the register",
        publisher=DFE,
        media_types=CSV,
        needs_academic_year=False,
        columns=gias_establishments.ESTABLISHMENT_COLUMNS,
        read=gias_establishments.read_establishments,
        notes="Get information about schools: all establishments, or any extract of them. Columns that an extract "
        "hasn't got leave what the register says as it is. Names of head teachers are never read.",
        example_rows=_example(
            "URN,LA (code),LA (name),EstablishmentNumber,EstablishmentName,TypeOfEstablishment (name),"
            "EstablishmentStatus (name),OpenDate,CloseDate,PhaseOfEducation (name),StatutoryLowAge,"
            "StatutoryHighAge,SchoolCapacity,NumberOfPupils,UKPRN,Town,Postcode,GOR (name)\n"
            "115850,850,Hampshire,2000,Alton Infant School,Community school,Open,,,Primary,4,7,180,138,"
            "10080446,Alton,GU34 1DH,South East\n"
        ),
    ),
    Kind(
        code="gias-groups",
        title="Academy trusts of the register",
        publisher=DFE,
        media_types=CSV,
        needs_academic_year=False,
        columns=gias_groups.GROUP_COLUMNS,
        read=gias_groups.read_groups,
        notes="Get information about schools: all groups. Multi-academy and single-academy trusts are kept; "
        "federations, sponsors, foundation trusts and children's centres are passed over.",
        example_rows=_example(
            "Group UID,Group ID,Group Name,Companies House Number,Group Type (code),Group Type,Closed Date,"
            "Open date,Incorporated on (open date),Group Status (code),Group Status,UKPRN\n"
            "16846,TR03794,PROSPERE LEARNING TRUST,10872612,6,Multi-academy trust,,,2017-07-18,OPEN,Open,"
            "10066112\n"
        ),
    ),
    Kind(
        code="gias-group-links",
        title="Which academies are in which trust since when",
        publisher=DFE,
        media_types=CSV,
        needs_academic_year=False,
        columns=gias_groups.GROUP_LINK_COLUMNS,
        read=gias_groups.read_group_links,
        notes="Get information about schools: links of groups. A sponsor's row is no membership. The academies and "
        "trusts named enter the register with what the file says of them.",
        example_rows=_example(
            "URN,Group UID,Group ID,Group Name,Companies House Number,Group Type (code),Group Type,Closed Date,"
            "Incorporated on (open date),Group Status,Joined date,EstablishmentName,"
            "TypeOfEstablishment (code),TypeOfEstablishment (name),PhaseOfEducation (name),LA (code),LA (name)\n"
            "135874,16846,TR03794,PROSPERE LEARNING TRUST,10872612.0,6,Multi-academy trust,,2017-07-18,Open,"
            "2020-04-01,Manchester Enterprise Academy,28,Academy sponsor led,Secondary,352,Manchester\n"
        ),
    ),
    Kind(
        code="gias-urn-links",
        title="Predecessors and successors of schools",
        publisher=DFE,
        media_types=CSV,
        needs_academic_year=False,
        columns=gias_establishments.URN_LINK_COLUMNS,
        read=gias_establishments.read_urn_links,
        notes="Get information about schools: links of establishments, or a table of old and latest URN. A school "
        "that becomes an academy gets a new URN.",
        example_rows=_example("URN,LinkURN,LinkType,LinkEstablishedDate\n100111,143211,Successor,01-09-2016\n"),
    ),
    Kind(
        code="dfe-ks4",
        title="Key stage 4 results, and destinations of leavers",
        publisher=DFE,
        media_types=CSV,
        needs_academic_year=True,
        columns=_ks4_columns(),
        read=_read_ks4,
        notes="Performance tables of any year since 2015/16, of England or one authority, or the school-level and "
        "area files of Explore education statistics. Records of authorities and of England become comparison "
        "figures. Destinations after key stage 4 and after 16 to 18 study are read in the layouts of the performance "
        "tables (england_ks4-pupdest, england_ks5-studest), and of the files and data sets of Explore education "
        "statistics: send them as files of their own, with the year in which the pupils left as academic_year (the "
        "tables of 2024/25 have the leavers of 2022/23). Percentages of all pupils and of disadvantaged ones are read.",
        example_rows=_example(
            "RECTYPE,LEA,URN,TPUP,ATT8SCR,P8PUP,P8MEACOV,P8MEA,P8CILOW,P8CIUPP,P8_BANDING,PTL2BASICS_94,"
            "PTL2BASICS_95,EBACCAPS,PTEBACC_E_PTQ_EE\n"
            "1,850,137315,107,44,104,97%,0.02,-0.23,0.26,3,59%,35%,3.64,19%\n"
            "7,,,523636,46.5,494832,94%,-0.02,,,,64.20%,43.30%,4.04,38.40%\n"
        ),
    ),
    Kind(
        code="dfe-ks2",
        title="Key stage 2 results",
        publisher=DFE,
        media_types=CSV,
        needs_academic_year=True,
        columns=_both(dfe_ks2.PERFORMANCE_TABLE, dfe_ks2.EES_TABLE),
        read=_read_ks2,
        notes="Performance tables of any year since 2015/16, or the attainment files of Explore education "
        "statistics. Where a year has no progress (2023/24, 2024/25) the schools' figures say not_published.",
        example_rows=_example(
            "RECTYPE,LEA,URN,TELIG,PTRWM_EXP,PTRWM_HIGH,READPROG,READPROG_LOWER,READPROG_UPPER,READPROG_DESCR,"
            "READ_AVERAGE\n"
            "1,850,115851,60,63%,0%,-1.9,-3.4,-0.4,4,104\n"
            "5,,,644967,65%,11%,,,,,104\n"
        ),
    ),
    Kind(
        code="dfe-school-profiles",
        title="School Profiles: register, performance, absence and destinations",
        publisher=DFE,
        media_types=JSON,
        needs_academic_year=False,
        columns=dfe_profiles.COLUMNS,
        read=dfe_profiles.read_profiles,
        notes="A JSON list of objects; their keys show what it holds. Figures need academic_year: the year of their "
        "Current keys (2024/25 for performance and absence, but 2022/23 for destinations, in the DfE's sample). "
        "Trusts named in the register are not read as memberships, since there is no joined date.",
        example_rows=({"id": "135874", "Abs_Tot_Est_Current_Pct": 7.6, "Attainment8_Tot_Est_Current_Num": 46.4},),
    ),
    Kind(
        code="dfe-absence",
        title="Absence of schools",
        publisher=DFE,
        media_types=CSV,
        needs_academic_year=True,
        columns=_both(dfe_absence.ABSENCE_TABLE, dfe_absence.ABSENCE_EES_TABLE),
        read=_read_absence,
        notes="The absence file of the performance tables, or the school-level file of Explore education "
        "statistics. Records with NAT, PRI, SEC and SPE become comparison figures.",
        example_rows=_example("LA,ESTAB,URN,PERCTOT,PPERSABS10\n919,2001,139545,5.4,11\nNAT,PRI,,5.5,14.6\n"),
    ),
    Kind(
        code="dfe-attendance",
        title="Attendance of areas, by term and year",
        publisher=DFE,
        media_types=CSV,
        needs_academic_year=False,
        columns=dfe_absence.ATTENDANCE_TABLE.columns(),
        read=_read_attendance,
        notes="Pupil attendance in schools, England, regions and authorities. Every row is a comparison figure. A "
        "file of a year so far is kept as year_to_date.",
        example_rows=_example(
            "time_period,time_identifier,geographic_level,region_code,old_la_code,education_phase,"
            "possible_sessions,enrolments,attendance_perc,overall_absence_perc,pa_perc\n"
            "202425,Academic year,Local authority,E12000006,935,Primary,17030673,45865.88,94.8,5.2,13.1\n"
        ),
    ),
    Kind(
        code="dfe-census",
        title="School census",
        publisher=DFE,
        media_types=CSV,
        needs_academic_year=True,
        columns=CENSUS_TABLE.columns(),
        read=_read_census,
        notes="Pupils on roll, language, free school meals and special needs of each school.",
        example_rows=_example(
            "URN,LA,ESTAB,NOR,PSENELSE,PSENELK,PNUMEAL,NORFSMEVER,PNUMFSMEVER\n"
            "100000,201,3614,271,3.00%,21.80%,53.50%,228,21.90%\nNAT,,PRI,4647851,2.50%,13.50%,22.00%,"
            "4376957,25.90%\n"
        ),
    ),
    Kind(
        code="ofsted-inspections",
        title="Inspections",
        publisher="Ofsted",
        media_types=CSV,
        needs_academic_year=False,
        columns=ofsted_columns.COLUMNS,
        read=ofsted_inspections.read_inspections,
        notes="Management information of state-funded schools (latest or all inspections), or any table of URN, "
        "grade and date. The four old grades and report cards are kept as published, side by side.",
        example_rows=_example("URN,Overall effectiveness,Inspection start date\n100000,Outstanding,18/04/2013\n"),
    ),
    Kind(
        code="observations",
        layer=Layer.TRUST,
        title="A trust's own figures",
        publisher="the trust",
        media_types=(*CSV, *NDJSON),
        needs_academic_year=False,
        columns=own_observations.COLUMNS,
        read=own_observations.read_observations,
        notes="CSV with a header, or NDJSON (an object a line) with the same names. Every figure has a value or a "
        "reason; a file may not give one key (urn, measure, pupil_group, academic_year, period) twice.",
        example_rows=_example(
            "urn,measure,pupil_group,academic_year,period,value,reason,lower,upper,cohort\n"
            "135874,attendance.overall_percent,all,2025/26,autumn,92.4,,,,964\n"
            "135874,phonics.expected_percent,disadvantaged,2025/26,year,,suppressed,,,4\n"
        ),
    ),
)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.code: kind for kind in _EVERY})
"""Every kind by its code, in the order in which they are listed."""


def read_batches(kind: str, path: Path, request: Request) -> Iterator[Reading]:
    """Read an unpacked file batch by batch: frames and counts of each batch, to be added up.

    A file of any allowed size is read in bounded memory. Errors that only show across batches (a key given twice) come
    with the last one, so nothing may be kept before the end. Raises KeyError for an unknown kind.
    """
    tallies: dict[TallyKey, Tally] = {}
    done = 0.0
    try:
        for batch in KINDS[kind].read(path, request):
            if batch.errors and not done:
                name_other_kind(batch, path, request, KINDS[kind], KINDS.values())
            for key, tally in batch.tallies.items():
                tallies.setdefault(key, Tally()).add(tally)
            done = batch.done
            yield batch
        yield conclude(tallies, done)
    except FileRefused as refused:
        reading = Reading()
        reading.refuse([refused.error()])
        yield reading
