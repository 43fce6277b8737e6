"""The page, its assets and the contracts, as they are served."""

import asyncio
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from gateway.identity.roles import ROLES
from gateway.identity.settings import IdentitySettings
from gateway.identity.tokens.schemas import DemoTokenCreate
from gateway.main import create_app
from gateway.portal import guides
from gateway.portal.contracts import documents, folder
from gateway.portal.routes import portal_router

HOUSE = Path(__file__).resolve().parents[3]
COMMITTED = HOUSE / "openapi"


class Page(HTMLParser):
    """What a browser would see of a page: addresses, ids, labels, inline scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.inline: list[str] = []
        self.code: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what one element says."""
        said = dict(attrs)
        if tag == "code":
            self.code.append("")
            self._open.append(tag)
        self.addresses += [value for name, value in attrs if name in {"href", "src", "action"} and value]
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.inline += [name for name in said if name.startswith("on") or name == "style"]
        if tag == "label" and said.get("for"):
            self.labelled.add(str(said["for"]))
        if tag in {"input", "select"}:
            self.fields.append(said)
        if tag == "script" and not said.get("src"):
            self.inline.append("script")

    def handle_endtag(self, tag: str) -> None:
        """Note where code ends."""
        if tag == "code":
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Note the words, and those of code apart too."""
        self.text += data
        if self._open:
            self.code[-1] += data


@pytest_asyncio.fixture
async def visitor() -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a token at the identity app."""
    app = create_app(IdentitySettings.for_contract("identity"))
    async with client(app) as visiting:
        yield visiting


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://trellis.test")


async def page_of(source: Path | None = None, *, is_demo: bool = False) -> httpx.Response:
    app = FastAPI()
    app.include_router(portal_router(source, is_demo=is_demo))
    async with client(app) as visiting:
        return await visiting.get("/")


async def test_page_and_all_that_it_names_are_served_from_here(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    addresses = [address for address in Page(answer.text).addresses if not address.startswith("#")]
    assert len(addresses) > 5
    for address in addresses:
        assert address.startswith("/"), address
        assert (await visitor.get(address)).status_code == 200, address


async def test_nothing_is_fetched_from_elsewhere(visitor: httpx.AsyncClient) -> None:
    for path in ("/", "/portal/portal.css", "/portal/portal.js"):
        text = (await visitor.get(path)).text.replace("http://127.0.0.1:8080", "")
        assert not re.search(r"https?://|@import|url\(", text), path


async def test_policy_lets_the_page_work_and_nothing_else(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert Page(answer.text).inline == [], "an inline script or style would be blocked"


async def test_every_field_has_a_label_and_every_id_is_unique() -> None:
    page = Page((await page_of(is_demo=True)).text)
    assert {field["id"] for field in page.fields} == {"role", "academy", "token"}
    assert {str(field["id"]) for field in page.fields} <= page.labelled
    assert len(set(page.ids)) == len(page.ids)


async def test_script_finds_every_element_that_it_asks_for(visitor: httpx.AsyncClient) -> None:
    script = (await visitor.get("/portal/portal.js")).text
    asked = set(re.findall(r'byId\("([a-z-]+)"\)', script))
    assert asked
    assert asked <= set(Page((await page_of(is_demo=True)).text).ids)


async def test_every_committed_contract_has_a_tab_and_is_served(visitor: httpx.AsyncClient) -> None:
    page = (await visitor.get("/")).text
    names = {file.name.removesuffix(".v1.json") for file in COMMITTED.glob("*.v1.json")}
    assert names >= {"academy", "identity", "reporting", "research", "trellis"}
    for name in names:
        assert f'data-contract="{name}"' in page
        answer = await visitor.get(f"/openapi/{name}.v1.json")
        assert answer.headers["content-type"] == "application/json"
        assert answer.content == (COMMITTED / f"{name}.v1.json").read_bytes()


async def test_events_are_served_as_asyncapi(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/openapi/events.asyncapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (COMMITTED / "events.asyncapi.json").read_bytes()


async def test_bundle_has_the_paths_of_all(visitor: httpx.AsyncClient) -> None:
    paths = {
        path
        for name in ("academy", "identity", "reporting", "research")
        for path in (await visitor.get(f"/openapi/{name}.v1.json")).json()["paths"]
    }
    assert set((await visitor.get("/openapi/trellis.v1.json")).json()["paths"]) == paths


async def test_unchanged_page_is_304(visitor: httpx.AsyncClient) -> None:
    for path in ("/", "/portal/swagger-ui-bundle.js", "/openapi/academy.v1.json"):
        first = await visitor.get(path)
        weak = {"if-none-match": f"W/{first.headers['etag']}"}
        again = await visitor.get(path, headers=weak)
        assert again.status_code == 304, path
        assert again.content == b""


@pytest.mark.parametrize(
    "path", ["/portal/", "/portal/index.html", "/portal/redoc.standalone.js", "/openapi/", "/openapi/calls.toml"]
)
async def test_nothing_else_is_served(visitor: httpx.AsyncClient, path: str) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_only_a_demo_offers_demo_tokens() -> None:
    demo, real = (await page_of(is_demo=True)).text, (await page_of(is_demo=False)).text
    assert 'id="demo-token"' in demo
    assert "demo" not in real.lower()


@pytest.mark.parametrize("is_demo", [True, False])
async def test_the_command_that_gets_a_token_works_when_it_is_pasted(is_demo: bool) -> None:
    page = Page((await page_of(is_demo=is_demo)).text)
    (command,) = [code for code in page.code if "TOKEN=$(" in code]
    answer = {"access_token": "eyJ.a-b_c", "token_type": "Bearer", "scope": "academies:read", "expires_in": 600}
    # In place of curl: what it was sent with, and what identity answers.
    curl = f"curl() {{ printf '%s\\n' \"$@\" >&2; printf '%s' {shlex.quote(json.dumps(answer))}; }}"
    pasted = f'{curl}\n{command}\nprintf %s "$TOKEN"'
    shell = await asyncio.create_subprocess_exec("bash", "-c", pasted, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = await shell.communicate()
    assert (shell.returncode, out) == (0, b"eyJ.a-b_c")
    sent = err.decode().splitlines()
    assert sent[-1] == f"http://127.0.0.1:8080/identity/v1/{'demo-token' if is_demo else 'token'}"
    body = sent[sent.index("-d") + 1]
    if is_demo:
        assert DemoTokenCreate.model_validate_json(body).role in ROLES
    else:
        assert body == "grant_type=client_credentials"


async def test_the_command_that_gets_the_reasons_works_when_it_is_pasted() -> None:
    page = Page((await page_of()).text)
    (command,) = [code for code in page.code if "/ratings/" in code]
    items = [{"urn": 1, "rating_id": "0193-a"}, {"urn": 2, "rating_id": "0193-b"}, {"urn": 3, "rating_id": None}]
    answer = json.dumps({"items": items}, separators=(",", ":"))
    curl = f"curl() {{ printf '%s\\n' \"$@\" >&2; printf '%s' {shlex.quote(answer)}; }}"
    pasted = f"{curl}\nTOKEN=eyJ\n{command}"
    shell = await asyncio.create_subprocess_exec("bash", "-c", pasted, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, err = await shell.communicate()
    assert shell.returncode == 0
    sent = err.decode().splitlines()
    assert sent[-1] == "http://127.0.0.1:8080/academy/v1/ratings/0193-b"
    assert sent.count("Authorization: Bearer eyJ") == 2


async def test_missing_bundle_is_made(tmp_path: Path) -> None:
    shutil.copy(COMMITTED / "research.v1.json", tmp_path)
    shutil.copy(COMMITTED / "reporting.v1.json", tmp_path)
    found = documents(tmp_path)
    assert set(found) == {"research", "reporting", "trellis"}
    assert set(json.loads(found["trellis"])["paths"]) == {"/research/v1/events", "/reporting/v1/events"}


async def test_page_works_where_there_are_no_contracts(tmp_path: Path) -> None:
    answer = await page_of(tmp_path)
    assert answer.status_code == 200
    assert "data-contract" not in answer.text
    assert documents(None) == {}


def test_folder_of_contracts_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert folder() == COMMITTED
    monkeypatch.setenv("TRELLIS_CONTRACTS_DIR", str(tmp_path))
    assert folder() == tmp_path


async def test_every_link_of_a_guide_leads_somewhere(visitor: httpx.AsyncClient) -> None:
    """To a guide and one of its headings, a contract or the portal; pages that aren't served are no links."""
    seen = {path: Page((await visitor.get(path)).text) for path in guides.pages(guides.folder())}
    assert len(seen) == len(guides.GUIDES) + 1
    for path, guide in seen.items():
        assert guide.inline == [], f"{path}: an inline style would be blocked"
        assert len(set(guide.ids)) == len(guide.ids), path
        for address in guide.addresses:
            place, _, part = address.partition("#")
            assert not part or part in seen[place or path].ids, f"{path}: {address}"
            if place and place not in seen:
                assert (await visitor.get(place)).status_code == 200, f"{path}: {address}"


async def test_a_guide_names_nothing_that_only_the_repository_has(visitor: httpx.AsyncClient) -> None:
    for guide in guides.GUIDES:
        text = Page((await visitor.get(f"/guides/{guide.name}")).text).text
        paths = re.findall(r"(?<![\w/.-])(?:[\w.-]+/)+[\w*-][\w.*-]*|\b[\w-]+\.(?:py|md|toml)\b", text)
        assert [path for path in paths if (HOUSE / path).exists() or path.endswith((".py", ".md"))] == [], guide.name
        assert re.findall(r"\bADR\b|\bmake (?:docs|contract|up)\b|\.venv", text) == [], guide.name
        source = (HOUSE / "docs" / guide.file).read_text(encoding="utf-8")
        for href in re.findall(r"\]\(([^)#\s]+)", re.sub(r"<!--.*?-->", "", source, flags=re.DOTALL)):
            target = (HOUSE / "docs" / guide.file).parent / href
            served = {(HOUSE / "docs" / one.file).resolve() for one in guides.GUIDES}
            assert href.startswith(("/", "http")) or target.resolve() in served, f"{guide.name}: {href} isn't served"


async def test_a_guide_is_text_and_runs_nothing(tmp_path: Path) -> None:
    hostile = "# Words\n\n<script>alert(1)</script> [a](javascript:alert(1)) [b](../secret.md) <img src=x onerror=y>\n"
    (tmp_path / "domain.md").write_text(hostile, encoding="utf-8")
    made = guides.pages(tmp_path)
    assert set(made) == {"/guides/", "/guides/concepts"}
    page = Page(made["/guides/concepts"].decode())
    assert page.inline == []
    assert {address for address in page.addresses if "alert" in address or "secret" in address} == set()


async def test_guides_forbid_scripts(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/guides/conventions")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
