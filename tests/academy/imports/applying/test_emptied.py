"""Figures that had a value and have none in a later file: counted by measure, in the gravest of warnings."""

import httpx
import pytest

from tests.academy.imports.conftest import Workbench

OWN = "urn,measure,academic_year,value,reason,odd\n"
KS4 = "RECTYPE,LEA,URN,ATT8SCR,P8MEA\n"


@pytest.fixture
async def operator(bench: Workbench) -> httpx.AsyncClient:
    return await bench.client("platform-operator")


def own(*values: str) -> str:
    return OWN + "".join(
        f"136105,{measure},2024/25,{value},,\n" for measure, value in zip(MEASURES, values, strict=True)
    )


MEASURES = ("ks4.attainment_8", "attendance.overall_percent", "phonics.expected_percent")


@pytest.mark.parametrize("dry_run", [True, False])
async def test_own_figures_that_become_empty_are_warned_of_with_their_number(
    bench: Workbench, *, dry_run: bool
) -> None:
    manager = await bench.client()
    first = await bench.load(manager, "observations", own("47.5", "92.4", "SUPP"))
    assert [warning["code"] for warning in first["warnings"]] == ["academy_not_of_trust", "unknown_column"]
    second = await bench.load(manager, "observations", own("NA", "93.1", "SUPP"), dry_run=dry_run)
    assert second["state"] == "succeeded"
    assert [warning["code"] for warning in second["warnings"]] == [
        "figures_emptied",
        "academy_not_of_trust",
        "unknown_column",
    ]
    assert "Attainment 8" in second["warnings"][0]["detail"]
    assert "not_applicable" in second["warnings"][0]["detail"] and "time)" not in second["warnings"][0]["detail"]


async def test_published_figures_of_schools_and_areas_that_become_empty_are_counted(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    full = "1,352,135874,44.1,0.1\n1,352,105560,45.1,0.2\n7,,,46.5,0\n"
    await bench.load(operator, "dfe-ks4", KS4 + full, academic_year="2017/18")
    empty = "1,352,135874,,0.1\n1,352,105560,NE,0.2\n7,,,NA,0\n"
    ended = await bench.load(operator, "dfe-ks4", KS4 + empty, academic_year="2017/18")
    assert ended["state"] == "succeeded", ended
    emptied = [warning["detail"] for warning in ended["warnings"] if warning["code"] == "figures_emptied"]
    assert len(emptied) == 2
    assert any("(2 times)" in detail for detail in emptied) and not any("(1 time)" in detail for detail in emptied)
    again = await bench.load(operator, "dfe-ks4", KS4 + empty, academic_year="2017/18")
    assert [warning["code"] for warning in again["warnings"]] == []
