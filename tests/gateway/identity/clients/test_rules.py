"""The name of a client on the wire."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.clients.rules import client_id_of, parse_client_id


@given(st.uuids(), st.uuids())
def test_trust_and_id_can_be_read_from_it(trust_id: UUID, id_: UUID) -> None:
    client_id = client_id_of(trust_id, id_)
    assert len(client_id) == 43
    assert parse_client_id(client_id) == (trust_id, id_)


GOOD = client_id_of(UUID(int=1), UUID(int=2))


@pytest.mark.parametrize(
    "text",
    ["", "demo", GOOD[:-1], GOOD + "A", GOOD[:-1] + "J", GOOD[:-1] + "=", GOOD[:-1] + "é", "." * 43, "A+" * 21 + "A"],
)
def test_it_has_one_spelling(text: str) -> None:
    assert parse_client_id(text) is None
