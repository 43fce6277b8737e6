"""The keys of the DfE's School Profiles sample: what `EngMaths59_Tot_Est_Previous_Pct` is about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Part = Literal["value", "lower", "upper", "cohort", "band"]

_KEY: Final = re.compile(r"(?P<stem>.+)_(?P<area>Est|LA|Eng)_(?P<when>Current|Previous2|Previous)(?:_(?:Pct|Num))?")

YEARS_BACK: Final = {"Current": 0, "Previous": -1, "Previous2": -2}
"""`Current` is the year that is given with the file."""

AREAS: Final = {"Est": None, "LA": "la", "Eng": "england"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a stem is about; `phase` is that of the area's schools, of several
    the lowest `rank` comes first."""

    measure: str
    group: str = "all"
    part: Part = "value"
    phase: str = "all"
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """A key: what it is about, of which area, how many years back."""

    name: str
    meaning: Meaning
    area: str | None
    years_back: int


_ALL: Final = {"Tot": "all", "Boy": "boys", "Grl": "girls", "Dis": "disadvantaged", "EAL": "eal", "NMo": "non_mobile"}
_KS2_GROUPS: Final = {
    "": "all",
    "_B": "boys",
    "_G": "girls",
    "_EAL": "eal",
    "_FSM6CLA1A": "disadvantaged",
    "_NOTFSM6CLA1A": "not_disadvantaged",
    "_MOBN": "non_mobile",
}


_PROGRESS_8: Final[dict[str, Part]] = {
    "Prog8_Tot": "value",
    "Prog8_Avg": "value",
    "Prog8_CI_Lower": "lower",
    "Prog8_CI_Upper": "upper",
    "Prog8_TotPup": "cohort",
    "Prog8_Banding": "band",
}
_KS2_PARTS: Final[dict[str, Part]] = {"": "value", "_LOWER": "lower", "_UPPER": "upper", "_DESCR": "band"}


def _stems() -> Iterator[tuple[str, Meaning]]:
    for ending, group in _ALL.items():
        yield f"Attainment8_{ending}", Meaning("ks4.attainment_8", group)
        yield f"EngMaths59_{ending}", Meaning("ks4.english_maths_grade_5_percent", group)
        yield f"EngMaths49_{ending}", Meaning("ks4.english_maths_grade_4_percent", group)
        for stem, code in (
            ("AllDest", "destinations"),
            ("Education", "destinations_education"),
            ("Employment", "destinations_employment"),
            ("Apprentice", "destinations_apprenticeship"),
        ):
            yield f"{stem}_{ending}", Meaning(f"ks4.{code}_percent", group)
    for stem, part in _PROGRESS_8.items():
        yield stem, Meaning("ks4.progress_8", "all", part)
    # Without an ending these are of secondary schools, as the sample's data map says.
    for ending, phase, rank in (("", "secondary", 0), ("KS2", "primary", 1), ("SPE", "special", 2)):
        yield f"Abs_Tot{ending}", Meaning("absence.overall_percent", phase=phase, rank=rank)
        yield f"Auth_Tot{ending}", Meaning("absence.authorised_percent", phase=phase, rank=rank)
        yield f"UnAuth_Tot{ending}", Meaning("absence.unauthorised_percent", phase=phase, rank=rank)
        yield f"Abs_Persistent{ending}", Meaning("absence.persistent_percent", phase=phase, rank=rank)
    for ending, group in _KS2_GROUPS.items():
        yield f"PTRWM_EXP{ending}", Meaning("ks2.rwm_expected_percent", group)
        yield f"PTRWM_HIGH{ending}", Meaning("ks2.rwm_higher_percent", group)
        for code, subject in (("READ", "reading"), ("MAT", "maths"), ("GPS", "gps")):
            yield f"{code}_AVERAGE{ending}", Meaning(f"ks2.{subject}_scaled_score", group)
    for code in ("EXP", "HIGH"):
        for stem, subject in (("READ", "reading"), ("MAT", "maths"), ("GPS", "gps"), ("WRITTA", "writing")):
            standard = {"EXP": "expected", "HIGH": "higher"}[code]
            yield f"PT{stem}_{code}", Meaning(f"ks2.{subject}_{standard}_percent")
    for code, subject in (("READPROG", "reading"), ("WRITPROG", "writing"), ("MATPROG", "maths")):
        for ending, part in _KS2_PARTS.items():
            yield f"{code}{ending}", Meaning(f"ks2.{subject}_progress", "all", part)


STEMS: Final = dict(_stems())


def parse_key(name: str) -> Key | None:
    """What a key is about; None for one that isn't read. `Abs_Persistent..._Num` counts pupils and isn't
    read."""
    found = _KEY.fullmatch(name)
    meaning = STEMS.get(found["stem"]) if found else None
    if found is None or meaning is None:
        return None
    if name.endswith("_Num") and meaning.measure.endswith("_percent") and meaning.part == "value":
        return None
    return Key(name, meaning, AREAS[found["area"]], YEARS_BACK[found["when"]])
