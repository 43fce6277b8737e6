"""What registers say of a school, in our words: its phase, whether it is open, its numbers."""

from typing import Final

import polars as pl

from sector import trusts

SPECIAL_TYPES: Final = ("7", "8", "10", "12", "32", "33", "36", "44")
"""Codes of special schools: community, non-maintained, independent, foundation, post-16, and the
academies."""

ALTERNATIVE_TYPES: Final = ("14", "38", "42", "43")
"""Codes of pupil referral units and of academies and free schools for alternative provision."""

NURSERY_TYPES: Final = ("15",)
CENTRE_TYPES: Final = ("47", "48")
SIXTEEN_PLUS_TYPES: Final = ("18", "31", "39", "45", "46")

PHASES: Final = {
    "1": "nursery",
    "2": "primary",
    "3": "primary",
    "4": "secondary",
    "5": "secondary",
    "6": "sixteen_plus",
    "7": "all_through",
    "nursery": "nursery",
    "primary": "primary",
    "middle deemed primary": "primary",
    "secondary": "secondary",
    "middle deemed secondary": "secondary",
    "16 plus": "sixteen_plus",
    "all-through": "all_through",
    "all through": "all_through",
}
"""The register's phases of education, by code and by name; 0 and "Not applicable" have none."""

PHASE_WORDS: Final = frozenset({*PHASES, "0", "not applicable"})
PHASES_LISTED: Final = (
    "Nursery, Primary, Middle deemed primary, Secondary, Middle deemed secondary, 16 plus, All-through and"
    " Not applicable"
)
"""What the register's columns of phases may say, and how people read it."""

STATUSES: Final = {
    "1": "open",
    "2": "closed",
    "3": "proposed_to_close",
    "4": "proposed_to_open",
    "open": "open",
    "closed": "closed",
    "open, but proposed to close": "proposed_to_close",
    "proposed to open": "proposed_to_open",
}


STATUS_WORDS: Final = frozenset(STATUSES)
STATUSES_LISTED: Final = "Open, Closed, Proposed to open, and Open, but proposed to close"

TYPES: Final = (
    "Community school",
    "Voluntary aided school",
    "Voluntary controlled school",
    "Foundation school",
    "City technology college",
    "Community special school",
    "Non-maintained special school",
    "Other independent special school",
    "Other independent school",
    "Foundation special school",
    "Pupil referral unit",
    "Local authority nursery school",
    "LA nursery school",
    "Further education",
    "Secure units",
    "Offshore schools",
    "Service children's education",
    "Miscellaneous",
    "Academy sponsor led",
    "Higher education institutions",
    "Welsh establishment",
    "Sixth form centres",
    "Special post 16 institution",
    "Academy special sponsor led",
    "Academy converter",
    "Free schools",
    "Free schools special",
    "British schools overseas",
    "Free schools alternative provision",
    "Free schools 16 to 19",
    "University technical college",
    "Studio schools",
    "Academy alternative provision converter",
    "Academy alternative provision sponsor led",
    "Academy special converter",
    "Academy 16-19 converter",
    "Academy 16 to 19 sponsor led",
    "Children's centre",
    "Children's centre linked site",
    "Online provider",
    "Institution funded by other government department",
    "Academy secure 16 to 19",
)
"""Types of establishment by name. The register adds to them: a new one is known by the number beside it."""

TYPE_WORDS: Final = frozenset(name.casefold() for name in TYPES)


def plain_word(cell: str) -> str:
    """A word of the register as the tables of this file have it: `Open ` is `open`, `07` and `7.0` are `7`."""
    plain = " ".join(cell.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split()).removesuffix(".0")
    return plain.lstrip("0") or "0" if plain.isdecimal() else plain


def words(cells: pl.Expr) -> pl.Expr:
    """The text in lower case with single spaces."""
    return cells.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def code(cells: pl.Expr) -> pl.Expr:
    """A code as its digits: `07` and `7.0` are `7`."""
    return cells.str.strip_chars().str.strip_suffix(".0").str.replace(r"^0+(\d)", "$1")


def phase_of(type_code: pl.Expr, type_name: pl.Expr, phase: pl.Expr) -> pl.Expr:
    """The phase: special and alternative provision by the type of establishment, else by the register's
    phase.

    Null when neither has one, as for a children's centre.
    """
    kind, name = code(type_code), words(type_name)
    return (
        pl.when(
            kind.is_in(ALTERNATIVE_TYPES)
            | name.str.contains("alternative provision", literal=True)
            | name.str.contains("pupil referral", literal=True)
        )
        .then(pl.lit("alternative_provision"))
        .when(kind.is_in(SPECIAL_TYPES) | name.str.contains(r"\bspecial\b"))
        .then(pl.lit("special"))
        .when(code(phase).is_in(list(PHASES)))
        .then(code(phase).replace_strict(PHASES, default=None, return_dtype=pl.String))
        .when(words(phase).is_in(list(PHASES)))
        .then(words(phase).replace_strict(PHASES, default=None, return_dtype=pl.String))
        .when(kind.is_in(NURSERY_TYPES) | name.str.contains("nursery", literal=True))
        .then(pl.lit("nursery"))
        .when(kind.is_in(SIXTEEN_PLUS_TYPES))
        .then(pl.lit("sixteen_plus"))
    )


def status_of(status: pl.Expr) -> pl.Expr:
    """Whether a school is open, from the register's code or words; null for anything else."""
    return pl.coalesce(
        code(status).replace_strict(STATUSES, default=None, return_dtype=pl.String),
        words(status).replace_strict(STATUSES, default=None, return_dtype=pl.String),
    )


def laestab_of(la_code: pl.Expr, number: pl.Expr) -> pl.Expr:
    """Seven digits: three of the local authority and four of the school; null unless both are known."""
    la, school = code(la_code), code(number)
    is_known = la.str.contains(r"^\d{3}$") & school.str.contains(r"^\d{1,4}$")
    return pl.when(is_known).then(pl.concat_str(la, school.str.zfill(4)))


def whole(cells: pl.Expr) -> pl.Expr:
    """A number that spreadsheets may have made a decimal, as its digits: `10066112.0` is `10066112`."""
    digits = cells.str.strip_chars().str.replace(r"\.0+$", "")
    return pl.when(digits.str.contains(r"^\d+$")).then(digits)


def company_number(cells: pl.Expr) -> pl.Expr:
    """A Companies House number with its eight characters: `7525820.0` is `07525820`, `OC304173` stays."""
    return cells.map_elements(trusts.company_number, return_dtype=pl.String)
