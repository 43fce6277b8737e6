"""Which answers are kept."""

from kit.calls.caching import AnswerCache, Kept


def test_an_answer_belongs_to_one_view_and_one_url() -> None:
    cache = AnswerCache()
    cache.put("head", "/a", Kept('"1"', b"x"))
    assert cache.get("head", "/a") == Kept('"1"', b"x")
    assert cache.get("chief", "/a") is None
    assert cache.get("head", "/b") is None
    cache.drop("head", "/a")
    assert cache.get("head", "/a") is None


def test_the_answer_that_was_not_used_for_longest_goes_first() -> None:
    cache = AnswerCache(most=2)
    cache.put("v", "/a", Kept("a", b"a"))
    cache.put("v", "/b", Kept("b", b"b"))
    assert cache.get("v", "/a") is not None
    cache.put("v", "/c", Kept("c", b"c"))
    assert [cache.get("v", url) is not None for url in ("/a", "/b", "/c")] == [True, False, True]


def test_all_answers_together_stay_below_a_size() -> None:
    cache = AnswerCache(most_bytes=10)
    for number in range(20):
        cache.put("v", f"/{number}", Kept("t", b"1234"))
        cache.put("v", "/same", Kept("t", b"12"))
    kept = [number for number in range(20) if cache.get("v", f"/{number}")]
    assert kept == [18, 19]
    cache.put("v", "/large", Kept("t", b"x" * 11))
    assert cache.get("v", "/large") is None
