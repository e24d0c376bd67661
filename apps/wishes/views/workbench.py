"""Wishes on the workbench: writing, two reviews, goods brought to a family, and what the family says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.casework.models import Purpose
from apps.casework.queries import standing_consents
from apps.core import clock, crypto
from apps.core.errors import NotFound, PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, attempt_form, typed
from apps.wishes import operations, policies, queries
from apps.wishes.forms import PhotoForm, ThanksForm, WishForm, shown
from apps.wishes.models import Claim, Pledge, Thanks, Wish, WishPhoto, WishTemplate
from apps.wishes.operations.claiming import contact_place
from apps.wishes.states import ClaimStatus, WishStatus
from apps.wishes.views.public import picture

PAGE = 50
ROLES = (
    "caseworker", "town_reviewer", "city_reviewer", "purchaser", "project_officer", "manager", "storekeeper",
    "supervisor",
)  # fmt: skip


@never_cache
@require_safe
def home(request: Request) -> HttpResponse:
    """This will show what waits for this person, then all wishes they may see, by state and words, paged by key."""
    if not any(request.actor.has(role) for role in ROLES):
        raise PermissionRefused()
    status, words, after = (request.GET.get(name, "").strip()[:40] for name in ("status", "q", "after"))
    rows = queries.visible(request.actor)
    if status in WishStatus.values:
        rows = rows.filter(status=status)
    if words:
        rows = queries.with_words(rows, words.replace("\x00", ""))
    last = rows.filter(public_id=after).values_list("pk", flat=True).first() if after else None
    page = list((rows.filter(pk__lt=last) if last else rows)[: PAGE + 1])
    context = {
        "waiting": queries.queue_for(request.actor)[:PAGE], "rows": page[:PAGE], "status": status, "q": words,
        "after": after, "more": page[PAGE - 1].public_id if len(page) > PAGE else "", "statuses": WishStatus.choices,
        "writes": bool(request.actor.scopes("caseworker")), "now": clock.now(),
    }  # fmt: skip
    return render(request, "wishes/work_list.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def new(request: Request) -> HttpResponse:
    """This will write a new wish down, from scratch or from a template (?template=)."""
    if not request.actor.scopes("caseworker"):
        raise PermissionRefused()
    template = WishTemplate.objects.filter(
        public_id=request.GET.get("template", "")[:16], retired_at=None
    ).first()
    form = WishForm(
        request.POST or None, initial=_from(template) | {"file_number": request.GET.get("family", "")[:20]}
    )
    if request.method == "POST" and form.is_valid() and form.household is not None:
        family = form.household
        made = attempt_form(
            form,
            lambda: operations.draft_wish(
                actor=request.actor, household=family, draft=form.draft(), consented=form.cleaned_data["consent"],
                now=clock.now(),
            ),
        )  # fmt: skip
        if made:
            return redirect("wishes_one", made.public_id)
    context = {"form": form, "templates": queries.active_templates(), "wish": None}
    return render(request, "wishes/work_form.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def edit(request: Request, public_id: str) -> HttpResponse:
    """This will change a draft's text; nothing typed is lost."""
    found = _find(request, public_id)
    if not allowed(policies.can_change_wish, request.actor, found):
        raise PermissionRefused()
    form = WishForm(request.POST or None, initial=shown(found))

    def rewrite() -> Wish:
        return operations.rewrite_wish(actor=request.actor, wish=found, draft=form.draft(), now=clock.now())

    made = attempt_form(form, rewrite) if request.method == "POST" and form.is_valid() else None
    if made:
        return redirect("wishes_one", public_id)
    return render(
        request, "wishes/work_form.html", {"form": form, "wish": found}, status=422 if form.errors else 200
    )


@never_cache
@require_http_methods(["GET", "POST"])
def one(request: Request, public_id: str) -> HttpResponse:
    """This will show a wish with its claims and history, and the buttons this very person may press."""
    found = _find(request, public_id)
    photo_form, thanks_form = PhotoForm(), ThanksForm()
    if request.method == "POST":
        act, _sep, which = request.POST.get("act", "").partition(":")
        if act == "photo":
            photo_form = PhotoForm(request.POST, request.FILES)
            done = (
                attempt_form(photo_form, _photo(request, found, photo_form))
                if photo_form.is_valid()
                else None
            )
            if done:
                return redirect("wishes_one", public_id)
        elif act == "thanks":
            thanks_form = ThanksForm(request.POST, request.FILES)
            done = (
                attempt_form(thanks_form, _thanks(request, found, thanks_form))
                if thanks_form.is_valid()
                else None
            )
            if done:
                return redirect("wishes_one", public_id)
        else:
            _act(request, found, act, which)
            return redirect("wishes_one", public_id)
    context = _context(request, found) | {"photo_form": photo_form, "thanks_form": thanks_form}
    failed = photo_form.errors or thanks_form.errors
    return render(request, "wishes/work_one.html", context, status=422 if failed else 200)


@never_cache
@require_safe
def photo(request: Request, public_id: str) -> HttpResponse:
    """This will show a wish's photo to those who review it."""
    row = WishPhoto.objects.filter(wish=_find(request, public_id)).first()
    if row is None:
        raise NotFound()
    return picture(bytes(row.content), "image/jpeg")


@never_cache
@require_safe
def thanks_photo(request: Request, public_id: str) -> HttpResponse:
    """This will show the photo of thanks to those who look at it before the public does."""
    row = Thanks.objects.filter(wish=_find(request, public_id), photo__isnull=False).first()
    if row is None or row.photo is None:
        raise NotFound()
    return picture(bytes(row.photo), "image/jpeg")


def _find(request: Request, public_id: str) -> Wish:
    rows = queries.visible(request.actor).select_related(
        "household", "consent", "caseworker", "town_reviewer", "city_reviewer"
    )
    return get_object_or_404(rows, public_id=public_id)


def _from(template: WishTemplate | None) -> dict[str, Any]:
    if template is None:
        return {}
    names = ("category", "title", "title_en", "item", "spec")
    prices = {name: f"{getattr(template, name) / 100:.2f}" for name in ("item_price", "delivery_price")}
    return {name: getattr(template, name) for name in names} | prices


def _photo(request: Request, wish: Wish, form: PhotoForm) -> Callable[[], object]:
    said = form.cleaned_data
    return lambda: operations.add_photo(
        actor=request.actor, wish=wish, content=said["photo"].read(), no_face=said["no_face"], now=clock.now()
    )


def _thanks(request: Request, wish: Wish, form: ThanksForm) -> Callable[[], object]:
    said = form.cleaned_data
    content = said["photo"].read() if said["photo"] else None
    return lambda: operations.write_thanks(
        actor=request.actor,
        wish=wish,
        words=said["words"],
        photo=content,
        no_face=said["no_face"],
        now=clock.now(),
    )


def _act(request: Request, wish: Wish, act: str, which: str) -> None:
    actor, now, ok = request.actor, clock.now(), request.POST.get("photo_ok") == "on"
    reason, slip, digits = (
        typed(request, "reason", 200),
        typed(request, "slip", 60),
        typed(request, "code", 12),
    )
    ways: dict[str, tuple[Callable[[], object], str]] = {
        "submit": (lambda: operations.submit_wish(
            actor=actor, wish=wish, consent=typed(request, "consent", 16), now=now), _("已提交镇街审核。")),
        "town": (lambda: operations.approve_in_town(actor=actor, wish=wish, photo_ok=ok, now=now),
                 _("镇街审核通过，已交市级审核。")),
        "city": (lambda: operations.approve_in_city(actor=actor, wish=wish, photo_ok=ok, now=now),
                 _("市级审核通过，心愿已在商城开放。")),
        "reject": (lambda: operations.reject_wish(actor=actor, wish=wish, reason=reason, now=now), _("已退回修改。")),
        "withdraw": (lambda: operations.withdraw_wish(actor=actor, wish=wish, reason=reason, now=now), _("已撤回。")),
        "reopen": (lambda: operations.reopen_draft(actor=actor, wish=wish, reason=reason, now=now),
                   _("已回到草稿，改好后重新审核。")),
        "no_photo": (lambda: operations.remove_photo(actor=actor, wish=wish, now=now), _("照片已去掉。")),
        "hand": (lambda: operations.hand_over(actor=actor, wish=wish, now=now), _("已记下交到家。请让家人确认。")),
        "ask_code": (lambda: operations.ask_wish_code(actor=actor, wish=wish, now=now), _("验证码已请求发送。")),
        "code": (lambda: operations.confirm_at_desk(actor=actor, wish=wish, digits=digits, now=now), _("家人已确认。")),
        "slip": (lambda: operations.confirm_by_slip(actor=actor, wish=wish, slip=slip, now=now), _("家人已确认。")),
        "publish": (lambda: operations.publish_thanks(actor=actor, wish=wish, photo_ok=ok, now=now), _("感谢已公布。")),
        "accept": (lambda: operations.accept_pledge(
            actor=actor, pledge=get_object_or_404(Pledge, pk=_number(which)), wish=wish,
            consignment=typed(request, "consignment", 20), now=now), _("实物已收下。")),
    }  # fmt: skip
    if act in ways and (act != "ask_code" or _sends_texts()):
        attempt(request, *ways[act])


def _sends_texts() -> bool:
    """Whether a text message can go out at all; without it the family signs a slip."""
    return bool(settings.SMS_GATEWAY != "off")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _context(request: Request, wish: Wish) -> dict[str, Any]:
    actor = request.actor
    claims = list(
        Claim.objects.filter(wish=wish)
        .select_related("gift", "pledge__warehouse", "purchase")
        .order_by("-id")[:100]
    )
    thanks = Thanks.objects.filter(wish=wish).first()
    writes = allowed(policies.can_change_wish, actor, wish)
    accepts = allowed(policies.can_accept_goods, actor, wish)
    live = {claim.status for claim in claims if claim.ended_at is None}
    pledges = {
        claim.pledge.pk: claim.pledge
        for claim in claims
        if claim.status == ClaimStatus.PROMISED and claim.pledge
    }
    reviews = (
        (wish.status == WishStatus.TOWN_REVIEW and allowed(policies.can_review_in_town, actor, wish)
        and "town") or (wish.status == WishStatus.CITY_REVIEW and allowed(policies.can_review_in_city, actor, wish)
        and "city") or ""
    )  # fmt: skip
    draft = wish.status in (WishStatus.DRAFT, WishStatus.REJECTED)
    return {
        "consents": standing_consents(wish.household, Purpose.WISH) if draft and writes else [],
        "wish": wish, "claims": claims, "changes": wish.changes.order_by("-id")[:30], "now": clock.now(),
        "photo": WishPhoto.objects.filter(wish=wish).defer("content").select_related("looked_at_by").first(),
        "thanks": thanks, "writes": writes, "accepts": accepts, "reviews": reviews, "draft": draft,
        "pledges": [(each, _contact(each) if accepts else "") for each in pledges.values()],
        "can_withdraw": writes and (draft or wish.status in (WishStatus.TOWN_REVIEW, WishStatus.CITY_REVIEW,
                                                             WishStatus.OPEN, WishStatus.CLAIMED)),
        "can_reopen": writes and (wish.status == WishStatus.EXPIRED or (wish.status == WishStatus.OPEN and not live)),
        "can_hand": writes and ClaimStatus.ARRIVED in live, "can_confirm": writes and ClaimStatus.HANDED in live,
        "sends_texts": _sends_texts(),
        "can_thank": writes and wish.status == WishStatus.FULFILLED and not wish.hidden_at
        and (thanks is None or not thanks.published_at),
        "can_publish": thanks is not None and not thanks.published_at and actor.person_id != thanks.written_by_id
        and allowed(policies.can_publish_thanks, actor, wish),
        "can_order": actor.has("purchaser") and ClaimStatus.SECURED in live,
    }  # fmt: skip


def _contact(pledge: Pledge) -> str:
    return crypto.unseal(pledge.contact, contact_place(pledge)) if pledge.contact else ""
