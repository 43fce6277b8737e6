"""The demonstration criteria are sound as they are posted, and every measure of theirs is in the catalogue."""

from importlib.resources import files
from typing import Any

import orjson
import pytest

from academy.criteria.schemas import CriteriaSetCreate
from academy.criteria.service import flaws_of_document
from academy.measures.rules import MEASURES

SETS: list[dict[str, Any]] = orjson.loads(files("academy.criteria").joinpath("demonstration.json").read_bytes())["sets"]


@pytest.mark.parametrize("body", SETS, ids=lambda body: body["phase"])
def test_a_demonstration_set_is_the_body_of_a_post(body: dict[str, Any]) -> None:
    document = CriteriaSetCreate.model_validate(body)
    assert flaws_of_document(document) == []
    for criterion in document.criteria:
        assert document.phase in MEASURES[criterion.measure].phases
        assert criterion.reason


def test_secondary_primary_and_special_have_sets_of_their_own() -> None:
    assert [body["phase"] for body in SETS] == ["secondary", "primary", "special"]
    assert len({orjson.dumps(body["criteria"]) for body in SETS}) == 3
