"""Imports and model relations go downwards only."""

from __future__ import annotations

import tomllib
from pathlib import Path

from django.apps import apps
from django.db.models import Model

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
DESIGN = [
    ["charity_site"],
    ["cms", "search"],
    ["apps.oversight", "apps.notifications"],
    ["apps.tracing"],
    ["apps.publiclog"],
    ["apps.disclosures"],
    ["apps.wishes"],
    ["apps.donations", "apps.disbursements", "apps.inventory"],
    ["apps.publication"],
    ["apps.casework", "apps.funds"],
    ["apps.organizations"],
    ["apps.payments"],
    ["apps.ledger"],
    ["apps.accounts"],
    ["apps.places"],
    ["apps.core"],
]
FLOOR = {room: len(DESIGN) - number for number, rooms in enumerate(DESIGN) for room in rooms}


def room_of(model: type[Model]) -> str:
    return apps.get_app_config(model._meta.app_label).name


def test_the_contract_is_the_designs() -> None:
    layers = [
        [name.strip().strip("()") for name in layer.split("|")]
        for layer in CONFIGURATION["contracts"][0]["layers"]
    ]
    assert layers == DESIGN


def test_every_room_of_the_tree_is_under_the_contract() -> None:
    standing = {f"apps.{path.parent.name}" for path in ROOT.glob("apps/*/apps.py")}
    standing |= {name for name in ("cms", "search", "charity_site") if (ROOT / name / "__init__.py").exists()}
    assert standing <= set(FLOOR)
    roots = {room.split(".")[0] for room in standing}
    assert roots == set(CONFIGURATION["root_packages"])


def test_imports_go_downwards(monkeypatch) -> None:
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0


def test_model_relations_go_downwards() -> None:
    upwards = []
    for model in apps.get_models(include_auto_created=True):
        own = FLOOR.get(room_of(model))
        if own is None:
            continue
        for field in model._meta.get_fields(include_hidden=False):
            target = getattr(field, "related_model", None)
            if field.auto_created or not isinstance(target, type):
                continue
            other = FLOOR.get(room_of(target))
            if other is not None and room_of(target) != room_of(model) and other >= own:
                upwards.append(f"{model._meta.label}.{field.name} -> {target._meta.label}")
    assert upwards == []
