"""Volunteers' errands on the workbench, their certificates of hours, and the public check of one (O5)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.documents import qr_data, render_pdf
from apps.core.errors import PermissionRefused
from apps.core.http import Request, client_address
from apps.core.limits import TooMany, count_use, used
from apps.core.pages import private_page
from apps.core.policies import allowed, authorize
from apps.core.workbench import attempt, attempt_form, typed
from apps.inventory.models import Dispatch
from apps.organizations.queries import federation
from apps.wishes import operations, policies, queries
from apps.wishes.forms import ErrandForm, HoursCheckForm, HoursForm, PeriodForm, VolunteerForm
from apps.wishes.models import Errand, HoursCertificate, Volunteer
from apps.wishes.states import ErrandStatus

PAGE = 50
ROLES = ("caseworker", "town_reviewer", "storekeeper")
MISSES, WINDOW = 20, 600
"""So many wrong tries an address has in so many seconds."""


@never_cache
@require_http_methods(["GET", "POST"])
def home(request: Request) -> HttpResponse:
    """This will list errands by state and words, paged by key, with the form for a new one."""
    actor = request.actor
    if not any(actor.has(role) for role in ROLES):
        raise PermissionRefused()
    form = ErrandForm(request.POST or None, initial={
        "volunteer": request.GET.get("volunteer", "")[:16], "what": request.GET.get("what", "")[:20]})  # fmt: skip
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        what = data["what"].strip()
        who = Volunteer.objects.filter(public_id=data["volunteer"].strip(), left_at=None).first()
        wish = queries.visible(actor).filter(public_id=what).first()
        dispatch = None if wish else Dispatch.objects.filter(number=what).first()
        if who is None:
            form.add_error("volunteer", _("没有这位志愿者。编号在志愿者名单里。"))
        elif wish is None and dispatch is None:
            form.add_error("what", _("没有这个心愿或出库单，或不在您的范围。"))
        elif attempt_form(form, lambda: operations.plan_errand(
                actor=actor, volunteer=who, wish=wish, dispatch=dispatch, on=data["on"], now=clock.now())):  # fmt: skip
            messages.success(request, _("已记下，志愿者送完后登记时长。"))
            return redirect("wishes_errands")
    status, words, after = (request.GET.get(name, "").strip()[:40] for name in ("status", "q", "after"))
    rows = queries.errands_for(actor, status=status, words=words.replace("\x00", ""))
    last = rows.filter(number=after).values_list("pk", flat=True).first() if after else None
    page = list((rows.filter(pk__lt=last) if last else rows)[: PAGE + 1])
    context = {
        "rows": page[:PAGE], "more": page[PAGE - 1].number if len(page) > PAGE else "", "after": after, "q": words,
        "status": status, "statuses": ErrandStatus.choices, "form": form,
        "plans": actor.has("caseworker") or actor.has("storekeeper"),
        "keeps": allowed(policies.can_keep_volunteers, actor),
    }  # fmt: skip
    return render(request, "wishes/errands.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def one(request: Request, number: str) -> HttpResponse:
    """This will show an errand: hours stated by one person, confirmed by another."""
    actor = request.actor
    found = get_object_or_404(queries.errands_for(actor), number=number)
    form = HoursForm(
        request.POST if request.POST.get("act") == "record" else None, initial={"on": found.on.isoformat()}
    )
    if request.method == "POST":
        act, reason, now = request.POST.get("act", ""), typed(request, "reason", 200), clock.now()
        if act == "record":
            done = attempt_form(form, lambda: _record(request, found, form)) if form.is_valid() else None
            if done:
                messages.success(request, _("时长已登记，等同事确认。"))
                return redirect("wishes_errand", number)
        else:
            ways = {
                "confirm": (lambda: operations.confirm_hours(actor=actor, errand=found, now=now), _("时长已确认。")),
                "back": (lambda: operations.give_hours_back(actor=actor, errand=found, reason=reason, now=now),
                         _("已退回，请重新登记时长。")),
                "cancel": (lambda: operations.cancel_errand(actor=actor, errand=found, reason=reason, now=now),
                           _("已取消。")),
            }  # fmt: skip
            if act in ways:
                attempt(request, *ways[act])
            return redirect("wishes_errand", number)
    runs = allowed(policies.can_run_errand, actor, found) and actor.person_id != found.person_id
    context = {
        "errand": found, "name": queries.volunteer_name(found.volunteer), "form": form,
        "phone": queries.volunteer_phone(found.volunteer) if runs else "",
        "changes": found.changes.order_by("-id")[:30],
        "can_record": runs and found.status == ErrandStatus.PLANNED,
        "can_confirm": found.status == ErrandStatus.RECORDED and actor.person_id != found.person_id
        and allowed(policies.can_confirm_hours, actor, found),
    }  # fmt: skip
    return render(request, "wishes/errand.html", context, status=422 if form.errors else 200)


def _record(request: Request, errand: Errand, form: HoursForm) -> Errand:
    return operations.record_hours(
        actor=request.actor,
        errand=errand,
        minutes=form.minutes(),
        on=form.cleaned_data["on"],
        now=clock.now(),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def volunteers(request: Request) -> HttpResponse:
    """This will list volunteers with their confirmed hours, paged by key and found by number or whole phone number, and
    register a new one."""
    authorize(policies.can_keep_volunteers, request.actor)
    form = VolunteerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        draft = operations.VolunteerDraft(**form.cleaned_data)
        made = attempt_form(
            form, lambda: operations.register_volunteer(actor=request.actor, draft=draft, now=clock.now())
        )
        if made:
            return redirect("wishes_volunteer", made.public_id)
    words, after = (request.GET.get(name, "").replace("\x00", "").strip()[:40] for name in ("q", "after"))
    rows = queries.volunteers_with_hours()
    if words:
        rows = queries.found_by(rows, words)
    last = Volunteer.objects.filter(public_id=after).values_list("pk", flat=True).first() if after else None
    page = list((rows.filter(pk__lt=last) if last else rows)[: PAGE + 1])
    context = {
        "rows": [(row, queries.volunteer_name(row)) for row in page[:PAGE]], "form": form, "q": words, "after": after,
        "more": page[PAGE - 1].public_id if len(page) > PAGE else "", "kept": urlencode({"q": words}),
    }  # fmt: skip
    return render(request, "wishes/volunteers.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def volunteer(request: Request, public_id: str) -> HttpResponse:
    """This will show a volunteer: hours, errands, certificates, and whether they are named in public."""
    actor = request.actor
    authorize(policies.can_keep_volunteers, actor)
    found = get_object_or_404(queries.volunteers_with_hours(), public_id=public_id)
    form = PeriodForm(request.POST if request.POST.get("act") == "issue" else None)
    if request.method == "POST":
        if request.POST.get("act") == "naming":
            named = request.POST.get("named") == "on"
            attempt(
                request,
                lambda: operations.change_naming(actor=actor, volunteer=found, named=named),
                _("已保存。"),
            )
            return redirect("wishes_volunteer", public_id)
        if form.is_valid():
            made = attempt_form(form, lambda: operations.issue_hours_certificate(
                actor=actor, volunteer=found, now=clock.now(), **form.cleaned_data))  # fmt: skip
            if made:
                return redirect("wishes_hours", public_id, made.number)
    context = {
        "volunteer": found, "name": queries.volunteer_name(found), "phone": queries.volunteer_phone(found),
        "form": form, "certificates": found.certificates.order_by("-id")[:50],
        "errands": Errand.objects.filter(volunteer=found).order_by("-on", "-id")[:50],
    }  # fmt: skip
    return render(request, "wishes/volunteer.html", context, status=422 if form.errors else 200)


@never_cache
@require_safe
def certificate(request: Request, public_id: str, number: str) -> HttpResponse:
    """This will show a certificate of hours as a page to print."""
    return render(request, "wishes/hours.html", _certificate(request, public_id, number))


@never_cache
@require_safe
def certificate_pdf(request: Request, public_id: str, number: str) -> HttpResponse:
    """This will give a certificate of hours as a PDF."""
    context = _certificate(request, public_id, number)
    body = render_pdf("wishes/hours_pdf.html", "wishes/hours_pdf.css", context)
    response = HttpResponse(body, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{context["paper"].number}.pdf"'
    return response


def _certificate(request: Request, public_id: str, number: str) -> dict[str, Any]:
    authorize(policies.can_keep_volunteers, request.actor)
    rows = HoursCertificate.objects.select_related("volunteer")
    paper = get_object_or_404(rows, volunteer__public_id=public_id, number=number)
    query = f"?number={paper.number}&check={paper.check_code}"
    address = settings.SITE_URL.rstrip("/") + reverse("wishes_hours_check") + query
    return {
        "paper": paper, "name": queries.volunteer_name(paper.volunteer), "federation": federation(),
        "address": address, "qr": qr_data(address), "demonstration": settings.MODE == "demonstration",
    }  # fmt: skip


@private_page
@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """This will tell whether a certificate of hours is genuine; it names the volunteer only where they agreed."""
    asked = bool(request.GET.get("number") or request.GET.get("check"))
    form = HoursCheckForm(request.GET if asked else None)
    found: HoursCertificate | None = None
    status = 200
    if asked and form.is_valid():
        who = client_address(request)
        if used("check_hours", who) >= MISSES:
            raise TooMany()
        found = queries.certificate_by_number(
            form.cleaned_data["number"].strip().upper(), form.cleaned_data["check"].strip().lower()
        )
        if found is None:
            count_use("check_hours", who, seconds=WINDOW)
            status = 404
    name = queries.volunteer_name(found.volunteer) if found and found.volunteer.named else ""
    context = {"form": form, "paper": found, "name": name, "asked": asked}
    return render(request, "wishes/hours_check.html", context, status=status)
