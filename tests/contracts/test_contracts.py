"""The committed contracts: what the apps say, unbroken, linted, and fit for generated clients."""

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.support.contracts import all_made
from trellis.contracts import nodetools
from trellis.contracts.calls import flaws_of_calls
from trellis.contracts.checks import broken, stale
from trellis.contracts.documents import APPS, Contract, contract_file, operations, read, repository

OPENAPI = repository() / "openapi"
TOOLS = OPENAPI / "tools"
EVERY = (*APPS, "trellis")

needs_node = pytest.mark.usefixtures("node_tools")


@pytest.fixture(scope="module")
def made() -> dict[str, Contract]:
    """Every contract as the apps state it now."""
    return all_made()


def test_committed_contracts_are_fresh(made: dict[str, Contract]) -> None:
    assert stale(OPENAPI, made) == []


def test_no_released_contract_is_broken(made: dict[str, Contract]) -> None:
    assert broken(OPENAPI, made) == []


def test_a_stale_contract_is_noticed(tmp_path: Path, made: dict[str, Contract]) -> None:
    contract_file(tmp_path, "academy").write_text("{}", encoding="utf-8")

    assert stale(tmp_path, {"academy": made["academy"]})


def test_every_listed_call_exists(made: dict[str, Contract]) -> None:
    assert flaws_of_calls(OPENAPI / "calls.toml", made) == []


def test_a_call_of_nothing_is_noticed(tmp_path: Path, made: dict[str, Contract]) -> None:
    file = tmp_path / "calls.toml"
    file.write_text(
        '[[call]]\ncaller = "academy"\ncallee = "identity"\noperation = "nothing_at_all"\n', encoding="utf-8"
    )

    flaws = flaws_of_calls(file, made)

    assert any("no such operation" in flaw for flaw in flaws)
    assert any("say why" in flaw for flaw in flaws)


@pytest.mark.parametrize("service", APPS)
def test_operation_ids_are_unique_and_plain(made: dict[str, Contract], service: str) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(made[service])]

    assert len(set(ids)) == len(ids)
    assert [one for one in ids if not one.replace("_", "").isalnum() or not one.islower()] == []


@pytest.mark.parametrize("service", APPS)
def test_every_field_of_an_answer_is_described(made: dict[str, Contract], service: str) -> None:
    schemas = made[service]["components"]["schemas"]
    bare = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, said in schema.get("properties", {}).items()
        if not ({"description", "$ref", "title"} & said.keys())
    ]

    assert bare == []


@pytest.mark.parametrize("service", APPS)
def test_every_operation_says_whether_it_needs_a_token(made: dict[str, Contract], service: str) -> None:
    """An empty list where it needs none: generators refuse a contract that leaves it open."""
    silent = [
        f"{method} {path}" for path, method, operation in operations(made[service]) if "security" not in operation
    ]

    assert silent == []


@pytest.mark.parametrize("service", EVERY)
def test_names_of_components_are_words(made: dict[str, Contract], service: str) -> None:
    """Two models of one name would both get the names of their Python modules, and one with two modes a hyphen."""
    odd = [
        f"{section}/{name}"
        for section in ("schemas", "responses", "parameters", "headers")
        for name in made[service]["components"].get(section, {})
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)
    ]

    assert odd == []


@pytest.mark.parametrize("service", EVERY)
def test_shared_answers_are_named_after_one_problem(made: dict[str, Contract], service: str) -> None:
    """A name strung together from several problems would change with each problem that joins them."""
    names = made[service]["components"].get("responses", {})

    assert [name for name in names if re.search(r"[a-z]Or[A-Z]", name)] == []


@pytest.mark.parametrize("service", APPS)
def test_defaults_satisfy_their_schema(made: dict[str, Contract], service: str) -> None:
    contract = made[service]
    components = contract["components"]
    places = [
        (operation["operationId"], parameter["name"], parameter["schema"])
        for *_, operation in operations(contract)
        for parameter in operation.get("parameters", [])
        if "schema" in parameter
    ]
    unsound = [
        f"{name}.{field}: {one['default']!r}"
        for name, field, one in places
        if "default" in one
        and not jsonschema_rs.Draft202012Validator({**one, "components": components}).is_valid(one["default"])
    ]

    assert unsound == []


@pytest.mark.parametrize("service", EVERY)
def test_bodies_have_no_defaults(made: dict[str, Contract], service: str) -> None:
    """A member with one becomes required in generated TypeScript, and a PATCH would seem to reset what is left out."""
    schemas = made[service]["components"]["schemas"]
    found = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, one in schema.get("properties", {}).items()
        if "default" in one
    ]

    assert found == []


@pytest.mark.parametrize("service", EVERY)
def test_every_error_is_one_schema_with_an_example_for_each_code(made: dict[str, Contract], service: str) -> None:
    contract = made[service]
    shown = set()
    for *_, operation in operations(contract):
        for status, answer in operation["responses"].items():
            answer = followed(answer, contract)  # noqa: PLW2901
            if (content := answer.get("content", {}).get("application/problem+json")) is None:
                continue
            assert content["schema"] == {"$ref": "#/components/schemas/ProblemOut"}
            assert content["examples"]
            for code, reference in content["examples"].items():
                example = followed(reference, contract)["value"]
                assert (example["code"], example["status"]) == (code, int(status))
                shown.add(reference["$ref"].rpartition("/")[2])
    assert shown == set(contract["components"]["examples"])
    validator = jsonschema_rs.validator_for(
        {"$ref": "#/components/schemas/ProblemOut", "components": contract["components"]}
    )
    for name, example in contract["components"]["examples"].items():
        assert validator.is_valid(example["value"]), name


def followed(node: Any, contract: Contract) -> Any:
    """What a reference names; the node itself when it is none."""
    while "$ref" in node:
        target: Any = contract
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


@pytest.mark.parametrize("service", APPS)
def test_released_names_of_schemas_stay(made: dict[str, Contract], service: str) -> None:
    """Generated clients import them. The first release had some with names of Python modules, which nobody can keep."""
    released = read(OPENAPI / "released", service)
    assert released is not None
    names, now = set(released["components"]["schemas"]), set(made[service]["components"]["schemas"])

    assert {name for name in names - now if re.fullmatch(r"[A-Za-z0-9]+", name)} == set()


@pytest.mark.parametrize("service", APPS)
def test_answers_have_no_optional_fields(made: dict[str, Contract], service: str) -> None:
    """A client must see every field that it may count on; absent and null differ only in what is sent."""
    schemas = made[service]["components"]["schemas"]
    optional = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        if name.endswith(("Out", "Page"))
        for field in schema.get("properties", {})
        if field not in schema.get("required", [])
    ]

    assert optional == []


@needs_node
def test_contracts_pass_the_published_ruleset() -> None:
    files = [str(contract_file(OPENAPI, service)) for service in EVERY]
    done = nodetools.run(TOOLS, nodetools.REDOCLY, "lint", "--config", "redocly.yaml", "--max-problems", "50", *files)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the TypeScript types of every contract, as `make types-ts` lays it out: `build/types/`."""
    folder = tmp_path_factory.mktemp("types") / "build" / "types"
    folder.mkdir(parents=True)
    for service in EVERY:
        done = nodetools.write_types(TOOLS, contract_file(OPENAPI, service), folder / f"{service}.d.ts")
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@needs_node
def test_generated_types_compile_strictly(types: Path, tmp_path: Path) -> None:
    """A portal that is written against the generated types compiles under `tsc --strict`."""
    shutil.copytree(types, tmp_path, dirs_exist_ok=True)
    portal = tmp_path / "portal.ts"
    portal.write_text(PORTAL, encoding="utf-8")
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"]

    done = nodetools.run(TOOLS, nodetools.COMPILER, *options, str(portal))

    assert done.returncode == 0, done.stdout + done.stderr


@needs_node
def test_the_example_in_the_readme_compiles_as_it_says(types: Path, tmp_path: Path) -> None:
    words = (repository() / "README.md").read_text(encoding="utf-8")
    (options, example), *others = re.findall(r"`tsc ([^`]*)`\):\n\n```typescript\n(.*?)```", words, re.DOTALL)
    assert others == []
    shutil.copytree(types, tmp_path / "build" / "types")
    (tmp_path / "board.ts").write_text(example, encoding="utf-8")

    done = nodetools.run(TOOLS, nodetools.COMPILER, *options.split(), "--noEmit", str(tmp_path / "board.ts"))

    assert done.returncode == 0, done.stdout + done.stderr


@needs_node
def test_types_refuse_what_the_contract_refuses(types: Path, tmp_path: Path) -> None:
    shutil.copy(types / "academy.d.ts", tmp_path)
    portal = tmp_path / "portal.ts"
    portal.write_text(PORTAL.replace("rag.status", "rag.colour"), encoding="utf-8")

    done = nodetools.run(TOOLS, nodetools.COMPILER, "--strict", "--noEmit", "--target", "es2022", str(portal))

    assert done.returncode != 0
    assert "colour" in done.stdout


def test_lock_of_the_tools_names_no_address() -> None:
    lock = json.loads((TOOLS / "package-lock.json").read_text(encoding="utf-8"))

    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


def test_accepted_breaks_have_a_shape() -> None:
    entries = tomllib.loads((OPENAPI / "accepted-breaks.toml").read_text(encoding="utf-8")).get("break", [])

    assert all(entry.keys() == {"service", "id", "reason"} for entry in entries)


PORTAL = """
import type { paths } from "./academy";

type Board = paths["/academy/v1/rag-statuses"]["get"]["responses"][200]["content"]["application/json"];

export function reds(board: Board): number[] {
  return board.items.filter((rag) => rag.status === "red").map((rag) => rag.urn);
}

type Draft = paths["/academy/v1/criteria-sets"]["post"]["requestBody"]["content"]["application/json"];

// What has a default may be left out.
export const draft: Draft = {
  title: "Secondary",
  phase: "secondary",
  criteria: [
    {
      code: "progress_8",
      title: "Progress 8",
      measure: "ks4.progress_8",
      direction: "higher_is_better",
      bounds: { green: 0, amber: -0.5 },
    },
  ],
};
"""
