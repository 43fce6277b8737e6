"""The codes of roles."""

from gateway.identity.roles import ROLES
from sector.roles import RoleCode


def test_every_role_that_identity_knows_has_its_code() -> None:
    assert set(ROLES) <= set(RoleCode)


def test_names_are_their_codes_in_capitals() -> None:
    assert [role.name for role in RoleCode] == [role.value.upper().replace("-", "_") for role in RoleCode]
