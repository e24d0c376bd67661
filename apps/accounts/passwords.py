"""Words of the rules for passwords."""

from __future__ import annotations

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import gettext as _


class LongEnough(MinimumLengthValidator):
    """Django's rule; its own words lack a Chinese translation."""

    def get_error_message(self) -> str:
        return _("密码太短，至少要%(n)d个字符。") % {"n": self.min_length}

    def get_help_text(self) -> str:
        return _("密码至少要%(n)d个字符，可以是一句话。") % {"n": self.min_length}
