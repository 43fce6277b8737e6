"""Names in NDJSON, however they are spelled."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.academy.imports.formats.tables import WholeReading, codes, csv_file, read_file


def good(**changes: Any) -> dict[str, Any]:
    return {"urn": 135874, "measure": "ks4.attainment_8", "academic_year": "2025/26", "value": 46.4, **changes}


def read(folder: Path, rows: Sequence[dict[str, Any]], *more: str) -> WholeReading:
    text = "\n".join([*map(json.dumps, rows), *more]) + "\n"
    return read_file("observations", csv_file(folder, text), academic_year=None)


OTHER_SPELLINGS = [
    {"URN": 100001, "Measure": "ks4.attainment_8", "Academic_Year": "2025/26", "VALUE": 40, " Cohort ": 90, "Band": 3},
    {"uRN": 100002, "measure": "ks4.attainment_8", "academic_year": "2025/26", "Value": None, "Reason": "NE"},
    {"urn": 100003, "measure": "ks4.attainment_8", "academic_year": "2025/26", "value": 42, "odd": "a: b"},
]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("more", [[], ["{oops"]], ids=["read fast", "read slowly"])
def test_names_of_ndjson_are_matched_without_regard_to_case(
    tmp_path: Path, order: tuple[int, ...], more: list[str]
) -> None:
    found = read(tmp_path, [OTHER_SPELLINGS[place] for place in order], *more)
    assert codes(found) == [(4, None, "json_malformed")] * len(more)
    if not more:
        figures = found.frame("observations").sort("urn").select("value", "reason", "cohort", "published_band").rows()
        assert figures == [(40, None, 90, "average"), (None, "no_entries", None, None), (42, None, None, None)]


def test_names_that_nobody_knows_are_named_and_known_ones_of_another_case_are_not(tmp_path: Path) -> None:
    found = read(tmp_path, OTHER_SPELLINGS[2:] + OTHER_SPELLINGS[:1])
    assert [warning.column for warning in found.warnings] == ["odd"]


def test_one_name_in_two_cases_is_refused(tmp_path: Path) -> None:
    found = read(tmp_path, [good(), good(urn=100001, URN=100002)])
    assert codes(found) == [(2, None, "name_repeated")]


def test_files_in_another_case_take_the_short_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("academy.imports.formats.layouts.ndjson_file.NdjsonFile._slowly")
    rows = [{name.upper(): cell for name, cell in good(urn=100000 + n).items()} for n in range(50)]
    assert read(tmp_path, rows).rows_accepted == 50
