"""Logs keep a bounded size, and are read from their end."""

import itertools
import resource
from pathlib import Path

import pytest

from trellis import logs


def test_a_large_log_moves_on_and_the_oldest_goes(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    for text in "abcde":
        log.write_text(text * 100)
        logs.trim([log], largest=50, kept=3)
    assert log.read_text() == ""
    kept = {path.name: path.read_text()[0] for path in tmp_path.glob("a.log.*")}
    assert kept == {"a.log.1": "e", "a.log.2": "d", "a.log.3": "c"}


def test_of_a_flooded_log_no_more_than_the_newest_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("old" * 1000 + "new" * 10)
    log.chmod(0o640)
    logs.trim([log], largest=30)
    older = tmp_path / "a.log.1"
    assert (log.read_text(), older.read_text(), older.stat().st_mode & 0o777) == ("", "new" * 10, 0o640)


def test_a_log_without_room_for_a_copy_is_emptied_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x" * 100)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        logs.trim([log], largest=50)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.log": ""}


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("short")
    logs.trim([log, tmp_path / "missing.log"], largest=50)
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_a_program_goes_on_writing_at_the_start_of_an_emptied_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("ab", buffering=0) as open_log:
        open_log.write(b"x" * 100)
        logs.trim([log], largest=50)
        open_log.write(b"after")
    assert log.read_bytes() == b"after"


@pytest.mark.parametrize(("count", "asked"), [(0, 5), (3, 5), (5, 5), (100_000, 7)])
def test_the_last_lines(tmp_path: Path, count: int, asked: int) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {number}\n" for number in range(count)))
    assert logs.tail(log, asked) == [f"line {number}" for number in range(max(0, count - asked), count)]


def test_no_log_has_no_lines(tmp_path: Path) -> None:
    assert logs.tail(tmp_path / "missing.log", 5) == []


def test_new_lines_of_several_logs_are_followed_through_an_emptying(tmp_path: Path) -> None:
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    one.write_text("old and longer than what comes\n")
    following = logs.follow({"one": one, "two": two}, pause=0)
    one.write_text("new\nhalf a l")
    two.write_text("other\n")
    assert sorted(itertools.islice(following, 2)) == [("one", "new"), ("two", "other")]
    with one.open("a") as file:
        file.write("ine\n")
    assert next(following) == ("one", "half a line")


def test_several_logs_are_shown_with_their_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text("first\n")
    (tmp_path / "bb.log").write_text("second\n")
    logs.show({"a": tmp_path / "a.log", "bb": tmp_path / "bb.log"}, lines=5, following=False)
    assert capsys.readouterr().out == "a  | first\nbb | second\n"
