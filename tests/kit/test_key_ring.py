"""The ring of secret keys."""

import pytest

from kit.key_ring import KEY_ID_BYTES, KeyRing, key_id, listed

OLD, NEW = "a" * 32, "b" * 32


def test_the_newest_comes_first_and_each_key_has_an_id_of_its_own() -> None:
    ring = KeyRing.of([NEW, OLD])
    assert ring.ids == (key_id(NEW), key_id(OLD))
    assert len(set(ring.ids)) == 2
    assert all(len(one) == KEY_ID_BYTES for one in ring.ids)
    assert [derived.id for derived in ring.derive("answers")] == list(ring.ids)


def test_keys_for_two_purposes_differ() -> None:
    ring = KeyRing.of([OLD])
    assert ring.derive("identity answers")[0].key != ring.derive("academy answers")[0].key
    assert ring.derive("answers") == KeyRing.of([OLD]).derive("answers")


@pytest.mark.parametrize("secrets", [[], ["short"], ["a" * 31, OLD], [OLD, OLD]])
def test_a_ring_has_long_keys_each_once(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="key"):
        KeyRing.of(secrets)


def test_no_key_is_shown() -> None:
    ring = KeyRing.of([NEW, OLD])
    shown = repr(ring) + repr(ring.derive("answers"))
    assert NEW not in shown
    assert OLD not in shown
    assert repr(ring.derive("answers")[0].key) not in shown


@pytest.mark.parametrize(
    ("variable", "keys"),
    [("", []), ("one", ["one"]), ("one, two,", ["one", "two"]), ('["one,1", "two"]', ["one,1", "two"])],
)
def test_keys_are_listed_with_commas_or_as_json(variable: str, keys: list[str]) -> None:
    assert listed(variable) == keys
