"""The exchanges of docs/api/conventions.md are run."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import Clients

PAGE = Path(__file__).parents[2] / "docs" / "api" / "conventions.md"
# Values that differ each time; the page's own stand for them in later exchanges.
DIFFERENT = frozenset({"id", "next"})
DIFFERENT_HEADERS = frozenset({"etag", "link"})


@dataclass
class Exchange:
    """A request of the page and what it says of the answer."""

    method: str
    target: str
    headers: dict[str, str]
    body: str
    status: int
    answer_headers: dict[str, str]
    answer: Any


@dataclass
class Known:
    """What the page's ids, cursors and tags are in this run."""

    values: dict[str, str] = field(default_factory=dict)

    def translated(self, text: str) -> str:
        """A text with this run's values."""
        for told, real in self.values.items():
            text = text.replace(told, real)
        return text

    def learn(self, told: str, real: str) -> None:
        """From now on `told` means `real`; it can't mean two things."""
        assert self.values.setdefault(told, real) == real


def exchanges() -> list[Exchange]:
    """Every exchange of the page."""
    found = []
    for block in re.findall(r"```http\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL):
        asked, answered = re.split(r"^(?=HTTP/1\.1 \d)", block, maxsplit=1, flags=re.MULTILINE)
        head, _, body = asked.partition("\n\n")
        line, *headers = head.splitlines()
        method, target, _ = line.split(" ")
        answer_head, _, answer = answered.partition("\n\n")
        status, *answer_headers = answer_head.splitlines()
        found.append(
            Exchange(
                method,
                target,
                dict(header.split(": ", 1) for header in headers),
                body.strip(),
                int(status.split(" ")[1]),
                {name.lower(): value for name, value in (one.split(": ", 1) for one in answer_headers)},
                json.loads(answer) if answer.strip() else None,
            )
        )
    return found


def compare(told: Any, real: Any, known: Known, name: str = "") -> None:
    """Everything that the page tells is so; what it leaves out may be anything."""
    if isinstance(told, dict):
        assert isinstance(real, dict)
        for member, value in told.items():
            compare(value, real[member], known, member)
    elif isinstance(told, list):
        assert isinstance(real, list)
        assert len(told) == len(real)
        for one, other in zip(told, real, strict=True):
            compare(one, other, known)
    elif name in DIFFERENT and isinstance(told, str):
        assert isinstance(real, str)
        known.learn(told, real)
    else:
        assert told == real, name


def test_page_has_exchanges() -> None:
    assert len(exchanges()) > 12


@pytest.mark.parametrize("role", ["chief-executive"])
async def test_exchanges_of_the_page_are_so(committed_client: Clients, role: str) -> None:
    client = await committed_client("academy", role)
    known = Known()
    for exchange in exchanges():
        where = f"{exchange.method} {exchange.target} ({exchange.status})"
        answer = await client.request(
            exchange.method,
            known.translated(exchange.target),
            headers={name: known.translated(value) for name, value in exchange.headers.items()},
            content=exchange.body.encode() or None,
        )
        assert answer.status_code == exchange.status, f"{where}: {answer.text}"
        for name, told in exchange.answer_headers.items():
            assert name in answer.headers, f"{where}: no {name}"
            if name in DIFFERENT_HEADERS:
                if name == "etag":
                    known.learn(told, answer.headers[name])
            else:
                assert answer.headers[name] == told, where
        if exchange.answer is None:
            assert not answer.content, where
        else:
            compare(exchange.answer, answer.json(), known)
