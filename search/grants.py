"""Published uses as grants in the 360Giving data standard 1.4 (S5)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings

from search.results import Result

STANDARD = "1.4"
PUBLISHER = "澜江慈善"


def grant(result: Result) -> dict[str, Any]:
    """This will write a use as a grant. Aid has households as its recipients, never named and never fewer than five
    (C4); an expense goes to the project that spends it. Amounts are in major units, as the standard wants."""
    organization, project = result.facets["organization"], result.facets["project"]
    fund, category, town = result.facets["fund"], result.facets["category"], result.facets["town"]
    key = organization.key if organization else "unknown"
    funder = {"id": f"CN-USCC-{key}", "name": organization.zh if organization else ""}
    made: dict[str, Any] = {
        "id": f"360G-CN{key}-{result.public_id}",
        "title": result.heading,
        "description": result.text or result.heading,
        "currency": result.amount.currency,
        # The standard wants a JSON number: the shortest one that reads back to the same fen.
        "amountAwarded": float(result.amount.major),
        "awardDate": result.day.isoformat(),
        "fundingOrganization": [funder],
        "dateModified": result.published_at.isoformat(timespec="seconds"),
        "dataSource": settings.SITE_URL + result.link,
    }
    if result.household_times:
        made["recipientIndividual"] = {
            "id": f"{made['id']}-households",
            "name": f"{result.household_times}户次受助家庭 / household-times helped",
        }
    else:
        name = project.zh if project else (fund.zh if fund else funder["name"])
        made["recipientOrganization"] = [
            {"id": f"CN-USCC-{key}-{project.key if project else 'fund'}", "name": name}
        ]
    if fund:
        made["grantProgramme"] = [{"code": fund.key, "title": fund.zh}]
    if category:
        made["classifications"] = [{"vocabulary": "category", "code": category.key, "title": category.zh}]
    if town:
        # No geoCode: the standard's gazetteers are British, and a code of another would be invalid.
        made["beneficiaryLocation"] = [{"id": town.key, "name": town.zh, "countryCode": "CN"}]
    return made


def package_head(*, issued: dt.date) -> dict[str, Any]:
    """This will give what a file of grants says of itself before its `grants` (the standard's package)."""
    return {
        "version": STANDARD,
        "title": "善款用途 / Uses of money",
        "issued": issued.isoformat(),
        "publisher": {"name": PUBLISHER, "website": settings.SITE_URL},
        "downloadURL": settings.SITE_URL + "/data/grants.json",
        "accessURL": settings.SITE_URL + "/data/",
    }
