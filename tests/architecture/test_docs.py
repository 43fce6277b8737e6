"""The documents can be followed: what they link to exists, and the index of decisions has every decision."""

import re
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
PAGES = sorted(
    name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "*.md"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    if (HOUSE / name).is_file() and not name.startswith("CHANGELOG")
)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")
NAMED = re.compile(r"`((?:docs|tests|services|gateway|deploy|openapi)/[\w./-]+\.(?:md|py|toml|json))`")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def text_of(name: str) -> str:
    return FENCED.sub("", (HOUSE / name).read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made from the text."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_every_relative_link_leads_to_something(name: str) -> None:
    broken = []
    for path, anchor in LINK.findall(text_of(name)):
        target = (HOUSE / name).parent / path if path else HOUSE / name
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith(("changes/", "docs/adr/0"))])
def test_every_file_that_is_named_by_its_path_exists(name: str) -> None:
    # `visits` is the example of a slice that isn't there.
    assert [path for path in NAMED.findall(text_of(name)) if "visits" not in path and not (HOUSE / path).exists()] == []


def test_the_index_has_every_decision_by_its_number() -> None:
    index = (HOUSE / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| \[(\d{4})\]\((\d{4}[\w-]+\.md)\) \| .+ \| .+ \|$", index, re.MULTILINE))
    decisions = {(file.name[:4], file.name) for file in (HOUSE / "docs" / "adr").glob("[0-9]*.md")}
    assert rows == decisions
