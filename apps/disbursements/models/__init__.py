from apps.disbursements.models.applications import AidAlert, AidedPerson, AidPeriod, Application
from apps.disbursements.models.confirming import TRIES, ConfirmationCode
from apps.disbursements.models.paying import (
    FOUR,
    BankFile,
    BankLayout,
    Batch,
    BatchLine,
    Disbursement,
    DisbursementStatusChange,
    StepTaker,
    Transfer,
)
from apps.disbursements.models.risks import DonorMark, RiskAnswer, RiskFlag
from apps.disbursements.models.rules import RuleEvidence, RuleExample, RuleRow, RuleVersion
from apps.disbursements.models.undoing import Undo

__all__ = [
    "FOUR",
    "TRIES",
    "AidAlert",
    "AidPeriod",
    "AidedPerson",
    "Application",
    "BankFile",
    "BankLayout",
    "Batch",
    "BatchLine",
    "ConfirmationCode",
    "Disbursement",
    "DisbursementStatusChange",
    "DonorMark",
    "RiskAnswer",
    "RiskFlag",
    "RuleEvidence",
    "RuleExample",
    "RuleRow",
    "RuleVersion",
    "StepTaker",
    "Transfer",
    "Undo",
]
