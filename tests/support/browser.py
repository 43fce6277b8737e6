"""A real browser for what is shown to people, and a check of what it shows for people who can't see it."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.support.tools import missing

PROGRAMS: Sequence[str] = ("chromium", "chromium-browser", "google-chrome")
AXE = Path(__file__).resolve().parents[2] / "openapi/tools/node_modules/axe-core/axe.min.js"


@contextmanager
def browsing() -> Iterator[BrowserContext]:
    """A browser with an empty cache; its pages share one cache, as tabs do."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        missing("no Chromium is installed: run `make browser`")
    with sync_playwright() as playwright:
        # Its own sandbox needs rights that root in a container doesn't have.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser.new_context()
        finally:
            browser.close()


def flaws(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is now, with the elements; empty when nothing is."""
    if not AXE.exists():
        missing("axe-core isn't installed: run `make node-tools`")
    # By the debugger, which no policy of the page holds back.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]
