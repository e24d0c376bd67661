"""An Elasticsearch node of our own, for tests and benchmarks: the minimal distribution that Maven has by coordinates.

Production points ELASTICSEARCH_URL at a cluster. The node refuses root, so it runs as the servers' user; its programs
are unpacked once to a place that user can reach, its configuration and data belong to the caller's folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.request
import zipfile
from pathlib import Path

from charity_site.stack.addresses import HOST
from charity_site.stack.placement import Place, open_base, reaches
from charity_site.stack.processes import Child, Children, StackError, tail, wait_until

VERSION = "9.3.2"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
JAVA = 21
"""The oldest Java that the node starts on."""

HEAP = "-Xms64m -Xmx512m -XX:TieredStopAtLevel=1 -XX:-AlwaysPreTouch"
"""Without a heap of its own it takes half the machine."""

SETTINGS = """\
cluster.name: charity-test
discovery.type: single-node
xpack.security.enabled: false
xpack.ml.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
action.destructive_requires_name: true
network.host: {host}
http.port: {port}
transport.port: {transport}
path.data: {folder}/data
path.logs: {folder}/logs
"""


def find_java() -> Path | None:
    """This will find a Java home that is new enough: JAVA_HOME, the one on PATH, those of /usr/lib/jvm."""
    found = shutil.which("java")
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    homes += [Path(found).resolve().parent.parent] if found else []
    homes += sorted(Path("/usr/lib/jvm").glob("*"), reverse=True) if Path("/usr/lib/jvm").is_dir() else []
    return next((home for home in homes if _version(home) >= JAVA), None)


def _version(home: Path) -> int:
    if not (home / "bin" / "java").exists():
        return 0
    try:
        told = (home / "release").read_text()
    except OSError:
        done = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True)
        told = done.stderr.replace("version ", "JAVA_VERSION=")
    version = re.search(r'JAVA_VERSION="?(\d+)', told)
    return int(version[1]) if version else 0


def unpack(archive: Path, place: Place) -> Path:
    """This will unpack the distribution once, beside the archive or where the servers' user can reach it."""
    base = archive.parent
    if place.user is not None and not reaches(place.user, base):
        base = open_base()
    home = base / f"elasticsearch-{VERSION}"
    if home.exists():
        return home
    fresh = Path(tempfile.mkdtemp(dir=base, prefix="elasticsearch.new-"))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(fresh)
    top = fresh / f"elasticsearch-{VERSION}"
    config = top / "config" / "jvm.options"
    # The measured choice for a small heap; both collectors at once would stop the JVM.
    config.write_text(re.sub(r"-XX:\+UseG1GC", "-XX:+UseSerialGC", config.read_text()))
    for path in (top, *top.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    fresh.chmod(0o755)
    try:
        top.rename(home)
    except OSError:  # another start was quicker
        pass
    shutil.rmtree(fresh, ignore_errors=True)
    return home


class Elasticsearch:
    """One node in a folder; it may be killed and started again on the same data."""

    def __init__(
        self, place: Place, archive: Path, java: Path, port: int, transport: int, *, heap: str = HEAP
    ) -> None:
        self.place, self.java, self.port, self.heap = place, java, port, heap
        self.home = unpack(archive, place)
        self.folder = place.folder / f"elasticsearch-{port}"
        self.log = self.folder / "node.log"
        place.own(self.folder)
        for name in ("data", "logs", "config", "tmp"):
            place.own(self.folder / name)
        shutil.copytree(self.home / "config", self.folder / "config", dirs_exist_ok=True)
        (self.folder / "config" / "elasticsearch.yml").write_text(
            SETTINGS.format(host=HOST, port=port, transport=transport, folder=self.folder)
        )
        for path in (self.folder / "config").rglob("*"):
            if place.user is not None:
                os.chown(path, place.user.uid, place.user.gid)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self, children: Children, seconds: float = 120) -> Child:
        """This will start the node and wait until it is healthy. Raises StackError with the log's last lines."""
        child = children.spawn(
            "elasticsearch",
            [self.home / "bin" / "elasticsearch"],
            log=self.log,
            folder=self.folder,
            user=self.place.user,
            environment={
                "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                "LC_ALL": "C.UTF-8",
                "HOME": str(self.folder),
                "ES_JAVA_HOME": str(self.java),
                "ES_PATH_CONF": str(self.folder / "config"),
                "ES_TMPDIR": str(self.folder / "tmp"),
                "ES_JAVA_OPTS": self.heap,
            },
        )
        wait_until(lambda: self.ready() or not child.alive(), seconds, 0.2)
        if not (child.alive() and self.ready()):
            children.stop(child)
            raise StackError(
                f"Elasticsearch did not start:\n{tail(self.log.read_text(errors='replace'), 30)}"
            )
        return child

    def ready(self) -> bool:
        """This will ask for the cluster's health."""
        try:
            with urllib.request.urlopen(f"{self.url}/_cluster/health", timeout=2) as answer:
                return bool(json.load(answer)["status"] in ("green", "yellow"))
        except (OSError, ValueError, KeyError):
            return False
