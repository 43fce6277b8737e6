"""The sector's values depend on nothing but what they are given; import-linter checks the imports."""

import ast
from pathlib import Path

import sector

SOURCES = sorted(Path(sector.__path__[0]).glob("*.py"))


def test_no_module_reads_a_clock_or_a_file() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"})
        or (isinstance(node, ast.Name) and node.id in {"open", "print", "input"})
    ]
    assert len(SOURCES) > 8
    assert found == []
