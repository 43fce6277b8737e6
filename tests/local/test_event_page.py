import pytest
from pydantic import BaseModel, Field

from kit.events.recording import EventType
from trellis.event_page import page


class State(BaseModel):
    colour: str = Field(description="The colour | its name.")


class Changed(BaseModel):
    urn: int = Field(description="The academy.")
    before: State | None = Field(description="The state before.")
    after: State = Field(description="The state now.")
    reasons: list[State] = Field(description="Why.")


@pytest.fixture
def lines() -> list[str]:
    types = [EventType(f"org.trellis.garden.{word}.v1", word, "beds:read", Changed) for word in ("dug", "sown")]
    return page({"garden": types, "shed": []}).splitlines()


def test_events_with_one_shape_share_a_table(lines: list[str]) -> None:
    assert "### `org.trellis.garden.dug.v1`, `org.trellis.garden.sown.v1`" in lines
    assert "| `org.trellis.garden.sown.v1` | sown | `beds:read` |" in lines


def test_fields_of_before_and_after_are_shown_once(lines: list[str]) -> None:
    fields = [line.split(" | ")[0] for line in lines[lines.index("| field | type | meaning |") + 2 :] if line]
    assert fields == [
        "| `urn`",
        "| `before`",
        "| `after`",
        "| `before/after.colour`",
        "| `reasons`",
        "| `reasons[].colour`",
    ]


def test_types_are_words_and_a_bar_does_not_end_the_cell(lines: list[str]) -> None:
    assert "| `before` | object or null | The state before. |" in lines
    assert "| `reasons` | list of object | Why. |" in lines
    assert "| `before/after.colour` | text | The colour \\| its name. |" in lines


def test_service_without_events_is_left_out(lines: list[str]) -> None:
    assert [line for line in lines if line.startswith("## ")] == ["## garden"]
