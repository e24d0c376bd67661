"""The federation's purchases for wishes, and how the shop is run."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed, authorize
from apps.core.workbench import attempt, attempt_form, typed
from apps.funds.models import Project
from apps.funds.states import PUBLIC as PUBLIC_PROJECTS
from apps.organizations.queries import federation
from apps.wishes import operations, policies, queries
from apps.wishes.forms import OrderForm, PurchaseExpenseForm, TemplateForm
from apps.wishes.models import Claim, Purchase, Wish, WishTemplate
from apps.wishes.states import ClaimStatus, PurchaseStatus, WishStatus

PAGE = 50


@never_cache
@require_http_methods(["GET", "POST"])
def new_order(request: Request, public_id: str) -> HttpResponse:
    """This will order what a wish's paid claims wait for, with quotes; or move a claim to a like wish."""
    found = get_object_or_404(queries.visible(request.actor), public_id=public_id)
    if not request.actor.has("purchaser"):
        raise PermissionRefused()
    claims = list(Claim.objects.filter(wish=found, ended_at=None, status=ClaimStatus.SECURED).order_by("id"))
    if request.method == "POST" and request.POST.get("act") == "swap":
        to = get_object_or_404(Wish, public_id=typed(request, "to", 16))
        claim = get_object_or_404(Claim, wish=found, public_id=typed(request, "claim", 16))
        reason = typed(request, "reason", 200)
        attempt(
            request,
            lambda: operations.swap_claim(
                actor=request.actor, claim=claim, to=to, reason=reason, now=clock.now()
            ),
            _("已换成同类心愿，捐赠人会收到说明。"),
        )
        return redirect("wishes_one", public_id)
    form = OrderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_form(
            form,
            lambda: operations.order_purchase(
                actor=request.actor, wish=found, order=form.order(), now=clock.now()
            ),
        )
        if made:
            return redirect("wishes_order", made.number)
    like = Wish.objects.filter(status=WishStatus.OPEN, category=found.category, cap__lte=found.cap)
    context = {
        "wish": found, "form": form, "claims": claims, "claimed": sum(claim.amount for claim in claims),
        "like": like.exclude(pk=found.pk).select_related("town").defer("words").order_by("-cap", "-id")[:12],
    }  # fmt: skip
    return render(request, "wishes/work_order_new.html", context, status=422 if form.errors else 200)


@never_cache
@require_safe
def orders(request: Request) -> HttpResponse:
    """This will list orders, newest first, by state, paged by key."""
    if not queries.sees_shop(request.actor):
        raise PermissionRefused()
    status, after = request.GET.get("status", ""), request.GET.get("after", "")[:20]
    rows = queries.purchases_for()
    if status in PurchaseStatus.values:
        rows = rows.filter(status=status)
    last = Purchase.objects.filter(number=after).values_list("pk", flat=True).first() if after else None
    page = list((rows.filter(pk__lt=last) if last else rows)[: PAGE + 1])
    context = {
        "rows": page[:PAGE], "more": page[PAGE - 1].number if len(page) > PAGE else "", "after": after,
        "status": status, "statuses": PurchaseStatus.choices,
    }  # fmt: skip
    return render(request, "wishes/work_orders.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def order(request: Request, number: str) -> HttpResponse:
    """This will show an order with its quotes: arrived, cancelled, or applied for with its invoice."""
    found = get_object_or_404(queries.purchases_for(), number=number)
    actor = request.actor
    accepts = allowed(policies.can_accept_goods, actor, found.wish)
    if not accepts and not queries.sees_shop(actor):
        raise PermissionRefused()
    project = _project(found)
    form = PurchaseExpenseForm(request.POST if request.POST.get("act") == "apply" else None, project=project)
    if request.method == "POST":
        act, reason = request.POST.get("act", ""), typed(request, "reason", 200)
        if act == "apply" and form.is_valid():
            made = attempt_form(
                form,
                lambda: operations.apply_for_purchase(
                    actor=actor, purchase=found, now=clock.now(), **form.cleaned_data
                ),
            )
            if made:
                messages.success(request, _("已申请付款，等另外三个人审核、批准、付款。"))
                return redirect("wishes_order", number)
        elif act == "arrived":
            attempt(request, lambda: operations.accept_purchase(actor=actor, purchase=found, now=clock.now()),
                    _("已记下到货。"))  # fmt: skip
            return redirect("wishes_order", number)
        elif act == "cancel":
            attempt(request, lambda: operations.cancel_purchase(
                actor=actor, purchase=found, reason=reason, now=clock.now()), _("订单已取消。"))  # fmt: skip
            return redirect("wishes_order", number)
    ordered = found.status == PurchaseStatus.ORDERED
    organization = project.fund.organization_id
    context = {
        "order": found, "quotes": found.quotes.order_by("price"), "form": form,
        "changes": found.changes.order_by("-id"),
        "pieces": found.claims.count(), "can_accept": ordered and accepts,
        "can_cancel": ordered and found.disbursement_id is None and allowed(policies.can_buy, actor, organization),
        "can_apply": found.disbursement_id is None and found.status != PurchaseStatus.CANCELLED
        and actor.person_id != found.purchaser_id and allowed(policies.can_apply_for_purchase, actor, organization),
    }  # fmt: skip
    return render(request, "wishes/work_order.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def shop(request: Request) -> HttpResponse:
    """This will let a manager choose the shop's filed project and keep the templates of common wishes."""
    organization = federation()
    authorize(policies.can_run_shop, request.actor, organization.pk)
    form = TemplateForm(request.POST if request.POST.get("act") == "template" else None)
    if request.method == "POST":
        act, _sep, which = request.POST.get("act", "").partition(":")
        if act == "project":
            project = get_object_or_404(
                Project.objects.select_related("fund"), slug=typed(request, "project", 80)
            )
            attempt(request, lambda: operations.choose_shop_project(
                actor=request.actor, project=project, now=clock.now()), _("已选定商城对应的项目。"))  # fmt: skip
            return redirect("wishes_shop")
        if act == "retire":
            template = get_object_or_404(WishTemplate, public_id=which[:16])
            attempt(request, lambda: operations.retire_template(
                actor=request.actor, organization=organization, template=template, now=clock.now()),
                _("不再提供这个模板。"))  # fmt: skip
            return redirect("wishes_shop")
        if form.is_valid():
            said = form.cleaned_data | {"delivery_price": form.cleaned_data["delivery_price"] or 0}
            if attempt_form(
                form, lambda: operations.add_template(actor=request.actor, organization=organization, **said)
            ):
                messages.success(request, _("模板已加上。"))
                return redirect("wishes_shop")
    projects = Project.objects.filter(status__in=PUBLIC_PROJECTS, fund__organization=organization).exclude(
        filing_number=""
    )
    context = {
        "form": form, "templates": queries.active_templates(), "project": queries.shop_project(),
        "projects": projects.order_by("-raising_at", "-id")[:200],
    }  # fmt: skip
    return render(request, "wishes/work_shop.html", context, status=422 if form.errors else 200)


def _project(purchase: Purchase) -> Project:
    claim = (
        purchase.wish.claims.filter(gift__project__isnull=False).select_related("gift__project__fund").first()
    )
    project = claim.gift.project if claim and claim.gift else None
    if project is None:
        project = queries.shop_project()
    assert project is not None
    return project
