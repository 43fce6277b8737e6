"""Who may load which kind."""

import pytest

from academy.imports.formats.kinds import KINDS
from academy.imports.rules import LOADS, Layer, may_load


def test_every_kind_has_one_rule() -> None:
    assert set(LOADS) == set(KINDS)


@pytest.mark.parametrize("kind", LOADS)
def test_published_tables_are_loaded_by_the_platform_alone(kind: str) -> None:
    is_own = kind == "observations"
    assert LOADS[kind].layer is (Layer.TRUST if is_own else Layer.NATIONAL)
    assert may_load(kind, frozenset({"platform-operator"})) is not is_own
    for role in ("data-manager", "mis-client"):
        assert may_load(kind, frozenset({role})) is is_own
    for role in ("chief-executive", "headteacher", "status-reader", "auditor"):
        assert not may_load(kind, frozenset({role}))
    assert not may_load(kind, frozenset())
