"""Who may load what."""

import pytest

from academy.imports.rules import LOADS
from academy.observations.rules import Layer
from gateway.identity.roles import ROLES


@pytest.mark.parametrize("layer", Layer)
def test_the_roles_that_the_guide_names_are_those_that_have_the_scope(layer: Layer) -> None:
    load = LOADS[layer]
    assert set(load.roles) == {code for code, role in ROLES.items() if load.scope in role.scopes}
