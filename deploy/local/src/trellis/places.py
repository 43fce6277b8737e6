"""Where state can live on this machine: who may enter a folder, and how long the path of a socket may be.

Postgres refuses to run as root, and a socket's path must fit into about 100 bytes. Both can be at odds with
where somebody cloned the repository (a home folder of mode 0700, a deep path); what is at odds lives
elsewhere and is linked. The mode of a folder that already exists is never changed.
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SHELTER = Path("/var/lib/trellis")
"""Where root keeps what an unprivileged user must reach and can't reach in the state folder."""

SOCKET_PATH_BYTES = 100
"""A path of a Unix socket that works everywhere: macOS takes 103 bytes, Linux 107."""

UNPRIVILEGED = ("nobody", "postgres", "daemon", "www-data", "_postgres")


class NoUnprivilegedUser(Exception):
    """Root starts Postgres as somebody else, and this machine has nobody else."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine, with its primary group."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> "Account":
        """The account with this number, named or not."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return cls(str(uid), uid, uid)
        return cls(entry.pw_name, uid, entry.pw_gid)


def is_root() -> bool:
    """Whether this process may do everything here."""
    return os.geteuid() == 0


def unprivileged_account(names: Sequence[str] = UNPRIVILEGED) -> Account:
    """The first existing account of the usual ones that own nothing. Raises NoUnprivilegedUser."""
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise NoUnprivilegedUser(
        f"Postgres doesn't run as root, and none of these users exists here: {', '.join(names)}. "
        "Create one (useradd --system postgres), or run as an ordinary user."
    )


def can_enter(account: Account, folder: Path) -> bool:
    """Whether an account can get into this folder; the kernel is asked, it is not worked out from modes."""
    nearest = folder
    while not nearest.exists():
        nearest = nearest.parent
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1" 2>/dev/null', "sh", str(nearest)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return tried.returncode == 0


def short_hash(path: Path) -> str:
    """Twelve letters that name a path, the same each time."""
    return hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:12]  # noqa: PTH100  (links stay)


def socket_folder(wanted: Path, longest_name: str) -> Path:
    """A folder for sockets whose paths fit: the wanted one, else a short one."""
    if len(os.fsencode(wanted / longest_name)) <= SOCKET_PATH_BYTES:
        return wanted
    return Path(tempfile.gettempdir()) / f"trellis-{os.geteuid()}-{short_hash(wanted)}"


def make_private(folder: Path, account: Account | None = None) -> Path:
    """A folder that only its owner enters. One that exists is taken as it is, unless another owns it."""
    uid = os.geteuid() if account is None else account.uid
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        found, itself = folder.stat(), folder.lstat()
        # In a folder that all may write to, others could have put a link here that leads elsewhere.
        planted = itself.st_uid not in {uid, os.geteuid()}
        if planted or found.st_uid != uid or not stat.S_ISDIR(found.st_mode):
            raise PermissionError(f"{folder} exists and belongs to {Account.of(itself.st_uid).name}.") from None
    else:
        if account is not None and is_root():
            os.chown(folder, account.uid, account.gid)
    return folder


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file that one account alone can read, complete from its first moment on."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        if account is not None and is_root():
            os.fchown(file.fileno(), account.uid, account.gid)
        file.write(text)
    partial.replace(path)


def write_small(path: Path, text: str) -> None:
    """Write a small file that is complete from its first moment on. Raises OSError.

    Where there is no room for a second file, the one that is there is overwritten: its own place is enough.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text)
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        with path.open("r+") as file:
            file.write(text)
            file.truncate()


def open_log(path: Path) -> BinaryIO:
    """A log to append to, that only its owner reads."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def package_folder(name: str) -> Path:
    """The folder of an installed package, found without running it. Raises ModuleNotFoundError."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"The package {name} is not installed: run make install.", name=name)
    return Path(found.submodule_search_locations[0])


def link(here: Path, there: Path) -> None:
    """Make `here` a symbolic link to `there`; an empty folder or another link in its place gives way."""
    if here.is_symlink():
        if here.readlink() == there:
            return
        here.unlink()
    elif here.is_dir():
        here.rmdir()
    here.parent.mkdir(parents=True, exist_ok=True)
    here.symlink_to(there)


def copy_once(source: Sequence[Path], target: Path) -> Path:
    """Copy folders next to each other into `target`, for everybody to read; complete or not at all."""
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    for folder in source:
        shutil.copytree(folder, partial / folder.name, symlinks=True)
    partial.chmod(0o755)
    try:
        partial.rename(target)
    except OSError:
        # Another one was quicker.
        shutil.rmtree(partial)
    return target
