"""Codes of single faults: each is declared once, in words with underscores."""

import re
from pathlib import Path

import pytest

from academy.imports.schemas import Confirmation
from kit.field_codes import FieldCode, KitCode, code_named
from trellis.docs import DEFINITIONS, definition_of

DOCS = Path(__file__).resolve().parents[2] / "docs"


def declared(service: str) -> list[FieldCode]:
    """Every code of the service's own."""
    return [
        code
        for module in definition_of(service).modules("codes")
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, FieldCode) and kind is not FieldCode
        for code in kind
    ]


@pytest.mark.parametrize("service", DEFINITIONS)
def test_a_code_has_one_meaning_in_a_service_and_is_words_with_underscores(service: str) -> None:
    meanings: dict[str, set[str]] = {}
    for code in [*KitCode, *declared(service)]:
        meanings.setdefault(code.value, set()).add(code.means)

    assert {code: said for code, said in meanings.items() if len(said) > 1} == {}
    assert [code for code in meanings if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", code)] == []
    assert definition_of(service).field_codes == {code: said.pop() for code, said in sorted(meanings.items())}


def test_pages_spell_codes_of_faults_with_underscores() -> None:
    codes = {code.value for service in DEFINITIONS for code in [*KitCode, *declared(service)]}
    faults = {code.replace("_", "-") for code in codes if "_" in code}
    problems = set(re.findall(r"^\| `([a-z-]+)` \| \d{3} ", (DOCS / "api/errors.md").read_text(), re.MULTILINE))
    assert len(problems) > 50
    misspelt = faults - problems - set(Confirmation)

    found = {
        (page.name, word)
        for page in DOCS.rglob("*.md")
        for word in re.findall(r"`([a-z-]+)`", page.read_text())
        if word in misspelt
    }
    assert found == set()


def test_a_fault_that_nobody_declared_is_a_value_error() -> None:
    assert code_named("missing") is KitCode.MISSING
    assert code_named("complex_str_parsing") is KitCode.VALUE_ERROR
