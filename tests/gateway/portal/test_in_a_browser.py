"""The portal as people see it: a real browser, through the real gateway."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Page
from starlette.types import Receive, Scope, Send

from gateway.portal.routes import portal_router
from tests.gateway.envoy.doorway import Behind, Door, opened
from tests.support.browser import browsing
from tests.support.tokens import issue_token

DEMO_TOKEN = "/identity/v1/demo-token"


class Portal(Behind):
    """Identity with the portal of a demo; the academies' API is an echo."""

    def __init__(self) -> None:
        super().__init__()
        self._portal = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self._portal.include_router(portal_router(is_demo=True))
        self.roles: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The portal's pages are real."""
        if scope["type"] != "http":
            return
        if scope["path"] == DEMO_TOKEN:
            body = (await receive()).get("body", b"")
            self.roles.append(json.loads(body))
            token = issue_token(self.roles[-1]["role"])
            content = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 600}).encode()
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": content})
        elif scope["path"] == "/" or scope["path"].startswith(("/portal/", "/openapi/")):
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
        for path in ("/", "/portal/portal.js", "/portal/swagger-ui.css", "/openapi/academy.v1.json"):
            whole = client.get(path)
            again = client.get(path, headers={"if-none-match": whole.headers["etag"]})
            assert (whole.status_code, again.status_code) == (200, 304)
            for name in ("content-security-policy", "cache-control", "referrer-policy", "x-frame-options", "etag"):
                assert again.headers[name] == whole.headers[name], f"{path}: {name}"
