"""Keyed digests."""

from kit.key_ring import KeyRing
from kit.secrets.digests import Digests

OLD, NEW = "a" * 32, "b" * 32


def test_digests_keep_values_kinds_keys_and_purposes_apart() -> None:
    digests = Digests(KeyRing.of([OLD]), "digests")
    assert digests.of("account", "ab", "c") != digests.of("account", "a", "bc")
    assert digests.of("account", "a") != digests.of("email", "a")
    assert digests.of("account", "a") == Digests(KeyRing.of([OLD]), "digests").of("account", "a")
    assert digests.of("account", "a") != Digests(KeyRing.of([NEW]), "digests").of("account", "a")
    assert digests.of("account", "a") != Digests(KeyRing.of([OLD]), "others").of("account", "a")


def test_a_ring_stores_under_the_newest_and_looks_up_under_every_key() -> None:
    before, after = (Digests(KeyRing.of([key]), "digests").of("account", "a") for key in (OLD, NEW))
    rotated = Digests(KeyRing.of([NEW, OLD]), "digests")
    assert rotated.every("account", "a") == [after, before]
    assert rotated.of("account", "a") == after
