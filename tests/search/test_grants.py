"""Grants against the 360Giving data standard 1.4.

No package on PyPI ships the standard's JSON schema, and its file is not copied here. What follows was written down by
reading ThreeSixtyGiving/standard: schema/360-giving-schema.json (the published 1.4.3 names draft 2020-12 and lists
every currency and country; an older version of the repository was read whole), 360-giving-package-schema.json,
codelists/*.csv, and the revision of November 2022 that brought Person, recipientIndividual, toIndividualsDetails and
"either an organization or an individual, never both". Compared field by field: every field that we give, its type, its
format, the members of its objects and which of them are required; the eight required fields; closed code lists of the
fields that we give (currency, countryCode). Stricter than the standard: a field that the standard doesn't know is an
error here, so that no reader meets a guess of ours.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from apps.core.money import Money
from apps.publication.drafts import Facet
from apps.publication.models.rows import CURRENCIES
from apps.publication.rows import publish_rows
from search import limits
from search.tasks import build_bulk
from tests.publication.test_rows import NOW, draft

TEXT = {"type": "string", "minLength": 1}
MOMENT = {"type": "string", "format": "date-time"}
ADDRESS = {"type": "string", "format": "uri"}
DAY = {"type": "string", "format": "date"}


def record(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


def listed(of: str, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/$defs/{of}"}, "minItems": least}


LOCATION = record(
    (), id=TEXT, name=TEXT, countryCode={"enum": ["CN"]}, latitude={"type": "number"}, longitude={"type": "number"},
    description=TEXT, geoCode=TEXT, geoCodeType={"enum": ["WD", "UA", "CTY", "LSOA", "MSOA"]}, dateModified=MOMENT,
)  # fmt: skip
# The types of geographical codes are a closed list, and a code says nothing without its type.
LOCATION["dependentRequired"] = {"geoCode": ["geoCodeType"]}
ORGANIZATION = record(
    ("id", "name"), id=TEXT, name=TEXT, department=TEXT, charityNumber=TEXT, companyNumber=TEXT, streetAddress=TEXT,
    addressLocality=TEXT, addressRegion=TEXT, addressCountry=TEXT, postalCode=TEXT, alternateName=TEXT,
    description=TEXT, url=ADDRESS, location=listed("Location"), dateModified=MOMENT,
)  # fmt: skip
GRANT = record(
    ("id", "title", "description", "currency", "amountAwarded", "awardDate", "fundingOrganization"),
    id={"type": "string", "pattern": "^360G-[A-Za-z0-9]+-.+"}, title=TEXT, description=TEXT,
    currency={"enum": list(CURRENCIES)}, amountAwarded={"type": "number"}, amountAppliedFor={"type": "number"},
    amountDisbursed={"type": "number"}, awardDate=DAY, url=ADDRESS, recipientOrganization=listed("Organization", 1),
    recipientIndividual={"$ref": "#/$defs/Person"}, fundingOrganization=listed("Organization", 1),
    beneficiaryLocation=listed("Location"), grantProgramme=listed("Programme"),
    classifications=listed("Classification"), dateModified=MOMENT, dataSource=ADDRESS,
)  # fmt: skip
GRANT["oneOf"] = [{"required": ["recipientOrganization"]}, {"required": ["recipientIndividual"]}]
PACKAGE = {
    **record(
        ("grants",), grants={"type": "array", "minItems": 1, "uniqueItems": True, "items": GRANT},
        version={"type": "string", "pattern": r"^\d+\.\d+$"}, title=TEXT, description=TEXT, issued=DAY, modified=DAY,
        identifier=TEXT, publisher=record(("name",), identifier=TEXT, name=TEXT, website=ADDRESS, logo=ADDRESS),
        downloadURL=ADDRESS, accessURL=ADDRESS, license=ADDRESS,
    ),
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {
        "Location": LOCATION,
        "Organization": ORGANIZATION,
        "Person": record(("id", "name"), id=TEXT, name=TEXT, dateModified=MOMENT),
        "Programme": record((), code=TEXT, title=TEXT, description=TEXT, url=ADDRESS, dateModified=MOMENT),
        "Classification": record(
            (), vocabulary=TEXT, code=TEXT, title=TEXT, description=TEXT, url=ADDRESS, dateModified=MOMENT
        ),
    },
}  # fmt: skip
CHECK = jsonschema_rs.Draft202012Validator(PACKAGE, validate_formats=True)


def faults(package: Any) -> list[str]:
    return [f"{list(each.instance_path)}: {each.message}" for each in CHECK.iter_errors(package)]


@pytest.fixture
def published(db: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setattr(limits, "PER_MINUTE", 100_000)
    rows = [draft(n, amount=Money(n * 1_001)) for n in range(1, 6)]
    rows.append(draft(6, household_times=0, category=Facet("management", "管理"), heading="审计费", text=""))
    rows.append(draft(7, household_times=0, project=None, town=None, category=None, amount=Money(700, "USD")))
    rows.append(draft(8, household_times=0, project=None, fund=None, town=None, amount=Money(800, "JPY")))
    return publish_rows(rows=[*rows, draft(9, view="report")], now=NOW)


def test_grants_are_of_the_standard(client: Client, published: list[int]) -> None:
    told = client.get("/api/v1/grants?limit=5").json()
    assert told["count"] == 8 and len(told["grants"]) == 5
    grants = [*told["grants"], *client.get(told["next"]).json()["grants"]]
    assert len({grant["id"] for grant in grants}) == 8
    assert faults({"grants": grants}) == []
    by_title = {grant["title"]: grant for grant in grants}
    assert by_title["审计费"]["recipientOrganization"][0]["name"] == "石桥镇危房修缮"
    assert by_title["审计费"]["description"] == "审计费"
    fen = sorted(round(grant["amountAwarded"] * 100) for grant in grants if grant["currency"] == "CNY")
    assert fen == sorted([*(n * 1_001 for n in range(1, 6)), 123_400])
    assert [grant["amountAwarded"] for grant in grants if grant["currency"] == "JPY"] == [800]
    assert client.get("/api/v1/grants?colour=red").status_code == 400


def test_the_nightly_file_is_a_package_of_the_standard(
    published: list[int], settings: Any, tmp_path: Any
) -> None:
    settings.DATA_DIR = tmp_path
    assert build_bulk()
    package = json.loads((tmp_path / "open-data" / "grants.json").read_text(encoding="utf-8"))
    assert faults(package) == [] and package["version"] == "1.4" and len(package["grants"]) == 8


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"recipientOrganization": [{"id": "x", "name": "y"}]}, "oneOf"),
        ({"recipientIndividual": None}, "null"),
        ({"simpleGrantType": "x"}, "simpleGrantType"),
        ({"awardDate": "2026-3-1"}, "date"),
        ({"amountAwarded": "12.00"}, "number"),
        ({"currency": "RMB"}, "RMB"),
        ({"dateModified": "2026-03-01T10:00:00"}, "date-time"),
        ({"dataSource": "/disclosures/r1/"}, "uri"),
        ({"fundingOrganization": []}, "[]"),
        ({"beneficiaryLocation": [{"geoCode": "x"}]}, "geoCodeType"),
    ],
)
def test_the_check_finds_what_is_wrong(
    client: Client, published: list[int], change: dict[str, Any], fault: str
) -> None:
    """The check itself is checked: each departure from the standard is a fault."""
    grant = next(
        each for each in client.get("/api/v1/grants").json()["grants"] if "recipientIndividual" in each
    )
    assert faults({"grants": [grant]}) == []
    found = faults({"grants": [{**grant, **change}]})
    assert found and fault in " ".join(found), found
