"""The part of the importing guide that is made from the code: every kind, its columns and an example.

`python -m academy.imports.formats.guide docs/guides/importing.md` writes it between the page's two markers.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from academy.imports.formats.cells.symbols import EMPTY, EXPLORE_STATISTICS, PERFORMANCE_TABLES, REASONS
from academy.imports.formats.kind import Kind
from academy.imports.formats.kinds import KINDS

BEGIN: Final = "<!-- made from the code: begin -->"
END: Final = "<!-- made from the code: end -->"


def with_kinds(page: str) -> str:
    """The page with what stands between its markers made anew. Raises ValueError when it has no markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no part between {BEGIN} and {END}")
    return before + BEGIN + "\n\n" + "\n".join(_lines()) + "\n" + END + after


def _lines() -> Iterator[str]:
    yield "## Symbols and reasons\n"
    yield "| in the file | reason | which means |"
    yield "|---|---|---|"
    symbols = {**PERFORMANCE_TABLES, **EXPLORE_STATISTICS, **EMPTY}
    for reason, meaning in REASONS.items():
        written = ", ".join(f"`{symbol}`" for symbol, gives in symbols.items() if gives == reason)
        more = ", or nothing" if reason == "not_available" else ""
        yield f"| {written}{more} | `{reason}` | {meaning} |"
    yield ""
    yield "## Kinds\n"
    yield "| kind | what | loaded by | needs a year |"
    yield "|---|---|---|---|"
    for kind in KINDS.values():
        roles = ", ".join(kind.load.roles)
        year = "yes" if kind.needs_academic_year else "no"
        yield f"| [`{kind.code}`](#{kind.code}) | {kind.title} | {roles} | {year} |"
    yield ""
    for kind in KINDS.values():
        yield from _of(kind)


def _of(kind: Kind) -> Iterator[str]:
    yield f"### {kind.code}\n"
    yield f"{kind.title}, from {kind.publisher}. Sent as {' or '.join(kind.media_types)}.\n"
    yield f"{kind.notes}\n"
    yield "| column | required | meaning |"
    yield "|---|---|---|"
    for column in kind.columns:
        names = "`, `".join([column.name, *column.aliases])
        yield f"| `{names}` | {'yes' if column.required else ''} | {column.meaning} |"
    yield ""
    example = kind.example(every_column=False).rstrip()
    yield f"```{'json' if example.startswith('[') else 'csv'}\n{example}\n```\n"


def main(arguments: Sequence[str]) -> None:
    """Write the pages named."""
    for argument in arguments:
        page = Path(argument)
        page.write_text(with_kinds(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
