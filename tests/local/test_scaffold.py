"""`make slice` writes a slice that passes every check as it is, in a copy of the tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trellis.contracts.documents import repository
from trellis.places import package_folder
from trellis.scaffold.names import NameNotUsable, names_of
from trellis.scaffold.writing import SliceExists, write_slice

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
    members = [f"services/{member}/src" for member in MEMBERS]
    sources = [str(folder / path) for path in (*members, "gateway/src", "deploy/local/src")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(sources)}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("service", "things"), [("academy", "visits"), ("research", "standardisation_rounds")])
def test_a_new_slice_passes_every_check_untouched(tmp_path: Path, service: str, things: str) -> None:
    # As root, Postgres runs as somebody else, who must get in.
    tmp_path.chmod(0o755)
    environment = tree(tmp_path)
    words = things.replace("_", " ")

    def run(*command: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"

    run("trellis.scaffold", service, things)
    run("trellis.migration", service, f"create {words}")
    run("trellis.contracts", "generate")
    run("trellis.docs", "generate")
    run("ruff", "format", "--check", ".")
    run("ruff", "check", ".")
    run("importlinter.cli", "--config", "pyproject.toml")
    run("mypy", f"services/{service}/src/{service}/{things}", f"tests/{service}/{things}")
    run("trellis.contracts", "check")
    tests = [f"tests/{service}/{things}", "tests/architecture/test_row_level_security.py"]
    if service == "academy":
        tests += ["tests/kit/schema/test_migrations.py", "tests/contracts/test_access_matrix.py"]
    run("pytest", "-q", "-x", "-p", "no:cacheprovider", *tests)
    assert package_folder("kit").is_relative_to(repository())
