"""What the codes of the projection mean, read once an epoch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import get_language

from apps.core.pages import current_epoch
from apps.publication.models.rows import FacetValue
from apps.publication.rows import NO_PROJECT


@dataclass(frozen=True, slots=True)
class Value:
    code: int
    key: str
    zh: str
    en: str
    fund: int
    organization: int

    def label(self) -> str:
        """This will give the label in the reader's language."""
        return (self.en if (get_language() or "").startswith("en") else "") or self.zh


class Catalog:
    """All facet values, by code and by key."""

    def __init__(self, rows: list[tuple[str, int, str, str, str, int, int]]) -> None:
        self.by_code: dict[str, dict[int, Value]] = {name: {} for name in FacetValue.KINDS}
        self.by_key: dict[str, dict[str, Value]] = {name: {} for name in FacetValue.KINDS}
        for name, *rest in rows:
            value = Value(*rest)  # type: ignore[arg-type]
            self.by_code[name][value.code] = value
            self.by_key[name][value.key] = value

    @cached_property
    def projects_of(self) -> dict[str, dict[int, list[int]]]:
        """The codes of all projects (stand-ins too) by fund and by organization."""
        owned: dict[str, dict[int, list[int]]] = {"fund": {}, "organization": {}}
        for project in self.by_code["project"].values():
            owned["fund"].setdefault(project.fund, []).append(project.code)
            owned["organization"].setdefault(project.organization, []).append(project.code)
        return owned

    @cached_property
    def owners(self) -> dict[str, dict[int, int]]:
        """The code of each project's fund and organization, by the project's."""
        projects = self.by_code["project"].values()
        return {
            "fund": {project.code: project.fund for project in projects},
            "organization": {project.code: project.organization for project in projects},
        }

    @cached_property
    def counted(self) -> dict[str, dict[int, tuple[str, str, str]]]:
        """Key and labels by code of the values that people may see, as an answer's facets name them."""
        return {
            name: {value.code: (value.key, value.zh, value.en) for value in self.shown(name)}
            for name in FacetValue.KINDS
        }

    def codes(self, facet: str, keys: tuple[str, ...]) -> list[int]:
        """This will give the codes of keys; keys nobody has are left out."""
        known = self.by_key[facet]
        return sorted({known[key].code for key in keys if key in known})

    def shown(self, facet: str) -> list[Value]:
        """This will list a facet's values that people may see (no stand-in projects)."""
        return [value for value in self.by_code[facet].values() if not value.key.startswith(NO_PROJECT)]


_kept: dict[str, Catalog] = {}


def catalog() -> Catalog:
    """This will give the facet values as of now, kept until the next change of anything public."""
    epoch = current_epoch()
    if epoch and epoch in _kept:
        return _kept[epoch]
    fields = ("facet", "code", "key", "label_zh", "label_en", "fund", "organization")
    read = Catalog(list(FacetValue.objects.values_list(*fields)))
    if epoch:
        _kept.clear()
        _kept[epoch] = read
    return read
