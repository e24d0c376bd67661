"""What was sent, once per reason. Neither the address nor the text is kept: both stand with the record they tell of."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class SentMail(models.Model):
    key = models.CharField(max_length=80, unique=True)
    sent_at = models.DateTimeField(db_default=Now())
