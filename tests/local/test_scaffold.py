"""`make slice` writes a slice that passes every check as it is, in a copy of the tree."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trellis.contracts.documents import repository
from trellis.places import package_folder
from trellis.scaffold.names import NameNotUsable, names_of
from trellis.scaffold.writing import SliceExists, lay_out, write_slice

MEMBERS = ("kit", "sector", "academy", "research", "reporting")


@pytest.mark.parametrize(
    ("things", "thing"),
    [
        ("visits", "visit"),
        ("categories", "category"),
        ("mis-batches", "mis_batch"),
        ("focuses", "focus"),
        ("self_evaluations", "self_evaluation"),
    ],
)
def test_the_singular_is_found(things: str, thing: str) -> None:
    assert names_of("academy", things).thing == thing


@pytest.mark.parametrize("arguments", [("gateway", "visits"), ("academy", "Visits!"), ("academy", "staff")])
def test_a_name_that_no_slice_can_have_is_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(NameNotUsable):
        names_of(*arguments)


def test_an_existing_slice_is_left_alone() -> None:
    with pytest.raises(SliceExists):
        write_slice(repository(), names_of("academy", "moderations"))


def test_a_new_file_is_laid_out_without_complaints(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A long line that the layout breaks was printed as an error."""
    long = ", ".join(f"'name_of_column_{number}'" for number in range(8))
    (tmp_path / "pyproject.toml").write_text('[tool.ruff]\nline-length = 120\nlint.select = ["E", "I"]\n')
    made = tmp_path / "made.py"
    made.write_text(f"import sys\nimport ast\n\nprint(ast, sys, {long})\n")

    lay_out(tmp_path, [made])

    assert capfd.readouterr() == ("", "")
    assert made.read_text().startswith("import ast\nimport sys\n")
    assert max(len(line) for line in made.read_text().splitlines()) <= 120


def tree(folder: Path) -> dict[str, str]:
    """A copy of the tree in `folder`, with the environment in which its own code is found first."""
    root = repository()
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    if (root / ".mypy_cache").is_dir():
        # What hasn't changed isn't checked again.
        shutil.copytree(root / ".mypy_cache", folder / ".mypy_cache")
    members = [f"services/{member}/src" for member in MEMBERS]
    sources = [str(folder / path) for path in (*members, "gateway/src", "deploy/local/src")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(sources)}


def commands(folder: Path) -> Callable[..., None]:
    """Runs modules in a copy of the tree, each of which must succeed."""
    # As root, Postgres runs as somebody else, who must get in.
    folder.chmod(0o755)
    environment = tree(folder)

    def run(*command: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"

    return run


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_new_slice_passes_every_check_untouched(tmp_path: Path) -> None:
    run = commands(tmp_path)
    run("trellis.scaffold", "academy", "visits")
    run("trellis.migration", "academy", "create visits")
    run("trellis.contracts", "generate")
    run("trellis.docs", "generate")
    run("ruff", "format", "--check", ".")
    run("ruff", "check", ".")
    run("importlinter.cli", "--config", "pyproject.toml")
    run("mypy", "services/academy/src/academy/visits", "tests/academy/visits")
    run("trellis.contracts", "check")
    tests = ["tests/academy/visits", "tests/architecture/test_access.py", "tests/contracts/test_access_matrix.py"]
    # Of the cells of the matrix those of the new slice: the others are tried in this tree.
    chosen = "visits or not (test_nobody_gets_in or test_each_role_gets_in)"
    run("pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", chosen, *tests)
    assert package_folder("kit").is_relative_to(repository())


@pytest.mark.slow
def test_a_slice_of_a_whole_trust_with_a_long_name_is_laid_out_as_well(tmp_path: Path) -> None:
    run = commands(tmp_path)
    run("trellis.scaffold", "research", "standardisation_rounds")
    places = ["services/research", "tests/research", "gateway/src/gateway/identity/roles.py"]
    run("ruff", "format", "--check", *places)
    run("ruff", "check", *places)
    run("trellis.contracts", "generate")
