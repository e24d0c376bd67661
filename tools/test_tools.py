"""Bring what the tests need beside the packages: Chromium, gettext and a Chinese font through apt (as root, where they
are missing), stripe-mock and compose-go's checker through the Go toolchain into var/tools/bin, a stateful Stripe
mock through npm into var/tools/npm, Elasticsearch's minimal distribution through Maven into var/tools/elasticsearch
(and a Java new enough for it through apt).

What can't be had is named here; its tests are then skipped by name (and fail with CI=true).
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from charity_site.stack.elasticsearch import ARTIFACT, JAVA, VERSION, find_java  # noqa: E402

GO_BIN = ROOT / "var" / "tools" / "bin"
PACKAGES = {"chromium": "chromium", "msgfmt": "gettext"}
FONT = "fonts-wqy-microhei"
PANGO = ["libpango-1.0-0", "libpangoft2-1.0-0"]
GO_TOOLS = {
    "stripe-mock": "github.com/stripe/stripe-mock@v0.197.0",
    "cmd": "github.com/compose-spec/compose-go/v2/cmd@v2.16.2",
}


NPM = ROOT / "var" / "tools" / "npm"
NPM_TOOLS = {"stripe-stateful-mock": "stripe-stateful-mock@0.0.16"}


def go() -> str | None:
    """This will find the Go toolchain on PATH or in its usual places."""
    for place in ("go", "/usr/local/go/bin/go", "/usr/lib/go/bin/go"):
        found = shutil.which(place)
        if found:
            return found
    return None


def has_chinese_font() -> bool:
    """This will tell whether the system can draw Chinese."""
    if not shutil.which("fc-list"):
        return False
    return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True).stdout.strip())


def has_pango() -> bool:
    """This will tell whether PDF documents can be laid out."""
    return ctypes.util.find_library("pango-1.0") is not None


def missing_packages() -> list[str]:
    names = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if "chromium" in names and shutil.which("chromium-browser"):
        names.remove("chromium")
    names += [] if has_pango() else PANGO
    return names if has_chinese_font() else [*names, FONT]


def main() -> int:
    packages = missing_packages()
    if packages and shutil.which("apt-get") and os.geteuid() == 0:
        print(f"Installing {', '.join(packages)} …", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], env=environment, **quiet)  # type: ignore[call-overload]
        subprocess.run(
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", "fontconfig", *packages],
            env=environment,
            **quiet,  # type: ignore[call-overload]
        )
    for package in missing_packages():
        print(f"missing: {package}; install it with: apt-get install {package}")
    GO_BIN.mkdir(parents=True, exist_ok=True)
    for program, module in GO_TOOLS.items():
        if (GO_BIN / program).exists():
            continue
        compiler = go()
        if compiler is None:
            print(f"missing: {program}; install Go 1.23 or newer, then: GOBIN={GO_BIN} go install {module}")
            continue
        print(f"Installing {program} …", flush=True)
        done = subprocess.run(
            [compiler, "install", module],
            env={**os.environ, "GOBIN": str(GO_BIN), "GOFLAGS": "-mod=mod"},
            cwd="/",
            capture_output=True,
            text=True,
        )
        if done.returncode:
            print(f"missing: {program}; GOBIN={GO_BIN} go install {module}\n{done.stderr.strip()[-400:]}")
    for program, package in NPM_TOOLS.items():
        if (NPM / "node_modules" / ".bin" / program).exists():
            continue
        command = [
            "npm",
            "install",
            "--no-fund",
            "--no-audit",
            "--ignore-scripts",
            "--prefix",
            str(NPM),
            package,
        ]
        if shutil.which("npm") is None:
            print(f"missing: {program}; install Node.js, then: {' '.join(command)}")
            continue
        print(f"Installing {program} …", flush=True)
        NPM.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(command, capture_output=True, text=True, cwd=NPM)
        if done.returncode:
            print(f"missing: {program}; {' '.join(command)}\n{done.stderr.strip()[-400:]}")
    bring_elasticsearch()
    return 0


def bring_elasticsearch() -> None:
    """This will fetch Elasticsearch by its Maven coordinates and a Java for it, unless ELASTICSEARCH_URL is given."""
    if os.environ.get("ELASTICSEARCH_URL"):
        return
    if find_java() is None and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", f"openjdk-{JAVA}-jdk-headless"],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    if find_java() is None:
        print(f"missing: Java {JAVA}; apt-get install openjdk-{JAVA}-jdk-headless, or set JAVA_HOME")
    folder = ROOT / "var" / "tools" / "elasticsearch"
    if (folder / f"elasticsearch-{VERSION}.zip").is_file():
        return
    command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"]
    if shutil.which("mvn") is None:
        print(f"missing: Elasticsearch; install Maven (apt-get install maven), then: {' '.join(command)}")
        return
    print("Fetching Elasticsearch …", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if done.returncode:
        print(f"missing: Elasticsearch; {' '.join(command)}\n{(done.stdout + done.stderr).strip()[-400:]}")


if __name__ == "__main__":
    sys.exit(main())
