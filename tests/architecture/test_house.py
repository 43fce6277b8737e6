"""The rules of the house that can be seen in the files.

What is committed, what is locked, how members are made.
"""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOUSE = Path(__file__).resolve().parents[2]
LONGEST_PYTHON_FILE = 399

# Put together here so that this file doesn't name them.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("docker", "io"),
        ("hub", "docker", "com"),
        ("ghcr", "io"),
        ("gcr", "io"),
        ("pkg", "dev"),
        ("quay", "io"),
        ("public", "ecr", "aws"),
        ("mcr", "microsoft", "com"),
        ("registry", "k8s", "io"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("rubygems", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("nuget", "org"),
        ("anaconda", "org"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("dl-cdn", "alpinelinux", "org"),
        ("download", "pytorch", "org"),
        ("githubusercontent", "com"),
    )
)
REGISTRY = re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, REGISTRY_HOSTS)) + r")(?![\w-]|\.\w)", re.IGNORECASE)
RELEASE_DOWNLOAD = re.compile(r"/releases/" + "download/", re.IGNORECASE)
MACHINE_PATH = re.compile(
    r"(?<![\w.}#)>/-])/(?:" + "|".join(("wo" + "rk", "ro" + "ot", "home/" + r"\w+", "Us" + r"ers/\w+")) + r")(?![\w-])"
)
UNFINISHED = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")
PRIVATE_KEY = re.compile("-----BEGIN [A-Z ]*" + "PRIVATE KEY-----")

MADE_NOT_COMMITTED = frozenset(
    [
        ".git",
        ".venv",
        ".trellis",
        "build",
        "node_modules",
        "__pycache__",
        ".hypothesis",
        ".import_linter_cache",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
    ]
)

# Distributions that are part of another one's interface: declaring the second is enough to import the first.
COMES_WITH = {
    "cryptography": "python-jose",
    "psycopg-pool": "psycopg",
    "pydantic-core": "pydantic",
    "starlette": "fastapi",
}


@cache
def committed() -> tuple[Path, ...]:
    """The files that git knows; in a release archive, all that aren't made by tools."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if listing.returncode == 0 and (HOUSE / ".git").exists():
        found = [HOUSE / name for name in listing.stdout.split("\0") if name]
    else:
        found = [path for path in HOUSE.rglob("*") if not MADE_NOT_COMMITTED & set(path.relative_to(HOUSE).parts)]
    return tuple(sorted(path for path in found if path.is_file()))


@cache
def texts() -> dict[str, str]:
    """Every committed text file by its path from the top; files that aren't UTF-8 are left out."""
    found = {}
    for path in committed():
        try:
            found[path.relative_to(HOUSE).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def places(pattern: re.Pattern[str], files: dict[str, str]) -> list[str]:
    return [
        f"{name}:{number}: {found.group()}"
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (found := pattern.search(line))
    ]


@cache
def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((HOUSE / name).read_text(encoding="utf-8"))


def members() -> list[str]:
    found: list[str] = toml("pyproject.toml")["tool"]["uv"]["workspace"]["members"]
    return found


def package_of(member: str) -> Path:
    (package,) = (path for path in (HOUSE / member / "src").iterdir() if (path / "__init__.py").exists())
    return package


def declared(member: str) -> list[Requirement]:
    return [Requirement(line) for line in toml(f"{member}/pyproject.toml")["project"]["dependencies"]]


def dev_group() -> list[Requirement]:
    return [Requirement(line) for line in toml("pyproject.toml")["dependency-groups"]["dev"]]


@cache
def locked() -> dict[str, list[tuple[str, bool]]]:
    """Each locked package: its versions (several where platforms differ), each with whether it has a hash."""
    found: dict[str, list[tuple[str, bool]]] = {}
    text = (HOUSE / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            pin, hashed, _ = line.partition(" --hash=sha256:")
            requirement = Requirement(pin.strip())
            (version,) = requirement.specifier
            assert version.operator == "==", line
            found.setdefault(canonicalize_name(requirement.name), []).append((version.version, bool(hashed)))
    return found


# --- What is committed


def test_something_is_committed() -> None:
    assert "pyproject.toml" in texts()
    assert "tests/architecture/test_house.py" in texts() or not (HOUSE / ".git").exists()


def test_no_file_names_a_package_registry() -> None:
    assert places(REGISTRY, texts()) == []


def test_no_file_holds_a_download_address() -> None:
    assert places(RELEASE_DOWNLOAD, texts()) == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    assert places(MACHINE_PATH, texts()) == []


def test_nothing_unfinished_is_left_in_a_comment() -> None:
    assert places(UNFINISHED, texts()) == []


def test_no_private_key_is_committed() -> None:
    assert places(PRIVATE_KEY, texts()) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (REGISTRY, "--index-url https://" + REGISTRY_HOSTS[0] + "/simple"),
        (REGISTRY, "files." + REGISTRY_HOSTS[1]),
        (REGISTRY, "image: " + REGISTRY_HOSTS[7].upper() + "/owner/name:1"),
        (RELEASE_DOWNLOAD, "https://example.org/releases/" + "download/v1/x.tar.gz"),
        (MACHINE_PATH, "see /wo" + "rk/notes.md"),
        (MACHINE_PATH, "cd /ro" + "ot"),
        (MACHINE_PATH, 'path = "/home/' + 'someone/x"'),
        (UNFINISHED, "# TO" + "DO: later"),
        (UNFINISHED, "# FIX" + "ME"),
        (PRIVATE_KEY, "-----BEGIN EC " + "PRIVATE KEY-----"),
    ],
)
def test_the_patterns_find_what_they_look_for(pattern: re.Pattern[str], line: str) -> None:
    assert places(pattern, {"x": line}) != []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (REGISTRY, "https://docker.iolite.example"),
        (MACHINE_PATH, "GET /academy/v1/ro" + "ot"),
        (MACHINE_PATH, "https://example.org/wo" + "rk/"),
        (MACHINE_PATH, "/wo" + "rkers"),
        (UNFINISHED, "a list of todos"),
    ],
)
def test_the_patterns_leave_the_rest_alone(pattern: re.Pattern[str], line: str) -> None:
    assert places(pattern, {"x": line}) == []


def test_there_is_no_uv_lock() -> None:
    assert [path for path in committed() if path.name == "uv.lock"] == []


def test_every_python_file_is_under_400_lines() -> None:
    long = {
        name: len(text.splitlines())
        for name, text in texts().items()
        if name.endswith(".py") and "/migrations/" not in name and len(text.splitlines()) > LONGEST_PYTHON_FILE
    }
    assert long == {}


def test_only_one_place_makes_a_304() -> None:
    """There it is cut from the whole answer's headers; one made elsewhere would forget some."""
    made = re.compile(r"status_code=304|HTTP_304")
    sources = {name: text for name, text in texts().items() if name.endswith(".py") and "/src/" in name}

    assert [place.partition(":")[0] for place in places(made, sources)] == ["services/kit/src/kit/web/tags.py"]


def test_every_decision_says_when_a_change_violates_it() -> None:
    decisions = {name: text for name, text in texts().items() if re.match(r"docs/adr/\d", name)}
    assert [name for name, text in decisions.items() if "## A change violates this when ..." not in text] == []
    numbers = [Path(name).name[:4] for name in decisions]
    assert len(numbers) == len(set(numbers)), f"a number stands twice: {numbers}"


def test_every_change_fragment_has_a_known_kind() -> None:
    kinds = "|".join(kind["directory"] for kind in toml("pyproject.toml")["tool"]["towncrier"]["type"])
    named = re.compile(rf"changes/(?:\+[a-z0-9-]+|\d+)\.(?:{kinds})(?:\.\d+)?\.md|changes/README\.md")
    assert [name for name in texts() if name.startswith("changes/") and not named.fullmatch(name)] == []


# --- What is locked


def test_every_locked_package_has_a_hash() -> None:
    assert len(locked()) > 100
    assert [name for name, pins in locked().items() if not all(hashed for _, hashed in pins)] == []


def test_the_lock_names_no_place() -> None:
    text = (HOUSE / "requirements.lock").read_text(encoding="utf-8")
    assert re.findall(r"://|^-|^\.|^/| @ ", text, re.MULTILINE) == []


def test_every_declared_dependency_is_in_the_lock_at_a_version_that_fits() -> None:
    own = {toml(f"{member}/pyproject.toml")["project"]["name"] for member in members()}
    wanted = [requirement for member in members() for requirement in declared(member)] + dev_group()
    unmet = [
        str(requirement)
        for requirement in wanted
        if requirement.name not in own
        and not any(
            requirement.specifier.contains(version, prereleases=True)
            for version, _ in locked().get(canonicalize_name(requirement.name), [])
        )
    ]
    assert unmet == [], "run make lock"


def test_the_build_backend_and_the_installer_are_locked() -> None:
    backends = {
        Requirement(line).name
        for member in members()
        for line in toml(f"{member}/pyproject.toml")["build-system"]["requires"]
    }
    assert backends | {"uv"} <= locked().keys()


# --- How members are made


def test_every_folder_with_a_project_is_a_member() -> None:
    projects = {str(Path(name).parent) for name in texts() if name.endswith("/pyproject.toml")}
    assert projects == set(members())


def test_make_and_the_workspace_name_the_same_members() -> None:
    (line,) = re.findall(r"^MEMBERS := (.*)$", texts()["Makefile"], re.MULTILINE)
    assert line.split() == members()


@pytest.mark.parametrize("member", members())
def test_member_is_made_like_the_others(member: str) -> None:
    project = toml(f"{member}/pyproject.toml")["project"]
    assert project["name"] == f"trellis-{Path(member).name}"
    assert project["requires-python"] == ">=3.11"
    assert (package_of(member) / "py.typed").exists()
    loose = [str(requirement) for requirement in declared(member) if not requirement.specifier]
    assert [name for name in loose if not name.startswith("trellis-")] == []


def test_every_folder_of_python_is_a_package() -> None:
    """Without `__init__.py` import-linter doesn't see the folder, and its contracts hold for nothing."""
    python = [HOUSE / name for name in texts() if re.search(r"(^|/)src/(?!.*/migrations/).*\.py$", name)]
    bare = {path.parent.relative_to(HOUSE).as_posix() for path in python if not (path.parent / "__init__.py").exists()}
    assert bare == set()


def test_every_slice_says_what_it_is() -> None:
    slices = {
        name: text for name, text in texts().items() if re.search(r"/src/\w+/(?!migrations/)\w+/__init__\.py$", name)
    }
    silent = [name for name, text in slices.items() if not ast.get_docstring(ast.parse(text))]
    assert silent == []


def imported(files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The file and the top-level name of each absolute import in it."""
    for name, text in files:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield name, alias.name.partition(".")[0]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield name, node.module.partition(".")[0]


@pytest.mark.parametrize("member", members())
def test_member_declares_what_it_imports(member: str) -> None:
    package = package_of(member)
    own = {canonicalize_name(requirement.name) for requirement in declared(member)}
    distributions = importlib.metadata.packages_distributions()
    houses = {package_of(other).name: toml(f"{other}/pyproject.toml")["project"]["name"] for other in members()}
    sources = [
        (name, text) for name, text in texts().items() if name.startswith(f"{member}/src/") and name.endswith(".py")
    ]
    undeclared = set()
    for name, module in imported(sources):
        if module in sys.stdlib_module_names or module == package.name:
            continue
        offers: set[str] = {
            canonicalize_name(found) for found in distributions.get(module, [houses.get(module, module)])
        }
        offers |= {COMES_WITH[offer] for offer in offers & COMES_WITH.keys()}
        if not offers & own:
            undeclared.add(f"{name}: {module}")
    assert undeclared == set()
