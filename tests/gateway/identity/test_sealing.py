"""What is kept unreadable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.sealing import Digests, Seal, SealBroken

KEY, OTHER_KEY = "a" * 32, "b" * 32


def test_what_is_sealed_can_be_opened_and_never_looks_the_same() -> None:
    seal = Seal(KEY, "signing keys")
    first, second = seal.close("one", b"plain"), seal.close("one", b"plain")
    assert first != second
    assert b"plain" not in first
    assert seal.open("one", first) == Seal(KEY, "signing keys").open("one", second) == b"plain"


@pytest.mark.parametrize(
    ("secret_key", "purpose", "name"),
    [(OTHER_KEY, "signing keys", "one"), (KEY, "answers", "one"), (KEY, "signing keys", "two")],
)
def test_another_key_purpose_or_name_opens_nothing(secret_key: str, purpose: str, name: str) -> None:
    sealed = Seal(KEY, "signing keys").close("one", b"plain")
    with pytest.raises(SealBroken):
        Seal(secret_key, purpose).open(name, sealed)


@given(st.integers(0, 32), st.integers(1, 255))
def test_altered_bytes_open_nothing(place: int, flip: int) -> None:
    sealed = bytearray(Seal(KEY, "signing keys").close("one", b"plain"))
    sealed[place] ^= flip
    with pytest.raises(SealBroken):
        Seal(KEY, "signing keys").open("one", bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"0" * 12, b"\x02" + b"0" * 40])
def test_what_was_never_sealed_opens_nothing(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        Seal(KEY, "signing keys").open("one", sealed)


def test_digests_keep_values_and_kinds_apart() -> None:
    digests = Digests(KEY)
    assert digests.of("account", "ab", "c") != digests.of("account", "a", "bc")
    assert digests.of("account", "a") != digests.of("email", "a")
    assert digests.of("account", "a") == Digests(KEY).of("account", "a")
    assert digests.of("account", "a") != Digests(OTHER_KEY).of("account", "a")
