"""Charities and audit firms. The federation is the one organization whose book all gifts enter (F1)."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from stdnum.cn import uscc as uscc_number
from stdnum.exceptions import ValidationError as StdnumError


class OrganizationKind(models.TextChoices):
    FOUNDATION = "foundation", _("基金会")
    ASSOCIATION = "association", _("社会团体")
    SERVICE = "service", _("社会服务机构")


def check_uscc(value: str) -> None:
    """This will refuse a unified social credit code whose check digit is wrong (F4)."""
    try:
        uscc_number.validate(value)
    except StdnumError as error:
        raise ValidationError(
            _("统一社会信用代码的校验位不对，请对照登记证书核对18位代码。"), code="uscc"
        ) from error


class Organization(models.Model):
    name = models.CharField(max_length=120, unique=True)
    name_en = models.CharField(max_length=160, blank=True)
    uscc = models.CharField(max_length=18, unique=True, validators=[check_uscc])
    kind = models.CharField(max_length=12, choices=OrganizationKind)
    is_federation = models.BooleanField(default=False)
    certificate = models.CharField(max_length=60, blank=True)
    address = models.CharField(max_length=160)
    phone = models.CharField(max_length=40)
    query_url = models.URLField(blank=True)
    is_fictional = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_federation"], condition=Q(is_federation=True), name="one_federation"
            ),
            models.CheckConstraint(condition=Q(uscc__regex=r"^[0-9A-HJ-NPQRTUWXY]{18}$"), name="uscc_shape"),
            models.CheckConstraint(
                condition=Q(is_federation=False) | ~Q(certificate=""), name="federation_is_licensed"
            ),
        ]

    def __str__(self) -> str:
        return (self.name_en or self.name) if (get_language() or "").startswith("en") else self.name


class AuditFirm(models.Model):
    """A firm that audits reports; auditors hold their role within it."""

    name = models.CharField(max_length=120, unique=True)
    name_en = models.CharField(max_length=160, blank=True)
    uscc = models.CharField(max_length=18, unique=True, validators=[check_uscc])
    licence = models.CharField(max_length=60)
    is_fictional = models.BooleanField(default=False)

    def __str__(self) -> str:
        return (self.name_en or self.name) if (get_language() or "").startswith("en") else self.name


class AuditTie(models.Model):
    """A reason why a firm is not independent of an organization; the draw leaves it out (D4)."""

    firm = models.ForeignKey(AuditFirm, on_delete=models.CASCADE, related_name="ties")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["firm", "organization"], name="audit_tie_once")]
