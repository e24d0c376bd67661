from apps.publication.models.overrides import PrivacyOverride
from apps.publication.models.releases import (
    AidItem,
    ExpenseUse,
    PeriodKind,
    PublicSpending,
    Release,
    Residual,
)
from apps.publication.models.rows import FacetValue, PublicHeading, PublicRow, PublicRowText

__all__ = [
    "AidItem",
    "ExpenseUse",
    "FacetValue",
    "PeriodKind",
    "PrivacyOverride",
    "PublicHeading",
    "PublicRow",
    "PublicRowText",
    "PublicSpending",
    "Release",
    "Residual",
]
