"""The production composition: valid by the specification's own library, and every service hardened.

That each of our services' commands runs is shown by test_production.py, which starts them natively.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools import compose_checker

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("migrate", "web", "worker", "beat")


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def checked(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([compose_checker(), str(path)], capture_output=True, text=True)


def test_the_specification_accepts_it() -> None:
    done = checked(ROOT / "docker-compose.yml")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == {"db", "valkey", "elasticsearch", "migrate", "web", "worker", "beat", "proxy"}


def test_the_specification_would_refuse_an_unknown_key(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text((ROOT / "docker-compose.yml").read_text().replace("    cap_drop:", "    cap_dropp:", 1))
    assert checked(broken).returncode != 0


@pytest.mark.parametrize("name", sorted(compose()["services"]))
def test_a_service_is_hardened(name: str) -> None:
    service = compose()["services"][name]
    user = str(service.get("user", ""))
    assert user, "names no user"
    assert user.split(":")[0] not in ("0", "root")
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory"} <= set(limits)
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert name == "migrate" or service["healthcheck"]["test"]
    assert "inside" in service["networks"]
    if name not in (*OURS, "proxy"):
        assert service["networks"] == ["inside"], "servers see no network but the inner one"
    if name != "proxy":
        assert "ports" not in service


def test_no_secret_stands_in_an_environment() -> None:
    for service in compose()["services"].values():
        for key, value in service.get("environment", {}).items():
            secret = (
                any(word in key for word in ("PASSWORD", "SECRET", "_KEY", "TOKEN", "_URL"))
                and key != "SITE_URL"
            )
            assert not secret or str(value).startswith("/run/secrets/"), key


def test_every_secret_is_declared_and_made() -> None:
    whole = compose()
    script = (ROOT / "deploy" / "make-secrets").read_text()
    for service in whole["services"].values():
        for secret in service.get("secrets", []):
            assert secret in whole["secrets"]
        for value in service.get("environment", {}).values():
            if str(value).startswith("/run/secrets/"):
                assert Path(value).name in service["secrets"]
    for name in whole["secrets"]:
        assert name in script


def test_every_variable_of_the_site_is_a_setting() -> None:
    from charity_site.settings import env

    for name in OURS:
        assert set(compose()["services"][name]["environment"]) <= env.names


def test_only_migrate_knows_the_owner() -> None:
    for name in OURS:
        assert ("migration_database_url" in compose()["services"][name]["secrets"]) == (name == "migrate")
