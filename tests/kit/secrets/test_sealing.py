"""What is encrypted at rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.key_ring import KeyRing
from kit.secrets.sealing import Seal, SealBroken, is_of_before, is_sealed
from tests.support.sealing import sealed_before

OLD, NEW = "a" * 32, "b" * 32
PURPOSE = "identity signing keys"
BEFORE, ROTATED, AFTER = (Seal(KeyRing.of(keys), PURPOSE) for keys in ([OLD], [NEW, OLD], [NEW]))


def test_what_is_sealed_can_be_opened_and_never_looks_the_same() -> None:
    first, second = BEFORE.close("one", b"plain"), BEFORE.close("one", b"plain")
    assert first != second
    assert b"plain" not in first
    assert BEFORE.open("one", first) == Seal(KeyRing.of([OLD]), PURPOSE).open("one", second) == b"plain"


@pytest.mark.parametrize(
    ("secret", "purpose", "name"), [(NEW, PURPOSE, "one"), (OLD, "x", "one"), (OLD, PURPOSE, "two")]
)
@pytest.mark.parametrize(
    "sealed",
    [BEFORE.close("one", b"plain"), sealed_before(OLD, PURPOSE, "one", b"plain")],
    ids=["now", "before keys had ids"],
)
def test_another_key_purpose_or_name_opens_nothing(secret: str, purpose: str, name: str, sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        Seal(KeyRing.of([secret]), purpose).open(name, sealed)


@given(st.integers(0, 40), st.integers(1, 255))
def test_altered_bytes_open_nothing(place: int, flip: int) -> None:
    sealed = bytearray(ROTATED.close("one", b"plain"))
    sealed[place] ^= flip
    with pytest.raises(SealBroken):
        ROTATED.open("one", bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"0" * 12, b"\x02", b"\x02" + b"0" * 40, b"{}"])
def test_what_was_never_sealed_opens_nothing(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        BEFORE.open("one", sealed)


def test_a_ring_opens_what_any_of_its_keys_sealed_and_seals_with_the_newest() -> None:
    old = BEFORE.close("one", b"plain")
    assert ROTATED.open("one", old) == b"plain"
    assert not ROTATED.is_newest(old)
    moved = ROTATED.close("one", ROTATED.open("one", old))
    assert ROTATED.is_newest(moved)
    assert AFTER.open("one", moved) == b"plain"
    with pytest.raises(SealBroken):
        AFTER.open("one", old)


def test_what_was_sealed_before_keys_had_ids_opens_under_every_key_of_the_ring() -> None:
    old = sealed_before(OLD, PURPOSE, "one", b"plain")
    assert BEFORE.open("one", old) == ROTATED.open("one", old) == b"plain"
    assert is_sealed(old)
    assert is_of_before(old)
    assert not BEFORE.is_newest(old)


@pytest.mark.parametrize("kept", [b"", b"{}", b"[1]", b"plain"])
def test_an_answer_in_the_clear_does_not_look_sealed(kept: bytes) -> None:
    assert not is_sealed(kept)
    assert is_sealed(BEFORE.close("one", kept))
