"""Elasticsearch for tests: ELASTICSEARCH_URL where one is given, else a node that the first test to ask starts.

The first process of a run owns the node, because a worker's children end with the worker: a worker asks through a named
pipe, and reads the address from a file.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from charity_site.stack.elasticsearch import Elasticsearch
from charity_site.stack.placement import place
from charity_site.stack.ports import free_port
from charity_site.stack.processes import Children, StackError, wait_until
from tests import tools

_started: dict[str, str] = {}


def own_node(children: Children, run: Path, name: str = "node") -> Elasticsearch:
    """This will make a node in a run's folder, not started yet: a test of its own may kill it. Skips by name what is
    missing."""
    archive, java = tools.elasticsearch()
    folder = run / name
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    home = place(folder)
    if home.folder.parent != folder:
        children.remove_at_end(home.folder)
    return Elasticsearch(home, archive, java, free_port(), free_port())


def answer_workers(children: Children, run: Path) -> None:
    """This will wait, in the run's first process, for a worker to ask for the node, and start it then."""
    pipe = run / "node.asked"
    if pipe.exists():
        return
    os.mkfifo(pipe)

    def wait() -> None:
        # The thread stays until the end: what it starts would end with it.
        while pipe.exists():
            with open(pipe) as asked:
                asked.read()
            _start(children, run)

    threading.Thread(target=wait, daemon=True).start()


def _start(children: Children, run: Path) -> str:
    told = run / "node.url"
    if "url" not in _started:
        try:
            node = own_node(children, run)
            node.start(children)
            _started["url"] = node.url
        except StackError as error:
            _started["url"] = f"failed: {error}"
        beside = told.with_suffix(".new")
        beside.write_text(_started["url"])
        beside.rename(told)
    return _started["url"]


def shared(children: Children, run: Path, *, from_main: bool) -> str:
    """This will give the address of the run's node."""
    given = os.environ.get("TEST_ELASTICSEARCH_URL", "")
    if given:
        return given
    tools.elasticsearch()
    if not from_main:
        url = _start(children, run)
    else:
        told = run / "node.url"
        with open(run / "node.lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not told.exists():
                with open(run / "node.asked", "w") as asked:
                    asked.write("please")
                assert wait_until(told.exists, 180, 0.2), "the run's first process started no Elasticsearch"
        url = told.read_text()
    assert url.startswith("http"), url
    return url
