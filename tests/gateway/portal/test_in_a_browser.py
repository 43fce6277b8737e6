"""The portal as people see it: a real browser, through the real gateway."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Page
from starlette.types import Receive, Scope, Send

from gateway.portal.routes import portal_router
from tests.gateway.envoy.doorway import Behind, Door, opened
from tests.support.browser import browsing, flaws
from tests.support.tokens import issue_token

DEMO_TOKEN = "/identity/v1/demo-token"
ACADEMIES = [
    {"urn": 137083, "name": "Brookfield"},
    {"urn": 136105, "name": "Hillside"},
    {"urn": 136106, "name": "The Academy of Our Lady and Saint Bartholomew in the Valley of the River"},
]
PROBLEM = {
    "detail": "Nobody has this role like that.",
    "code": "demo-token-invalid",
    "errors": [{"pointer": "#/trust", "parameter": None, "code": "x", "detail": "There is no such trust."}],
}


async def answered(send: Send, status: int, content: object) -> None:
    """One JSON answer."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(content).encode()})


class Portal(Behind):
    """Identity with the portal of a demo; the academies' API is an echo."""

    def __init__(self) -> None:
        super().__init__()
        self._portal = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self._portal.include_router(portal_router(is_demo=True))
        self.wanted: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The portal's pages are real."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path == DEMO_TOKEN:
            wanted = json.loads((await receive()).get("body", b""))
            self.wanted.append(wanted)
            if wanted["role"] == "trustee":
                await answered(send, 422, PROBLEM)
            else:
                token = issue_token(wanted["role"], academies=wanted.get("academies"), client_id="demo")
                await answered(send, 200, {"access_token": token, "token_type": "Bearer", "expires_in": 600})
        elif path == "/academy/v1/academies":
            await answered(send, 200, {"items": ACADEMIES, "next": None})
        elif path == "/" or path.startswith(("/portal/", "/openapi/", "/guides/")):
            await self._portal(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """A gateway with the portal behind it."""
    with opened(behind=Portal()) as running:
        yield running


@pytest.fixture
def browser() -> Iterator[BrowserContext]:
    """A browser that was never here."""
    with browsing() as context:
        yield context


def complaints(page: Page) -> list[str]:
    """What the browser complains of from now on: scripts that fail, things that its policy blocks."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def is_alive(page: Page) -> None:
    """The script runs, the viewer shows operations, the style counts. Raises playwright's TimeoutError."""
    page.locator(".opblock").first.wait_for(timeout=20_000)
    assert page.locator("nav a[aria-current=page]").count() == 1
    assert page.evaluate("getComputedStyle(document.querySelector('.skip')).position") == "absolute"


def test_portal_works_on_every_visit(door: Door, browser: BrowserContext) -> None:
    page = browser.new_page()
    said = complaints(page)
    statuses: list[tuple[str, int]] = []
    browser.on("response", lambda answer: statuses.append((answer.url, answer.status)))

    page.goto(door.url)
    is_alive(page)
    page.reload()
    is_alive(page)
    tab = browser.new_page()
    said_in_tab = complaints(tab)
    tab.goto(door.url)
    is_alive(tab)

    assert said == said_in_tab == []
    assert (f"{door.url}/", 200) in statuses


def test_copies_are_revalidated_and_say_the_same(door: Door) -> None:
    with door.client() as client:
        for path in ("/", "/guides/events", "/portal/portal.js", "/portal/swagger-ui.css", "/openapi/academy.v1.json"):
            whole = client.get(path)
            again = client.get(path, headers={"if-none-match": whole.headers["etag"]})
            assert (whole.status_code, again.status_code) == (200, 304)
            for name in ("content-security-policy", "cache-control", "referrer-policy", "x-frame-options", "etag"):
                assert again.headers[name] == whole.headers[name], f"{path}: {name}"


def test_roles_of_academies_get_a_token_of_one_and_the_page_says_which(door: Door, browser: BrowserContext) -> None:
    page = browser.new_page()
    page.goto(door.url)
    assert not page.get_by_label("of", exact=True).is_visible()
    page.get_by_label("Demo role").select_option("headteacher")
    page.get_by_label("of", exact=True).select_option("Hillside")
    page.get_by_role("button", name="Get a token").click()
    page.get_by_text("Demo token: headteacher of Hillside").wait_for()

    page.get_by_label("Demo role").select_option("chief-executive")
    page.get_by_role("button", name="Get a token").click()
    page.get_by_text(re.compile("Demo token: chief-executive. In use until")).wait_for()


def test_every_fault_of_a_refused_token_is_shown(door: Door, browser: BrowserContext) -> None:
    page = browser.new_page()
    page.goto(door.url)
    page.get_by_label("Demo role").select_option("trustee")
    page.get_by_role("button", name="Get a token").click()

    page.get_by_text("Nobody has this role like that.").wait_for()
    page.get_by_text("#/trust: There is no such trust.").wait_for()
    assert flaws(page) == []


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 800)])
def test_nothing_is_out_of_reach_also_after_a_call(
    door: Door, browser: BrowserContext, width: int, height: int
) -> None:
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{door.url}/?contract=academy")
    page.get_by_role("button", name="Get a token").click()
    page.get_by_text("In use until").wait_for()
    block = page.locator("#operations-academies-academy_list")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Execute").click()
    block.locator(".live-responses-table").wait_for()

    assert flaws(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    # Roles of academies bring a list of them, some with long names.
    page.get_by_label("Demo role").select_option("headteacher")
    page.get_by_label("of", exact=True).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_guides_are_read_and_lead_to_each_other(door: Door, browser: BrowserContext) -> None:
    page = browser.new_page()
    said = complaints(page)
    page.goto(door.url)
    page.get_by_role("link", name="API conventions").click()
    page.get_by_role("heading", name="Conventions of the API").wait_for()
    assert flaws(page) == []
    page.get_by_role("main").get_by_role("link", name="Events", exact=True).first.click()
    page.get_by_role("heading", name="Events", exact=True).wait_for()

    assert said == []
