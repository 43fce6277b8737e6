"""Loading the demo: published files as platform operator, criteria as each trust's chief executive, then ratings.

Each step looks at what is there already, so that a demo which was interrupted goes on where it was.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trellis import importing, places, tokens
from trellis.api import Api
from trellis.demo import contents
from trellis.settings import LocalSettings
from trellis.state import State

CHIEF = "chief-executive"
RATED_SECONDS = 120.0

Say = Callable[[str], None]


class DemoFailed(Exception):
    """A file was refused, or ratings did not come; the message says what."""


def is_loaded(state: State) -> bool:
    """Whether this very demo was loaded into this installation."""
    try:
        told = json.loads(state.demo.read_text())
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and told.get("digest") == contents.digest()


def mark_loaded(state: State) -> None:
    """The next start loads no demo."""
    places.write_private(state.demo, json.dumps({"digest": contents.digest()}) + "\n")


def load(settings: LocalSettings, say: Say) -> None:
    """Load everything and wait for the ratings. Raises DemoFailed, Refused, Unreachable."""
    began = time.monotonic()
    with tokens.gateway(settings, tokens.demo_person(tokens.OPERATOR)) as operator:
        rows = load_files(operator, contents.FILES)
    say(f"published figures are loaded ({rows:,} rows, {time.monotonic() - began:.1f} s)")
    began = time.monotonic()
    sets = json.loads(contents.criteria_document())["sets"]
    for trust in contents.TRUSTS:
        with tokens.gateway(settings, tokens.demo_person(CHIEF, trust=trust)) as chief:
            publish_criteria(chief, sets)
    for trust in contents.TRUSTS:
        with tokens.gateway(settings, tokens.demo_person(CHIEF, trust=trust)) as chief:
            await_ratings(chief, {one["phase"] for one in sets})
    say(f"demonstration criteria are published, academies are rated ({time.monotonic() - began:.1f} s)")
    mark_loaded(settings.state)


def load_files(operator: Api, files: Iterable[contents.File]) -> int:
    """Load the files one after the other; how many rows were accepted. Raises DemoFailed."""
    rows = 0
    for file in files:
        ended = importing.follow(operator, importing.send(operator, file.load()))
        if ended["state"] != "succeeded":
            why = "; ".join(error["detail"] for error in ended["errors"][:3])
            raise DemoFailed(f"{file.name} was not loaded as {file.kind}: {ended['state']}. {why}")
        rows += ended["rows_accepted"]
    return rows


def publish_criteria(chief: Api, sets: Iterable[Mapping[str, Any]]) -> None:
    """Draft and publish each set, unless the trust has published one for the phase."""
    present = list(chief.items("/academy/v1/criteria-sets", limit=500))
    published = {one["phase"] for one in present if one["state"] == "published"}
    for wanted in sets:
        if wanted["phase"] in published:
            continue
        draft, headers = chief.ask("POST", "/academy/v1/criteria-sets", json=dict(wanted))
        path = f"/academy/v1/criteria-sets/{draft['id']}"
        chief.ask("POST", f"{path}/publish", headers={"If-Match": headers["ETag"]})


def await_ratings(chief: Api, phases: set[str]) -> None:
    """Wait until every academy of these phases has a rating. Raises DemoFailed."""
    deadline = time.monotonic() + RATED_SECONDS
    pause = 0.1
    while True:
        waiting = [
            item["name"]
            for item in chief.items("/academy/v1/rag-statuses", limit=500)
            if item["phase"] in phases and item["rating_id"] is None
        ]
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise DemoFailed(f"No rating came for {', '.join(waiting)}. Does the worker run? `trellis status` says.")
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)
