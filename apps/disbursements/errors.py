from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput, Conflict, PermissionRefused


class FourEyes(PermissionRefused):
    code = "four_eyes"
    message = _("申请、审核、批准、付款必须是四个不同的人。您已经办过这一件的另一步，请让同事来办。")


class BankAccountChanged(Conflict):
    code = "bank_account_changed"
    message = _("批准之后收款账户变过。请退回待批准，重新批准后再付款。")


class NotInBatch(BadInput):
    """Lines of a result file that don't fit their batch; nothing was recorded. `faults` says which, line by line."""

    code = "not_in_batch"
    message = _("结果文件和这个批次对不上。没有记入任何一行，请核对是否拿错了文件。")
    field = "file"

    def __init__(self, faults: Sequence[str] = ()) -> None:
        self.faults = list(faults)
        super().__init__(listed(str(self.message), self.faults) if faults else None)


class NothingToPay(BadInput):
    code = "nothing_to_pay"
    message = _("没有选中可付款的事项。请至少勾选一件已批准的。")


class BankFileFrozen(Conflict):
    code = "bank_file_frozen"
    message = _("这个批次的银行文件已经定下，不能再变。银行已有结果或收款账户已变，请用新批次付剩下的。")


class FlagsUnanswered(BadInput):
    """Risk flags that this person has to answer before the step (P6)."""

    code = "flags_unanswered"
    message = _("还有风险提示没有答复。请逐条写明核实的情况。")
    field = "reason"


SHOWN = 20


def listed(head: str, faults: Sequence[str]) -> str:
    """This will put faults after a sentence, the first twenty of them and how many more there are."""
    more = str(_("……另有%(n)s处")) % {"n": len(faults) - SHOWN} if len(faults) > SHOWN else ""
    return "\n".join([head, *faults[:SHOWN], *([more] if more else [])])
