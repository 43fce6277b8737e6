"""What the demo loads, in order."""

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from gateway.identity.tenants.demo import DEMO_TENANTS
from trellis.importing import Load

DATA = Path(__file__).parent / "data"

TRUSTS = tuple(tenant.group_uid for tenant in DEMO_TENANTS)
"""Group UIDs of the demo trusts, the main one first."""

CRITERIA_PACKAGE = "academy.criteria"
CRITERIA_FILE = "demonstration.json"


@dataclass(frozen=True, slots=True)
class File:
    """One published file, and what is said with it."""

    kind: str
    name: str
    academic_year: str | None = None

    def load(self) -> Load:
        """What `trellis import` would be told."""
        return Load(self.kind, DATA / f"{self.name}.gz", self.academic_year)


FILES = (
    File("gias-groups", "groups.csv"),
    File("gias-group-links", "group_links.csv"),
    File("dfe-school-profiles", "Establishment.json", "2024/25"),
    File("ofsted-inspections", "ofsted_ratings.csv"),
    File("dfe-census", "2022-2023_census.csv", "2022/23"),
    File("dfe-ks2", "2018-2019_ks2final.csv", "2018/19"),
    File("dfe-ks4", "2018-2019_england_ks4final.csv", "2018/19"),
    File("dfe-attendance", "202425_attendance.csv"),
    File("dfe-school-profiles", "EnglandPerformance.json", "2024/25"),
    File("dfe-school-profiles", "EnglandAbsence.json", "2024/25"),
    File("dfe-school-profiles", "LAPerformance.json", "2024/25"),
    File("dfe-school-profiles", "LAAbsence.json", "2024/25"),
    File("dfe-school-profiles", "EstablishmentPerformance.json", "2024/25"),
    File("dfe-school-profiles", "EstablishmentAbsence.json", "2024/25"),
    # Where pupils went is known two years later.
    File("dfe-school-profiles", "EnglandDestinations.json", "2022/23"),
    File("dfe-school-profiles", "LADestinations.json", "2022/23"),
    File("dfe-school-profiles", "EstablishmentDestinations.json", "2022/23"),
)
"""The register before the figures, what is compared with before what is compared."""


def criteria_document() -> bytes:
    """The demonstration criteria sets, as academy ships them."""
    return (resources.files(CRITERIA_PACKAGE) / CRITERIA_FILE).read_bytes()


def digest() -> str:
    """Changes when there is something else to load."""
    found = hashlib.sha256(criteria_document())
    for file in FILES:
        found.update(f"{file.kind} {file.academic_year} ".encode())
        found.update((DATA / f"{file.name}.gz").read_bytes())
    return found.hexdigest()
