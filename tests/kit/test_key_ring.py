"""The ring of secret keys."""

import pytest

from kit import cursors
from kit.key_ring import CURSORS, KEY_ID_BYTES, PEOPLE, KeyRing, answers_of, key_id, listed, purposes_of

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


def test_a_share_of_a_ring_makes_and_opens_the_same() -> None:
    ring = KeyRing.of([NEW, OLD])
    share = KeyRing.of_shares(ring.shares(purposes_of("academy")))
    assert share.ids == ring.ids
    for purpose in (CURSORS, PEOPLE, answers_of("academy")):
        assert share.derive(purpose) == ring.derive(purpose)
    assert KeyRing.of_shares(share.shares([CURSORS])).derive(CURSORS) == ring.derive(CURSORS)


@pytest.mark.parametrize(
    "purpose", ["signing keys", "identity digests", answers_of("identity"), answers_of("research")]
)
def test_a_share_of_a_ring_gives_no_key_of_others(purpose: str) -> None:
    share = KeyRing.of_shares(KeyRing.of([OLD]).shares(purposes_of("academy")))
    with pytest.raises(ValueError, match=f"no key for {purpose}"):
        share.derive(purpose)
    assert OLD not in KeyRing.of([OLD]).shares(purposes_of("academy"))


def test_cursors_of_before_keep_their_keys() -> None:
    expected = "2020d310d91b9a1ac580cc8c52a5cb61945417cca6470f6eeb8bfb585694cb87"
    assert [key.hex() for key in cursors.derive_keys(KeyRing.of([OLD]))] == [expected]
