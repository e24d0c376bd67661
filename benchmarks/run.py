"""Every benchmark in one run, written to benchmarks/results.md with machine, versions and seed.

Example: make bench ARGS="gifts pages". A scratch database server is started for it and removed again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
NAMES = (
    "gifts",
    "giving",
    "receipts",
    "imports",
    "search",
    "timing",
    "pages",
    "cases",
    "aid",
    "goods",
    "shop",
    "stack",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[], help=f"some of: {' '.join(NAMES)} (all)")
    parser.add_argument("--lines", type=int, default=200_000, help="generated lines of the search benchmark")
    parser.add_argument("--movements", type=int, default=1_000_000, help="history of the goods benchmark")
    parser.add_argument("--wishes", type=int, default=100_000, help="wishes of the shop's benchmark")
    parser.add_argument(
        "--gifts", type=int, default=1_000_000, help="gifts of the aid benchmark's longer history"
    )
    parser.add_argument("--batch", type=int, default=10_000, help="lines of its payment batch")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows its gate looks over")
    options = parser.parse_args()
    names = options.names or NAMES
    import django

    django.setup()
    from charity_site.stack.processes import Children
    from tests.databases import start_server

    children = Children()
    parts: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get("TEST_RUN_DIR")) as folder:
        run = Path(folder)
        run.chmod(0o755)
        (run / "keys").mkdir()
        (run / "logs").mkdir()
        try:
            server = start_server(children, run)
            for name in names:
                print(f"{name} …", flush=True)
                parts.append(WAYS[name](children, server, run, options))
                print(parts[-1], flush=True)
        finally:
            children.stop_all()
    _write(parts)
    return 0


def _point(server: Any, name: str) -> None:
    """Turns Django to a fresh clone of the template."""
    from django.db import connections

    server.clone(name)
    connections.close_all()
    connections["default"].settings_dict.update(
        NAME=name,
        HOST="127.0.0.1",
        PORT=str(server.port),
        USER="charity_app",
        PASSWORD=server.password("charity_app"),
    )


def _gifts(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import gifts

    _point(server, "bench_gifts")
    return gifts.table(gifts.run())


def _giving(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import giving

    _point(server, "bench_giving")
    return giving.table(giving.run(children, server, run))


def _receipts(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import receipts

    _point(server, "bench_receipts")
    return receipts.table(receipts.run())


def _imports(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import imports

    _point(server, "bench_imports")
    return imports.table(imports.run(server, run))


def _search(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import search, vacuum

    _point(server, "bench_search")
    url = _node(children, run)
    return search.table(
        search.run(options.lines, elasticsearch_url=url, settle=lambda: vacuum.settle(server, "bench_search"))
    )


def _timing(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import search, timing

    _point(server, "bench_timing")
    url = _node(children, run)
    with server.connect("bench_timing") as owner:
        search._fill(20_000, lambda: owner.execute("ANALYZE"))
        if url:
            search.build_index(url)
        engines = ["postgres", "elasticsearch"] if url else ["postgres"]
        return timing.table(
            timing.run(engines, index=bool(url), vacuum=lambda: owner.execute("VACUUM publication_publicrow"))
        )


def _node(children: Any, run: Path) -> str:
    """The address of an Elasticsearch of the run's own, "" where there is none to be had."""
    from charity_site.stack.elasticsearch import find_java
    from tests import nodes, tools

    if not find_java() or not tools.elasticsearch_archive().is_file():
        return ""
    node = nodes.own_node(children, run)
    node.start(children)
    return node.url


def _pages(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import gifts, pages
    from charity_site.stack.addresses import OWNER
    from charity_site.stack.placement import place
    from charity_site.stack.ports import free_port
    from charity_site.stack.valkey import Valkey

    _point(server, "bench_pages")
    project, _fund = gifts._project()
    from django.db import connections

    connections.close_all()
    folder = run / "broker"
    folder.mkdir()
    (run / "keys" / "broker").write_text(secrets.token_hex(16))
    folder.chmod(0o755)
    broker = Valkey(place(folder), run / "keys", free_port(), run / "logs" / "valkey.log", durable=False)
    broker.start(children)
    port = free_port()
    statics = run / "static"
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": server.url("bench_pages"),
        "MIGRATION_DATABASE_URL": server.url("bench_pages", OWNER), "CACHE_URL": broker.url + "/1",
        "SITE_URL": f"http://localhost:{port}", "CELERY_BROKER_URL": broker.url + "/0",
        "STATIC_DIR": str(statics), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"], cwd=ROOT, env=environment,
                   check=True)  # fmt: skip
    children.spawn(
        "web",
        [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port",
        str(port), "--workers",
         "2", "--blocking-threads", "1", "--no-ws", "charity_site.wsgi:application"],
        log=run / "logs" / "web.log", environment=environment, folder=ROOT,
    )  # fmt: skip
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
            break
        except OSError:
            time.sleep(0.1)
    static = "/static/" + next(path.name for path in (statics / "css").glob("components*.css")).join(
        ["css/", ""]
    )
    return pages.table(pages.run(f"http://localhost:{port}", f"/projects/{project.slug}/", static))


def _aid(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import aid

    _point(server, "bench_aid")
    with server.connect("bench_aid") as owner:
        figures = aid.run(
            gifts=options.gifts,
            lines=options.batch,
            rows=options.rows,
            analyze=lambda: owner.execute("ANALYZE"),
        )
    return aid.table(figures)


def _cases(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import cases

    _point(server, "bench_cases")
    return cases.table(cases.run())


def _goods(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import goods, vacuum

    _point(server, "bench_goods")
    return goods.table(goods.run(options.movements, lambda: vacuum.settle(server, "bench_goods")))


def _shop(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import shop

    _point(server, "bench_shop")
    return shop.table(shop.run(server, options.wishes))


def _stack(children: Any, server: Any, run: Path, options: Any) -> str:
    from benchmarks import stack

    return stack.table(stack.run())


WAYS: dict[str, Callable[..., str]] = {
    "gifts": _gifts,
    "giving": _giving,
    "receipts": _receipts,
    "imports": _imports,
    "search": _search,
    "timing": _timing,
    "pages": _pages,
    "cases": _cases,
    "aid": _aid,
    "goods": _goods,
    "shop": _shop,
    "stack": _stack,
}


def _write(parts: list[str]) -> None:
    from importlib.metadata import version

    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.processor())  # fmt: skip
    head = (
        f"# Benchmarks\n\nWritten by `make bench` on {dt.date.today()}: {os.cpu_count()} cores, {cpu}; Python "
        f"{platform.python_version()}, Django {version('django')}, PostgreSQL 18 (fsync off, as in tests), seed 20261123.\n"  # noqa: E501
        "Each part is a ratio or an aim within this one run; other machines give other absolute figures.\n"
    )
    body = "\n".join(f"\n```\n{part}\n```\n" for part in parts)
    (ROOT / "benchmarks" / "results.md").write_text(head + body)
    print("Written to benchmarks/results.md")


if __name__ == "__main__":
    sys.exit(main())
