"""Lists of other departments, duplicate alerts, and erasures."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.casework import operations, policies, queries
from apps.casework.forms import LayoutForm, RegistryForm
from apps.casework.models import DuplicateAlert, ErasureRequest, RegistryList
from apps.casework.registry_files import FAULTS
from apps.casework.tasks import work_registry_lists
from apps.core import clock
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed, authorize
from apps.core.workbench import attempt, attempt_form, typed

PAGE = 50


@never_cache
@require_http_methods(["GET", "POST"])
def registry(request: Request) -> HttpResponse:
    """This will list the departments' lists and take a new one. For the city's reviewer."""
    authorize(policies.can_manage_registry, request.actor)
    form = RegistryForm()
    if request.method == "POST":
        form = RegistryForm(request.POST, request.FILES)
        if form.is_valid():
            data = form.cleaned_data
            made = attempt_form(
                form,
                lambda: operations.upload_registry_list(
                    actor=request.actor, kind=data["kind"], source=data["source"], as_of=data["as_of"],
                    content=data["file"].read(), file_name=data["file"].name, now=clock.now(),
                ),
            )  # fmt: skip
            if made:
                work_registry_lists.delay()
                return redirect("casework_registry_list", made.public_id)
    rows = RegistryList.objects.order_by("-id")
    kind = request.GET.get("kind", "")
    if kind in RegistryList.Kind.values:
        rows = rows.filter(kind=kind)
    context = {"rows": rows[:PAGE], "form": form, "kinds": RegistryList.Kind.choices, "kind": kind}
    return render(request, "casework/registry.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def registry_list(request: Request, public_id: str) -> HttpResponse:
    """This will show what was read of a list, line errors by number, and take the decision."""
    authorize(policies.can_manage_registry, request.actor)
    item = get_object_or_404(RegistryList, public_id=public_id)
    waiting = item.status in ("uploaded", "ready")
    head = operations.list_head(actor=request.actor, item=item) if waiting else []
    form = LayoutForm(request.POST or None, titles=head[0] if head else [], initial=item.columns)
    act, now = request.POST.get("act", ""), clock.now()
    done = False
    if act == "confirm":
        done = attempt(
            request,
            lambda: operations.confirm_registry_list(actor=request.actor, item=item, now=now),
            _("已确认，正在和全部档案比对。"),
        )
    elif act == "drop":
        done = attempt(
            request,
            lambda: operations.drop_registry_list(actor=request.actor, item=item, now=now),
            _("名单已丢弃，没有留下任何内容。"),
        )
    elif act == "columns" and form.is_valid():
        done = bool(
            attempt_form(
                form,
                lambda: operations.choose_columns(
                    actor=request.actor, item=item, layout=form.layout(), now=now
                ),
            )
        )
    if done:
        work_registry_lists.delay()
    if done or act in ("confirm", "drop"):
        return redirect("casework_registry_list", item.public_id)
    faults = [(fault["row"], FAULTS[fault["code"]]) for fault in item.errors]
    live = RegistryList.objects.filter(kind=item.kind, status="live").exclude(pk=item.pk).first()
    bad = act == "columns" and bool(form.errors)
    context = {
        "item": item, "faults": faults, "form": form if act == "columns" else LayoutForm(
            titles=head[0] if head else [], initial=item.columns),
        "working": item.status == "applying" or (item.status == "uploaded" and item.columns),
        "asking": item.status == "uploaded" and not item.columns, "live": live, "good": item.total - item.bad,
    }  # fmt: skip
    return render(request, "casework/registry_list.html", context, status=422 if bad else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def alerts(request: Request) -> HttpResponse:
    """This will list the alerts of one person in two files that touch one's towns, and take the town's answer."""
    rows = queries.alerts_of(request.actor)
    if request.method == "POST":
        pk = request.POST.get("alert", "")
        alert = get_object_or_404(rows, pk=pk if pk.isdecimal() and len(pk) < 18 else 0)
        town = request.POST.get("town", "")
        attempt(
            request,
            lambda: operations.answer_alert(
                actor=request.actor, alert=alert, town_id=int(town) if town.isdecimal() and len(town) < 18 else 0,
                note=typed(request, "note"), now=clock.now(),
            ),
            _("结论已记下。对方能看到已经有结论，看不到内容。"),
        )  # fmt: skip
        return redirect("casework_alerts")
    if request.GET.get("state") == "open":
        towns = request.actor.scopes("caseworker") | request.actor.scopes("town_reviewer")
        rows = rows.exclude(answers__town__in=towns)
    after = request.GET.get("after", "")
    if after.isdecimal() and len(after) < 18:
        rows = rows.filter(pk__lt=int(after))
    page: list[DuplicateAlert] = list(rows[: PAGE + 1])
    more = page[PAGE - 1].pk if len(page) > PAGE else ""
    context = {
        "rows": list(queries.seen_by(request.actor, page[:PAGE])), "more": more, "after": after,
        "state": request.GET.get("state", ""),
    }  # fmt: skip
    return render(request, "casework/alerts.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def erasures(request: Request) -> HttpResponse:
    """This will list what is asked to be destroyed, for the second person, and what is kept longer than the rules
    say."""
    actor = request.actor
    if not any(actor.has(role) for role in ("caseworker", "town_reviewer", "city_reviewer")):
        raise PermissionRefused()
    rows = ErasureRequest.objects.select_related("household__town", "asked_by", "decided_by").order_by("-id")
    if not actor.has("city_reviewer"):
        towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
        rows = rows.filter(household__town__in=towns)
    if request.method == "POST":
        pk = request.POST.get("request", "")
        wanted = get_object_or_404(rows, pk=pk if pk.isdecimal() and len(pk) < 18 else 0)
        refuse = request.POST.get("act") == "refuse"
        act = operations.refuse_erasure if refuse else operations.approve_erasure
        said = _("没有批准，档案照常保存。") if refuse else _("档案已销毁，不能恢复。")
        attempt(request, lambda: act(actor=actor, request=wanted, now=clock.now()), said)
        return redirect("casework_erasures")
    today = clock.civil_day(clock.now())
    page = list(rows[:PAGE])
    context = {
        "asked": [(one, allowed(policies.can_approve_erasure, actor, one.household) and one.asked_by_id
                   != actor.person_id) for one in page if one.status == "asked"],
        "decided": [one for one in page if one.status != "asked"], "due": queries.retention_due(actor, today),
    }  # fmt: skip
    return render(request, "casework/erasures.html", context)
