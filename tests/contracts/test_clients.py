"""Clients that other people's generators write from the contract, at work against the academy service."""

import asyncio
import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from tests.academy.moderations.test_routes import moderate, rated
from tests.academy.rated import add_rated_trust, criteria_set
from tests.contracts.test_contracts import needs_node
from tests.kit.objects.test_media_types import PDF_FILE
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.jobs import until
from tests.support.tools import missing
from trellis.contracts import nodetools
from trellis.contracts.documents import contract_file, repository

__all__ = ["rated"]

TOOLS = repository() / "openapi" / "tools"
BUNDLE = contract_file(repository() / "openapi", "trellis")
GENERATOR = repository() / "build" / "openapi-generator"
# Of every contract in OpenAPI 3.1, and of one with schemas that take no other members.
GENERATOR_ALWAYS_SAYS = ("OpenAPI 3.1 support is still in beta", "Failed to get the schema name: null")
PORTAL = Path(__file__).with_name("clients") / "portal.ts"
SCHOOLS = ["A School", "B School", "C School", "D School"]
CSV = b"urn,measure,period,value\n135001,ks4.attainment_8,2024/25,47.5\n"

Module = Callable[[str], Any]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Module]:
    """The client that openapi-python-client writes: its modules by name."""
    folder = tmp_path_factory.mktemp("python")
    config = folder / "config.yml"
    config.write_text("post_hooks: []\n", encoding="utf-8")
    program = Path(sys.executable).with_name("openapi-python-client")
    options = ["--meta", "none", "--output-path", str(folder / "trellis_client"), "--config", str(config)]
    done = subprocess.run(
        [str(program), "generate", "--path", str(BUNDLE), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "will not be generated" not in done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"trellis_client.{name}")
    sys.path.remove(str(folder))


def test_a_python_client_has_one_type_of_error(generated: Module) -> None:
    models = generated("models")

    assert [name for name in models.__all__ if "Response4" in name or "Response5" in name] == []
    assert models.ProblemOut


def test_every_module_of_a_python_client_can_be_used(generated: Module) -> None:
    api = Path(generated("api").__file__).parent
    operations = [file for file in sorted(api.glob("*/*.py")) if file.stem != "__init__"]

    assert len(operations) > 80
    for file in operations:
        assert generated(f"api.{file.parent.name}.{file.stem}").asyncio_detailed


@pytest.mark.parametrize("operation", ["moderations.moderation_file_view", "links.shared_view"])
def test_a_python_client_gives_files_as_bytes(generated: Module, operation: str) -> None:
    caller = generated("client").Client(base_url="unused")
    answer = httpx.Response(200, content=b"%PDF-1.7", headers={"Content-Type": "application/pdf"})

    assert generated(f"api.{operation}")._parse_response(client=caller, response=answer).payload.read() == b"%PDF-1.7"


async def test_a_python_client_lists_changes_imports_and_reads_errors(
    generated: Module, client: Clients, database: Sandbox
) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
    models = generated("models")
    caller = generated("client").Client(base_url="unused")
    caller.set_async_httpx_client(await client("academy", "data-manager"))

    async def call(operation: str, *arguments: Any, **named: Any) -> Any:
        return await generated(f"api.{operation}").asyncio_detailed(*arguments, client=caller, **named)

    page = (await call("academies.academy_list", limit=3)).parsed
    rest = (await call("academies.academy_list", limit=3, cursor=page.next_)).parsed
    assert [academy.name for academy in [*page.items, *rest.items]] == SCHOOLS

    made = await call("criteria.criteria_set_create", body=models.CriteriaSetCreate.from_dict(criteria_set()))
    change = models.CriteriaSetPatch(title="Changed")
    versions = {"body": change, "if_match": made.headers["etag"]}
    changed = await call("criteria.criteria_set_change", made.parsed.id, **versions)
    assert changed.parsed.title == "Changed"
    late = await call("criteria.criteria_set_change", made.parsed.id, **versions)
    assert late.parsed.code == "precondition-failed"

    drafted, edited = (await call("events.academy_event_list")).parsed.items
    assert isinstance(drafted, models.AcademyCriteriaSetCreatedEvent)
    assert isinstance(edited, models.AcademyCriteriaSetChangedEvent)
    assert [drafted.data.title, edited.data.title] == ["Secondary criteria", "Changed"]
    later = {**drafted.to_dict(), "type": "org.trellis.academy.tour.held.v1", "data": {"tour": 1}}
    (unknown,) = models.AcademyEventPage.from_dict({"items": [later], "next": "x"}).items
    assert isinstance(unknown, models.AcademyOtherEvent)
    assert (unknown.type_, unknown.data.to_dict()) == ("org.trellis.academy.tour.held.v1", {"tour": 1})

    file = generated("types").File(payload=CSV)
    sent = await call("imports.import_create", body=file, kind=models.ImportKind.OBSERVATIONS, academic_year="2024/25")
    assert sent.parsed.state == models.ImportState.QUEUED

    missing = (await call("academies.academy_view", 999999)).parsed
    assert isinstance(missing, models.ProblemOut)
    assert (missing.code, missing.status, missing.errors) == ("academy-not-found", 404, [])
    invalid = (await call("academies.academy_list", limit=0)).parsed
    assert [(error.pointer, error.code) for error in invalid.errors] == [("/query/limit", "greater_than_equal")]


@pytest.mark.usefixtures("rated")
async def test_a_python_client_sends_and_gives_back_evidence(generated: Module, client: Clients) -> None:
    judge = await client("academy", "chief-executive")
    override = (await moderate(judge)).json()["id"]
    caller = generated("client").Client(base_url="unused")
    caller.set_async_httpx_client(judge)
    api, file = generated("api.moderations.moderation_file_create"), generated("types").File(payload=PDF_FILE)

    sent = await api.asyncio_detailed(override, client=caller, body=file, name="minutes.pdf")
    assert (sent.parsed.name, sent.parsed.media_type) == ("minutes.pdf", "application/pdf")
    view = generated("api.moderations.moderation_file_view")
    got = await view.asyncio_detailed(override, sent.parsed.id, client=caller)
    assert got.parsed.payload.read() == PDF_FILE


@needs_node
def test_openapi_generator_writes_typescript_that_compiles(tmp_path: Path) -> None:
    if not GENERATOR.is_dir():
        missing("openapi-generator isn't installed: run `make generator`")
    run = "import sys; from openapi_generator_cli import run; sys.exit(run(sys.argv[1:]).returncode)"
    options = ["-g", "typescript-fetch", "-i", str(BUNDLE), "-o", str(tmp_path / "client")]
    done = subprocess.run(
        [sys.executable, "-c", run, "generate", *options, "--global-property=apiDocs=false,modelDocs=false"],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        # The first compiler of Java is the quicker one for a program that runs for seconds.
        env={"PYTHONPATH": str(GENERATOR), "JAVA_OPTS": "-XX:TieredStopAtLevel=1", "HOME": str(tmp_path)},
    )
    said = (done.stdout + done.stderr).splitlines()

    assert done.returncode == 0, said[-20:]
    wrong = [line for line in said if "WARN" in line or "ERROR" in line]
    assert [line for line in wrong if not any(words in line for words in GENERATOR_ALWAYS_SAYS)] == []
    moderations = (tmp_path / "client" / "apis" / "ModerationsApi.ts").read_text(encoding="utf-8")
    assert "headerParameters['Content-Type'] = 'application/octet-stream'" in moderations
    target = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom"]
    modules = ["--module", "esnext", "--moduleResolution", "bundler"]
    index = str(tmp_path / "client" / "index.ts")
    compiled = nodetools.run(TOOLS, nodetools.COMPILER, *target, *modules, index)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[str]:
    """The app on a port of this machine; its URL."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@needs_node
async def test_a_typescript_client_lists_changes_imports_and_reads_errors(
    tmp_path: Path, app_of: Callable[[str], Any], database: Sandbox, issue_token: Callable[..., str]
) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
    built = nodetools.write_types(TOOLS, BUNDLE, tmp_path / "trellis.d.ts")
    assert built.returncode == 0, built.stdout + built.stderr
    shutil.copy(PORTAL, tmp_path)
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    options = ["--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"]
    compiled = nodetools.run(TOOLS, nodetools.COMPILER, *options, str(tmp_path / "portal.ts"))
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr

    app = await app_of("academy")
    app.state.tools.database = database.of("academy")
    async with listening(app) as url:
        program = await asyncio.create_subprocess_exec(
            str(nodetools.node()),
            str(tmp_path / "portal.js"),
            url,
            issue_token("data-manager"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(program.communicate(), 60)

    assert program.returncode == 0, err.decode()
    assert json.loads(out) == {
        "names": SCHOOLS,
        "title": "Secondary criteria",
        "imported": "queued",
        "happened": ["Secondary is draft", "Secondary criteria is draft"],
        "codes": [
            *("precondition-failed", "true"),
            *("academy-not-found", "true"),
            *("invalid-request", "greater_than_equal", "true"),
        ],
    }
