"""Folders that the server's user can't enter, paths too long for sockets, files for one account alone."""

import os
import stat
from pathlib import Path

import pytest

from trellis import places

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def test_short_paths_of_sockets_stay_where_they_are_wanted() -> None:
    assert places.socket_folder(Path("/srv/trellis/run"), "x.sock") == Path("/srv/trellis/run")


def test_long_paths_of_sockets_move_to_a_short_one_that_is_always_the_same() -> None:
    wanted = Path("/srv") / ("d" * 120) / "run"
    found = places.socket_folder(wanted, "identity.sock")
    assert found == places.socket_folder(wanted, "identity.sock")
    assert len(os.fsencode(found / "identity.sock")) <= places.SOCKET_PATH_BYTES
    assert found != places.socket_folder(wanted.with_name("other"), "identity.sock")


def test_the_limit_counts_bytes_not_letters() -> None:
    wanted = Path("/srv") / ("é" * 60)
    assert places.socket_folder(wanted, "x.sock") != wanted


def test_a_private_folder_is_its_owners_alone(tmp_path: Path) -> None:
    made = places.make_private(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert places.make_private(made) == made


def test_the_mode_of_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    places.make_private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@needs_root
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.mkdir()
    os.chown(planted, 1, 1)
    with pytest.raises(PermissionError, match="belongs to"):
        places.make_private(planted)


@needs_root
def test_a_link_that_somebody_else_planted_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    planted = tmp_path / "planted"
    planted.symlink_to(tmp_path / "mine")
    assert places.make_private(planted) == planted
    os.chown(planted, 1, 1, follow_symlinks=False)
    with pytest.raises(PermissionError, match="belongs to"):
        places.make_private(planted)


def test_a_file_in_place_of_a_private_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(PermissionError):
        places.make_private(tmp_path / "x")


def test_private_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0o644)
    places.write_private(path, "told to nobody\n")
    assert path.read_text() == "told to nobody\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_links_replace_links_and_empty_folders_but_no_content(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    places.link(here, there)
    places.link(here, there)
    assert here.readlink() == there
    other = tmp_path / "other"
    places.link(here, other)
    assert here.readlink() == other
    full = tmp_path / "full"
    full.mkdir()
    (full / "kept").touch()
    with pytest.raises(OSError, match="not empty"):
        places.link(full, there)
    assert (full / "kept").exists()


def test_a_copy_is_made_once_and_complete(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "bin").mkdir(parents=True)
    (source / "bin" / "tool").write_text("first")
    target = tmp_path / "deep" / "copy"
    assert places.copy_once([source], target) == target
    (source / "bin" / "tool").write_text("second")
    places.copy_once([source], target)
    assert (target / "source" / "bin" / "tool").read_text() == "first"
    assert [entry.name for entry in target.parent.iterdir()] == ["copy"]


@needs_root
def test_whether_a_user_can_enter_is_asked_of_the_kernel(tmp_path: Path) -> None:
    account = places.unprivileged_account()
    home = tmp_path / "home"
    inner = home / "inner"
    inner.mkdir(parents=True)
    open_folder = Path("/")
    assert places.can_enter(account, open_folder)
    home.chmod(0o700)
    assert not places.can_enter(account, inner)
    assert not places.can_enter(account, inner / "not" / "made" / "yet")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_no_unprivileged_user_is_said_plainly() -> None:
    with pytest.raises(places.NoUnprivilegedUser, match="nobody-of-this-name"):
        places.unprivileged_account(["nobody-of-this-name"])


def test_root_is_no_unprivileged_user() -> None:
    with pytest.raises(places.NoUnprivilegedUser):
        places.unprivileged_account(["root"])


def test_a_missing_package_says_what_to_do() -> None:
    with pytest.raises(ModuleNotFoundError, match="make install"):
        places.package_folder("no_such_package_anywhere")


def test_a_small_file_is_written_where_only_its_own_place_is_left(tmp_path: Path) -> None:
    # The name of a second file beside it would be too long: as on a disk without room, none can be made.
    path = tmp_path / ("x" * 250)
    path.write_text("a first text\n")
    places.write_small(path, "shorter\n")
    assert path.read_text() == "shorter\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_small_file_that_can_not_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        places.write_small(tmp_path / "missing" / "small", "text")
