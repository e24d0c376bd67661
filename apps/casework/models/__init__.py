"""Tables of casework, by noun."""

from apps.casework.models.assessment import Assessment, AssessmentForm, TierRow
from apps.casework.models.attachment import Attachment
from apps.casework.models.consent import Consent, ConsentText, ConsentWithdrawal, Purpose
from apps.casework.models.erasure import ErasureRequest, RetentionRule
from apps.casework.models.household import (
    AccessRow,
    BlindIndex,
    Household,
    IncomeTier,
    Member,
    MemberField,
    PrivateField,
    PrivateTrace,
    Relation,
    Schooling,
    SealedField,
)
from apps.casework.models.registry import (
    DisabilityRow,
    DuplicateAlert,
    DuplicateAnswer,
    RegistryEntry,
    RegistryList,
)

__all__ = [
    "AccessRow",
    "Assessment",
    "AssessmentForm",
    "Attachment",
    "BlindIndex",
    "Consent",
    "ConsentText",
    "ConsentWithdrawal",
    "DisabilityRow",
    "DuplicateAlert",
    "DuplicateAnswer",
    "ErasureRequest",
    "Household",
    "IncomeTier",
    "Member",
    "MemberField",
    "PrivateField",
    "PrivateTrace",
    "Purpose",
    "RegistryEntry",
    "RegistryList",
    "Relation",
    "RetentionRule",
    "Schooling",
    "SealedField",
    "TierRow",
]
