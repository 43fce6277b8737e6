"""The importing guide says what the code does."""

from pathlib import Path

import pytest

from academy.imports.formats.guide import BEGIN, END, main, with_kinds
from academy.imports.formats.kinds import KINDS

PAGE = Path(__file__).parents[4] / "docs" / "guides" / "importing.md"


def test_the_guide_is_fresh() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_kinds(text), "run: python -m academy.imports.formats.guide docs/guides/importing.md"


def test_the_guide_names_every_column_of_every_kind() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for kind in KINDS.values():
        part = text.split(f"### {kind.code}\n")[1].split("\n### ")[0]
        for column in kind.columns:
            assert f"`{column.name}`" in part, (kind.code, column.name)


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no part between"):
        with_kinds("nothing here")
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    main([str(page)])
    assert page.read_text(encoding="utf-8").startswith("before\n") and "\nold\n" not in page.read_text(encoding="utf-8")
