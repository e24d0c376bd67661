"""Where the embedded servers listen and keep their things. Ports derive from PORT: database +1, broker +2."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
DATABASE = "charity"
OWNER = "charity_owner"
APPLICATION = "charity_app"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The places of one embedded stack."""

    data_dir: Path
    port: int

    @property
    def database_port(self) -> int:
        return self.port + 1

    @property
    def broker_port(self) -> int:
        return self.port + 2

    @property
    def keys(self) -> Path:
        return self.data_dir / "keys"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def state(self) -> Path:
        return self.data_dir / "stack.json"

    def database_url(self, role: str) -> str:
        """This will give the database address of a role; its password is read from the keys folder."""
        return f"postgres://{role}:{self._kept(role)}@{HOST}:{self.database_port}/{DATABASE}"

    @property
    def broker_url(self) -> str:
        return f"redis://:{self._kept('broker')}@{HOST}:{self.broker_port}/0"

    @property
    def cache_url(self) -> str:
        return f"redis://:{self._kept('broker')}@{HOST}:{self.broker_port}/1"

    def _kept(self, name: str) -> str:
        path = self.keys / name
        return path.read_text().strip() if path.exists() else ""


def data_dir() -> Path:
    """This will give DATA_DIR as an absolute path (default: var/ beside manage.py)."""
    return Path(os.environ.get("DATA_DIR", "").strip() or BASE_DIR / "var").absolute()


def addresses() -> Addresses:
    """This will give the places of the stack that the environment names. Without PORT, the port of the last start in
    this data folder is taken, so that commands find a site that was started on another one."""
    folder = data_dir()
    named = os.environ.get("PORT", "").strip()
    if named.isdigit():
        return Addresses(folder, int(named))
    try:
        port = int(json.loads((folder / "stack.json").read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        port = 8000
    return Addresses(folder, port)
