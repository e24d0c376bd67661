from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput, Conflict, PermissionRefused


class FourEyes(PermissionRefused):
    code = "four_eyes"
    message = _("申请、审核、批准、付款必须是四个不同的人。您已经办过这一件的另一步，请让同事来办。")


class BankAccountChanged(Conflict):
    code = "bank_account_changed"
    message = _("批准之后收款账户变过。这一件已退回待批准，请重新批准后再付款。")


class NotInBatch(BadInput):
    code = "not_in_batch"
    message = _("结果文件和这个批次对不上。没有记入任何一行，请核对是否拿错了文件。")


class NothingToPay(BadInput):
    code = "nothing_to_pay"
    message = _("没有选中可付款的事项。请至少勾选一件已批准的。")
