"""Evidence of a case: files encrypted with the household's key, outside the database, under random names."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Person
from apps.casework.models.household import Household, Member
from apps.core.ids import new_public_id


class Attachment(models.Model):
    """One uploaded file. `digest` is a keyed hash of the bytes handed in, so that the same paper used in two cases
    shows (P6); erasure empties it and removes the file."""

    class Kind(models.TextChoices):
        DIAGNOSIS = "diagnosis", _("诊断证明")
        HOSPITAL_BILL = "hospital_bill", _("医院收费单据")
        INSURANCE_SETTLEMENT = "insurance_settlement", _("医保结算单")
        ADMISSION_LETTER = "admission_letter", _("录取通知书")
        ENROLMENT_PROOF = "enrolment_proof", _("在读证明")
        TUITION_BILL = "tuition_bill", _("学费单据")
        HOUSE_APPRAISAL = "house_appraisal", _("房屋鉴定报告")
        PHOTO_BEFORE = "photo_before", _("施工前照片")
        PHOTO_DURING = "photo_during", _("施工中照片")
        PHOTO_AFTER = "photo_after", _("完工照片")
        INCOME_PROOF = "income_proof", _("收入证明")
        RECEIPT_SLIP = "receipt_slip", _("签收单")
        CONSENT_FORM = "consent_form", _("同意书")
        OTHER = "other", _("其他")

    class ContentType(models.TextChoices):
        PDF = "application/pdf", "PDF"
        JPEG = "image/jpeg", "JPEG"
        PNG = "image/png", "PNG"
        WEBP = "image/webp", "WebP"

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="attachments")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="attachments")
    kind = models.CharField(max_length=24, choices=Kind)
    content_type = models.CharField(max_length=20, choices=ContentType)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, blank=True)
    stored_name = models.CharField(max_length=40, unique=True)
    uploaded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="attachment_has_content"),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) ^ Q(digest=""), name="attachment_erased_without_digest"
            ),
        ]
        indexes = [
            models.Index(fields=["household", "-id"], name="attachment_by_household"),
            models.Index(fields=["digest"], name="attachment_by_digest"),
        ]
