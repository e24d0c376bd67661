"""Errors a person can act on.

Operations raise subclasses of DomainError, declared beside the operation that raises them. Edges map them:
`core.middleware` to a page, the API to JSON, `add_to_form` to a form. A message says what happened and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.forms import BaseForm

Text = str | Promise


class DomainError(Exception):
    """This will be raised when a rule of the product refuses what was asked.

    `code` is stable (API clients and tests rely on it), `message` is translated and says what to do next,
    `field` names the input it belongs to, `status` is the HTTP status of the edges.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 422
    message: Text = _("这一步不能完成。")
    field: str | None = None

    def __init__(self, message: Text | None = None, *, field: str | None = None) -> None:
        if message is not None:
            self.message = message
        if field is not None:
            self.field = field
        super().__init__(str(self.code))

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class PermissionRefused(DomainError):
    code = "permission_refused"
    status = 403
    message = _("您没有做这一步的权限。需要的话，请让有相应角色的同事来做。")


class NotFound(DomainError):
    code = "not_found"
    status = 404
    message = _("没有找到。请检查地址，或从列表重新打开。")


class Conflict(DomainError):
    code = "conflict"
    status = 409
    message = _("这条记录刚被改动过。请刷新后再试。")


class WrongState(Conflict):
    code = "wrong_state"
    message = _("这条记录现在的状态不允许这一步。请刷新页面看最新状态。")


class BadInput(DomainError):
    code = "bad_input"
    message = _("填写的内容有误，请检查后再提交。")


def add_to_form(form: BaseForm, error: DomainError) -> None:
    """This will show a refusal on a form, beside its field where it has one, keeping what was typed."""
    field = error.field if error.field in form.fields else None
    form.add_error(field, str(error.message))
