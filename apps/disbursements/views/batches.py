"""The cashier's desk: batches out, bank results in, and transfers between earmarks."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.core import clock
from apps.core.errors import DomainError, PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, attempt_form, typed
from apps.disbursements import operations, policies, queries
from apps.disbursements.accounts_held import account_versions
from apps.disbursements.bank_files import LARGEST, LAYOUTS, read_results
from apps.disbursements.files import export_batch
from apps.disbursements.forms import LayoutForm, ResultFileForm, TransferForm
from apps.disbursements.models import Batch, Disbursement, Transfer
from apps.disbursements.operations import LineOutcome
from apps.disbursements.operations.paying import layout_of
from apps.disbursements.states import Layout
from apps.funds.models import MicroFund
from apps.funds.queries import fund_earmarks
from apps.organizations.models import Organization

MIME = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@never_cache
@require_http_methods(["GET", "POST"])
def batches(request: Request) -> HttpResponse:
    """This will show what can be paid and the batches so far; a POST releases one batch."""
    own = request.actor.scopes("cashier")
    if not own:
        raise PermissionRefused()
    if request.POST.get("layout"):
        _choose(request, own)
        return redirect("disbursements_batches")
    if request.method == "POST":
        made = _release(request, own)
        return redirect("disbursements_batch", made.number) if made else redirect("disbursements_batches")
    rows = list(queries.payable(own)[:500])
    held = account_versions({row.household_id for row in rows if row.household_id})
    changed = {
        row.pk for row in rows if row.household_id and held.get(row.household_id) != row.approved_account
    }
    home = Organization.objects.filter(pk__in=own).order_by("pk").first()
    layout = LayoutForm(initial={"layout": layout_of(home.pk) if home else ""})
    return render(
        request, "disbursements/batches.html",
        {"rows": rows, "batches": queries.batches(own)[:50], "person": request.actor.person_id,
         "changed": changed, "layout": layout},
    )  # fmt: skip


def _choose(request: Request, own: set[int]) -> None:
    home = Organization.objects.filter(pk__in=own).order_by("pk").first()
    if home is None:
        raise PermissionRefused()
    attempt(
        request,
        lambda: operations.choose_layout(
            actor=request.actor, organization=home, layout=typed(request, "layout", 8), now=clock.now()
        ),
        _("以后的批次用这个格式。已放行的批次不变。"),
    )


def _release(request: Request, own: set[int]) -> Batch | None:
    numbers = request.POST.getlist("number")
    rows = list(Disbursement.objects.filter(number__in=numbers).select_related("project__fund"))
    made: list[Batch] = []
    organizations = {row.project.fund.organization_id for row in rows} & own
    organization = Organization.objects.filter(pk__in=organizations or own).first()
    if organization is None:
        raise PermissionRefused()
    attempt(
        request,
        lambda: made.append(
            operations.release_batch(
                actor=request.actor, organization=organization, disbursement_ids=[row.pk for row in rows],
                now=clock.now(),
            )
        ),
        _("批次已放行。请下载银行文件付款，再导入银行结果。"),
    )  # fmt: skip
    return made[0] if made else None


def _batch(request: Request, number: str) -> Batch:
    rows = queries.batches(request.actor.scopes("cashier")).select_related("organization")
    return get_object_or_404(rows, number=number)


@never_cache
@require_http_methods(["GET", "POST"])
def batch(request: Request, number: str) -> HttpResponse:
    """This will show a batch line by line; a POST imports the bank's result file, or marks one line."""
    found = _batch(request, number)
    form = ResultFileForm(request.POST or None, request.FILES or None)
    lines = list(found.lines.select_related("disbursement").order_by("n"))
    if request.method == "POST" and request.POST.get("act") in ("paid", "returned"):
        _mark_line(request, found, {line.n: line.amount for line in lines})
        return redirect("disbursements_batch", found.number)
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["file"].read(LARGEST + 1)
        now = clock.now()
        done = attempt_form(
            form,
            lambda: operations.record_results(
                actor=request.actor, batch=found, effective_at=now, now=now,
                outcomes=read_results(content, batch_number=found.number, currency=found.currency,
                                      layout=found.layout),
            ),
        )  # fmt: skip
        if done:
            left = sum(1 for line in done.lines.all() if not line.result)
            said = (
                _("银行结果已全部记入。") if not left else _("已记入，还有%(n)s行等银行结果。") % {"n": left}
            )
            messages.success(request, said)
            return redirect("disbursements_batch", found.number)
    return render(request, "disbursements/batch.html", {"batch": found, "lines": lines, "form": form, "columns":
    "、".join(LAYOUTS[Layout(found.layout)].back), "files": found.files.order_by("kind"),
                   "waiting": sum(1 for line in lines if not line.result)},
                  status=422 if request.method == "POST" else 200)  # fmt: skip


def _mark_line(request: Request, found: Batch, amounts: dict[int, int]) -> None:
    now, n = clock.now(), request.POST.get("n", "")
    if not n.isdecimal() or len(n) > 6 or int(n) not in amounts:
        return
    outcome = LineOutcome(int(n), amounts[int(n)], request.POST["act"] == "paid", typed(request, "note", 160))
    attempt(
        request,
        lambda: operations.record_results(
            actor=request.actor, batch=found, outcomes=[outcome], effective_at=now, now=now
        ),
        _("已记入这一行的银行结果。"),
    )


@never_cache
@require_POST
def batch_file(request: Request, number: str, kind: str) -> HttpResponse:
    """This will download the bank file; every account in it leaves an access row (C2), so it is a POST."""
    found = _batch(request, number)
    content = export_batch(actor=request.actor, batch=found, kind=kind, now=clock.now())
    response = HttpResponse(content, content_type=MIME[kind])
    response["Content-Disposition"] = f'attachment; filename="{found.number}.{kind}"'
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def transfers(request: Request, slug: str) -> HttpResponse:
    """This will ask for a transfer between two earmarks of a micro-fund, and let a second person approve (P9)."""
    fund = get_object_or_404(MicroFund.objects.select_related("organization"), slug=slug)
    can_ask = allowed(policies.can_ask_transfer, request.actor, fund)
    can_approve = allowed(policies.can_approve_transfer, request.actor, fund)
    if not (can_ask or can_approve):
        raise PermissionRefused()
    marks = fund_earmarks(fund.pk)
    form = TransferForm(None, fund=fund, marks=marks)
    if request.POST.get("approve"):
        asked = get_object_or_404(Transfer, public_id=request.POST["approve"], fund=fund)
        act = lambda: operations.approve_transfer(actor=request.actor, asked=asked, now=clock.now())  # noqa: E731
        attempt(request, act, _("调拨已批准并入账。"))
        return redirect("disbursements_transfers", fund.slug)
    if request.method == "POST":
        form = TransferForm(request.POST, fund=fund, marks=marks)
        if form.is_valid():
            data = form.cleaned_data
            try:
                operations.ask_transfer(
                    actor=request.actor, fund=fund, source=int(data["source"]), target=int(data["target"]),
                    money=data["amount"], reason=data["reason"], now=clock.now(),
                )  # fmt: skip
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error.message))
            else:
                messages.success(request, _("已提出调拨。等负责人批准。"))
                return redirect("disbursements_transfers", fund.slug)
    rows = Transfer.objects.filter(fund=fund).select_related("asked_by", "approved_by").order_by("-id")[:50]
    return render(request, "disbursements/transfers.html",
                  {"fund": fund, "form": form, "rows": rows, "can_ask": can_ask, "can_approve": can_approve,
                   "person": request.actor.person_id}, status=422 if form.errors else 200)  # fmt: skip
