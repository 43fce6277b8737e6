"""The guides as pages: an integrator who has no repository reads them at the gateway.

They are the pages of `docs/` themselves. Links between them lead from guide to guide; what isn't served is plain text.
Comments in them name files of the repository, and aren't served.
"""

import itertools
import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Guide:
    """One page of `docs/`: its name in the address, and what the list of guides says of it."""

    name: str
    file: str
    title: str
    purpose: str


GUIDES: Final[tuple[Guide, ...]] = (
    Guide("concepts", "domain.md", "Concepts", "what the words mean and where the rules come from"),
    Guide("conventions", "api/conventions.md", "API conventions", "errors, lists, caching, writing, limits"),
    Guide("errors", "api/errors.md", "Errors", "every code of a problem and of a fault"),
    Guide("tokens", "api/identity.md", "Tokens and people", "how to get a token; clients, people, grants"),
    Guide("access", "access-matrix.md", "Access matrix", "which role may call which operation"),
    Guide("events", "api/events.md", "Events", "the change feed, and every type of event"),
    Guide("ratings", "guides/ratings.md", "Ratings", "how a colour comes about"),
    Guide("importing", "guides/importing.md", "Importing", "every kind of file with its columns"),
    Guide("states", "states.md", "States", "what has states, and who may change them"),
    Guide("files", "api/files.md", "Files", "evidence that is attached to something"),
    Guide("links", "api/links.md", "Links and feeds", "for programs that can't send a token"),
    Guide("small-numbers", "guides/small-numbers.md", "Small numbers", "what is hidden, and why"),
)

Pages = Mapping[str, bytes]
_BY_FILE: Final = {guide.file: guide for guide in GUIDES}
# What only those need who have the repository: a comment in the page.
_NOTE = re.compile(r"[ ]?<!--.*?-->", re.DOTALL)
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:|^/")


def folder() -> Path | None:
    """The folder of guides: TRELLIS_GUIDES_DIR, else `docs/` of the working copy; None when there is none."""
    if named := os.environ.get("TRELLIS_GUIDES_DIR"):
        return Path(named)
    for parent in Path(__file__).resolve().parents:
        if (parent / "docs" / "domain.md").is_file():
            return parent / "docs"
    return None


def served(source: Path | None) -> tuple[Guide, ...]:
    """The guides that are in a folder, in the order of the list."""
    return tuple(guide for guide in GUIDES if source is not None and (source / guide.file).is_file())


def pages(source: Path | None) -> Pages:
    """Every guide as HTML by its address, and the list of them at `/guides/`; empty without a folder."""
    guides = served(source)
    if source is None or not guides:
        return {}
    made = {
        f"/guides/{guide.name}": _page(guide.title, _rendered(guide, (source / guide.file).read_text("utf-8")), guides)
        for guide in guides
    }
    return {"/guides/": _page("Guides", _list(guides), guides), **made}


def guide_links(guides: tuple[Guide, ...]) -> str:
    """The guides as items of a list."""
    return "\n".join(
        f'<li><a href="/guides/{one.name}">{escape(one.title)}</a>: {escape(one.purpose)}</li>' for one in guides
    )


def _list(guides: tuple[Guide, ...]) -> str:
    return f"<h1>Guides</h1>\n<ul>\n{guide_links(guides)}\n</ul>"


def _page(title: str, content: str, guides: tuple[Guide, ...]) -> bytes:
    template = resources.files("gateway.portal").joinpath("static/guide.html").read_text(encoding="utf-8")
    here = {one: ' aria-current="page"' if one.title == title else "" for one in guides}
    items = "\n".join(f'<li><a href="/guides/{one.name}"{here[one]}>{escape(one.title)}</a></li>' for one in guides)
    return Template(template).substitute(title=escape(title), guides=items, content=content).encode()


@lru_cache(maxsize=2 * len(GUIDES))
def _rendered(guide: Guide, text: str) -> str:
    """A page of `docs/` as HTML, without scripts, styles or raw HTML in it: most of what the app's start costs."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(_NOTE.sub("", text))
    seen: dict[str, int] = {}
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor(tokens[place + 1].content, seen))
        elif token.type in {"th_open", "td_open"}:
            # The policy of these pages allows no style in an element.
            token.attrs.pop("style", None)
        elif token.type == "inline":
            token.children = _linked(guide, token.children or [])
    html: str = reader.renderer.render(tokens, reader.options, {})
    # Wide tables and long lines scroll on their own; the keyboard reaches them.
    numbers = itertools.count(1)
    html = re.sub(
        "<table>",
        lambda _: f'<div class="wide" tabindex="0" role="region" aria-label="Table {next(numbers)}"><table>',
        html,
    )
    return html.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')


def _anchor(heading: str, seen: dict[str, int]) -> str:
    """The id of a heading, as the places where these pages are usually read make it."""
    plain = re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") or "part"
    times = seen.get(plain, 0)
    seen[plain] = times + 1
    return plain if times == 0 else f"{plain}-{times}"


def _linked(guide: Guide, children: list[Token]) -> list[Token]:
    """Inline parts with links that lead to guides; links to what isn't served are plain text."""
    linked: list[Token] = []
    kept: list[bool] = []
    for token in children:
        if token.type == "link_open":
            address = _address(guide, str(token.attrGet("href") or ""))
            kept.append(address is not None)
            if address is not None:
                token.attrSet("href", address)
                linked.append(token)
        elif token.type == "link_close":
            if kept.pop():
                linked.append(token)
        elif token.type == "code_inline" and not kept and (named := _BY_FILE.get(token.content.removeprefix("docs/"))):
            opening = Token("link_open", "a", 1, attrs={"href": f"/guides/{named.name}"})
            words = Token("text", "", 0, content=named.title)
            linked += [opening, words, Token("link_close", "a", -1)]
        else:
            linked.append(token)
    return linked


def _address(guide: Guide, href: str) -> str | None:
    """Where a link of a guide leads here; None when that isn't served."""
    if href.startswith("#") or _ELSEWHERE.match(href):
        return href
    path, _, part = href.partition("#")
    named = _BY_FILE.get(posixpath.normpath(posixpath.join(posixpath.dirname(guide.file), path)))
    if named is None:
        return None
    return f"/guides/{named.name}" + (f"#{part}" if part else "")
