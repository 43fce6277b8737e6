"""Writing a new slice: its files from the templates, its line in the service's tuple, its scopes among the roles."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2

from trellis.scaffold.names import Names

ROLES = Path("gateway/src/gateway/identity/roles.py")


class SliceExists(Exception):
    """There is a folder of this name already."""


def write_slice(root: Path, names: Names) -> list[Path]:
    """The files that were written or changed, below `root`. Raises SliceExists."""
    source = root / "services" / names.service / "src" / names.service / names.things
    tests = root / "tests" / names.service / names.things
    if source.exists() or tests.exists():
        raise SliceExists(f"There is a slice {names.things} in {names.service} already.")
    written = []
    for template, text in _filled(names):
        kind, _, name = template.partition(".")
        folder = {"slice": source, "tests": tests, "change": root / "changes"}[kind]
        path = folder / (f"+{names.things.replace('_', '-')}.added.md" if kind == "change" else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    changed = [_register(root, names), _grant(root, names)]
    lay_out(root, [*(path for path in written if path.suffix == ".py"), *changed])
    return [*written, *changed]


def _filled(names: Names) -> Iterator[tuple[str, str]]:
    """Each template's name without its ending, and its text for this slice."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("trellis.scaffold"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Python, not HTML
    )
    for template in sorted(environment.list_templates()):
        yield template.removesuffix(".j2"), environment.get_template(template).render(names.values())


def _register(root: Path, names: Names) -> Path:
    """Add the slice to its service's tuple."""
    path = root / "services" / names.service / "src" / names.service / "definition.py"
    text = path.read_text(encoding="utf-8")
    found = re.search(r"slices=\((.*?)\)", text, re.DOTALL)
    assert found is not None
    slices = [*re.findall(r'"(\w+)"', found[1]), names.things]
    listed = "".join(f'        "{name}",\n' for name in slices)
    path.write_text(f"{text[: found.start()]}slices=(\n{listed}    ){text[found.end() :]}", encoding="utf-8")
    return path


def _grant(root: Path, names: Names) -> Path:
    """Describe the slice's scopes; let everybody read who reads details, and the chief executive write."""
    path = root / ROLES
    text = path.read_text(encoding="utf-8")
    dashed = names.things.replace("_", "-")
    scopes = f"""        "{dashed}:read": "Read {names.things_words}.",
        "{dashed}:write": "Create and change {names.things_words}.",
"""
    text, inserted = re.subn(r'(?m)^(?=        "events:read":)', scopes, text, count=1)
    text, read = re.subn(r"(?m)^_DETAIL: Final = .*?\{", rf'\g<0>"{dashed}:read", ', text, count=1)
    # The scopes of a role come after its texts, on one line or several, up to its next named argument.
    text, written = re.subn(
        r'(?s)(Role\(\s+"chief-executive",(?:\s+"[^"]*",)+\s+(?!").*?)(,\n +\w+=)',
        rf'\g<1> | {{"{dashed}:write"}}\g<2>',
        text,
        count=1,
    )
    assert (inserted, read, written) == (1, 1, 1), f"{ROLES} isn't laid out as expected"
    path.write_text(text, encoding="utf-8")
    return path


def lay_out(root: Path, paths: list[Path]) -> None:
    """Sort imports and lay out, as `make fmt` does."""
    files = [str(path) for path in paths]
    # First laid out: what is too long for one line then is, and no complaint of it is printed.
    for step in (["format"], ["check", "--fix", "--exit-zero"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *step, "--quiet", *files], cwd=root, check=True)
