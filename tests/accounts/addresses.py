"""The address x role matrix: what every address of the site answers to every role.

The objects belong to one organization, one town and one firm. Each role visits them twice: held there ("manager"), and
held at another organization, town or firm ("manager elsewhere").

python -m pytest tests/accounts/test_addresses.py --write-addresses     writes addresses.csv anew; read its difference.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.models import Grant
from apps.accounts.operations import SCOPE_OF
from apps.casework.models import RegistryList
from apps.casework.operations import upload_registry_list
from apps.core.actors import PUBLIC
from apps.core.money import Money
from apps.disclosures.models import Report
from apps.donations.models import Gift, GiftImport
from apps.donations.operations import GiftRequest, TeamDraft, open_monthly_gift, open_team, start_bundle
from apps.inventory.models import Warehouse
from apps.ledger.models import Book
from apps.organizations.operations import register_organization
from apps.payments.models import BankAccount, StatementDraft, WalletCode
from apps.payments.operations import reconciling
from apps.wishes import operations as wish_ops
from search.exports.jobs import start_export
from tests import world as w
from tests.accounts.signing import account_for, with_session
from tests.disclosures import scene
from tests.donations import lists
from tests.inventory import goods
from tests.wishes import shop

FILE = Path(__file__).with_suffix(".csv")
Route = tuple[str, str]
TOOLS = ("cms/", "admin/")
"""Wagtail's and Django's own tools: hundreds of addresses, held by the door (test_tools_are_behind_the_door)."""


def routes() -> Iterator[Route]:
    """This will walk every pattern: (route, name), without the tools."""
    for route, name in _walk(get_resolver()):
        if not route.startswith(TOOLS):
            yield route, name


def tool_routes() -> Iterator[Route]:
    for route, name in _walk(get_resolver()):
        if route.startswith(TOOLS):
            yield route, name


def _walk(resolver: URLResolver, before: str = "") -> Iterator[Route]:
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield route, one.name or ""
        else:
            yield from _walk(one, route)


def _rule(city: w.World) -> int:
    """A published table of a centre that none of the city's projects belongs to."""
    from apps.disbursements.operations import draft_rule, publish_rule
    from apps.disbursements.standard_tables import STANDARD
    from apps.disbursements.states import AidKind

    drafted = draft_rule(
        actor=city.people["officer"], organization=city.organization, kind=AidKind.EDUCATION,
        table=STANDARD[AidKind.EDUCATION], effective_from=w.NOW.date(), note="按公布的数字", now=w.NOW,
    )  # fmt: skip
    return publish_rule(actor=city.people["manager"], version=drafted, now=w.NOW).pk


class Objects:
    """One of everything, and what each placeholder of an address stands for."""

    def __init__(self) -> None:
        self.city = city = scene.helped()
        self.report: Report = scene.drafted(city)
        self.waiting = w.apply_aid(city, w.household(city, 20), 100_00)
        gift = w.open_gift(city, 5_000)
        paid = w.give(city, 6_000)
        batch = city.people["cashier"]
        from apps.disbursements.models import Batch

        self.batch = Batch.objects.get(released_by=batch.person_id, pk=Batch.objects.order_by("pk")[0].pk)
        assert self.waiting.household is not None
        someone = account_for(None, "someone@example.org", mfa=False).person
        export = start_export(
            actor=PUBLIC, kind="csv", query="", language="zh-hans", email="", now=dt.datetime.now(dt.UTC)
        )
        slug = city.project.slug
        refund = w.ask_back(city, paid, 1_000)
        promise = open_monthly_gift(
            actor=PUBLIC, fund=city.fund, project=city.project, now=w.NOW,
            request=GiftRequest(Money(5_000), "card", "k", email="donor@example.org"),
        )  # fmt: skip
        team = open_team(
            actor=PUBLIC, fund=city.fund, project=city.project, now=w.NOW,
            draft=TeamDraft("一起捐", "阿宽", "", Money(10_000), "k"),
        )  # fmt: skip
        bundle = start_bundle(actor=city.people["cashier"], query={}, now=w.NOW)
        self.by_name: dict[str, dict[str, object]] = {
            "payments_sandbox_monthly": {"ref": "sub_unknown"},
            "search_export": {"kind": "csv"},
            "search_export_manifest": {"kind": "csv"},
            "search_export_job": {"token": export.token},
            "search_export_file": {"token": export.token},
            "search_export_job_manifest": {"token": export.token},
            "open_data_file": {"name": "uses.csv"},
            "donations_monthly": {"token": promise.token},
            "donations_team": {"public_id": team.public_id},
            "donations_team_run": {"public_id": team.public_id, "token": team.token},
            "donations_team_hide": {"public_id": team.public_id},
            **_wishes(city),
            "donations_summary": {"year": 2026},
            "donations_summary_pdf": {"year": 2026},
            "donations_refund_one": {"number": refund.number},
            "disbursements_batch": {"number": self.batch.number},
            "disbursements_batch_file": {"number": self.batch.number, "kind": "csv"},
            "disbursements_one": {"number": self.waiting.number},
            "disbursements_next_stage": {"number": self.waiting.number},
            "disbursements_new_by_rule": {"slug": slug, "file_number": self.waiting.household.file_number},
            "disbursements_rule": {"pk": _rule(city)},
            "disbursements_rule_draft": {"kind": "education"},
            "disbursements_confirm": {"token": "no-such-token"},
            "tracing_fund_flow": {"slug": city.fund.slug},
            "disbursements_transfers": {"slug": city.fund.slug},
            "cms_fund": {"slug": city.fund.slug},
            "donations_give_fund": {"slug": city.fund.slug},
            "casework_household": {"file_number": self.waiting.household.file_number},
            "casework_add": {"file_number": self.waiting.household.file_number, "what": "member"},
            "casework_change_member": {
                "file_number": self.waiting.household.file_number,
                "pk": self.waiting.household.members.get(relation="head").pk,
            },
            "casework_registry_list": {"public_id": _registry_list(city).public_id},
            "accounts_person": {"public_id": someone.public_id},
            "disclosures_organization": {"uscc": city.organization.uscc},
            "donations_receipt": {"number": paid.receipt.full_number},
            "donations_receipt_file": {"number": paid.receipt.full_number},
            "donations_receipts_offline_list": {"public_id": _taken_in(city).public_id},
            "donations_bundle": {"public_id": bundle.public_id},
            "donations_bundle_file": {"public_id": bundle.public_id},
            "donations_import": {"public_id": _list(city).public_id},
            "donations_import_faults": {"public_id": _list(city).public_id, "kind": "csv"},
            "payments_differences_export": {"kind": "csv"},
            "payments_statement": {"public_id": _statement(city).public_id},
            "payments_day": {"day": f"{later().date() - dt.timedelta(days=1)}"},
            "disclosures_extend": {"public_id": self.report.duty.public_id},
            "disclosures_kind_change": {"code": "implementation_progress"},
            "disclosures_attachment": {"file_id": "no-such-file"},
            "payments_webhook": {"provider": "sandbox"},
            "payments_scan": {"uuid": _code(gift)},
            "payments_sandbox_cashier": {"ref": w.session_of(gift).pk and _ref(w.session_of(gift))},
            **_goods(city),
            "account_confirm_email": {"key": "x:y:z"},
            "account_reset_password_from_key": {"uidb36": "1", "key": "x-y"},
            "wagtail_serve": {"": "no-such-page/"},
        }
        self.by_parameter: dict[str, object] = {
            "slug": slug, "public_id": self.report.public_id, "token": paid.token,
            "page_view_restriction_id": 1, "page_id": 1, "restriction_id": 1,
        }  # fmt: skip

    def address(self, route: str, name: str) -> str:
        """This will fill an address in, or raise KeyError for a placeholder nobody has told about."""
        given = self.by_name.get(name, {})
        if name == "wagtail_serve":
            return "/no-such-page/"
        if name == "wagtaildocs_serve":
            return "/cms-documents/1/no-such-file.pdf"

        def fill(found: re.Match[str]) -> str:
            key = found.group("a") or found.group("b")
            return str(given.get(key) if key in given else self.by_parameter[key])

        filled = re.sub(r"<(?:\w+:)?(?P<a>\w+)>|\(\?P<(?P<b>\w+)>[^)]*\)", fill, route)
        filled = filled.replace("^", "").replace("$", "")
        if re.search(r"[()<>\\]", filled):
            raise KeyError(f"{route} ({name}): say in {Path(__file__).name} what to put in")
        return "/" + filled


def _wishes(city: w.World) -> dict[str, dict[str, object]]:
    """A wish of the city's first town, claimed with money and ordered; another one promised and handed over."""
    store = shop.build_in(city)
    wish, brought = shop.opened(store, quantity=2), shop.opened(store)
    gift = shop.paid(wish)
    purchase = wish_ops.order_purchase(actor=store.purchaser, wish=wish, order=shop.order(), now=w.NOW)
    pledge = shop.promised(brought)
    wish_ops.accept_pledge(actor=store.caseworker, pledge=pledge, wish=brought, now=w.NOW)
    wish_ops.hand_over(actor=store.caseworker, wish=brought, now=w.NOW)
    code = wish_ops.ask_wish_code(actor=store.caseworker, wish=brought, now=w.NOW)
    carrier = wish_ops.register_volunteer(
        actor=store.caseworker, draft=wish_ops.VolunteerDraft("何一帆", "13900002222"), now=w.NOW
    )
    errand = wish_ops.plan_errand(
        actor=store.caseworker, volunteer=carrier, wish=brought, on=w.NOW.date(), now=w.NOW
    )
    errand = wish_ops.record_hours(
        actor=store.caseworker, errand=errand, minutes=90, on=w.NOW.date(), now=w.NOW
    )
    wish_ops.confirm_hours(actor=store.reviewer, errand=errand, now=w.NOW)
    paper = wish_ops.issue_hours_certificate(
        actor=store.caseworker, volunteer=carrier, first_on=w.NOW.date(), last_on=w.NOW.date(), now=w.NOW
    )
    hours = {"public_id": carrier.public_id, "number": paper.number}
    names = ("wish", "claim", "goods", "photo", "thanks_photo", "card", "one", "edit", "work_photo",
             "work_thanks_photo", "order_new")  # fmt: skip
    return {
        **{f"wishes_{name}": {"public_id": wish.public_id} for name in names},
        "wishes_confirm": {"token": code.token}, "wishes_promise": {"token": pledge.token},
        "wishes_errand": {"number": errand.number}, "wishes_volunteer": {"public_id": carrier.public_id},
        "wishes_hours": hours, "wishes_hours_pdf": hours,
        "wishes_of_gift": {"token": gift.token}, "wishes_order": {"number": purchase.number},
    }  # fmt: skip


def _goods(city: w.World) -> dict[str, dict[str, object]]:
    """A warehouse (the first: id 1 in a fresh clone), a lot on its way, a count and an import."""
    made = goods.addresses(city)
    return {name: dict(given) for name, given in made.items()}


def _code(gift: Gift) -> str:
    """The gift's payment with a code to scan, as some providers give one."""
    assert gift.payment is not None
    WalletCode.objects.create(
        payment=gift.payment, code="weixin://wxpay/x", description="x", return_url="/", cancel_url="/"
    )
    return str(gift.payment.uuid)


def _taken_in(city: w.World) -> GiftImport:
    """A list of gifts to the micro-fund, which takes them at any time."""
    return lists.load(city, lists.SLICE.replace("2020.01.2", "2026.11.1"), fund=city.fund)


def _list(city: w.World) -> GiftImport:
    return lists.start(city, lists.SLICE)


def _registry_list(city: w.World) -> RegistryList:
    reviewer = w.person("city_reviewer", ("city_reviewer", "city", 0))
    return upload_registry_list(
        actor=reviewer, kind="dibao", source="市民政局", as_of=w.NOW.date(), file_name="名单.csv", now=w.NOW,
        content=f"姓名,身份证号\n某某,{w.id_number(31)}\n".encode(),
    )  # fmt: skip


def _statement(city: w.World) -> StatementDraft:
    account = BankAccount.objects.first() or reconciling.open_bank_account(
        actor=city.people["cashier"],
        book=Book.objects.get(code="federation"),
        bank="农业银行",
        number="62220212345678",
        currency="CNY",
        starts_on=w.NOW.date(),
        now=w.NOW,
    )
    return reconciling.bring_statement(
        actor=city.people["cashier"],
        account=account,
        file_name="s.csv",
        path=lists.written("日期,金额\n2026-11-23,1\n"),
        now=w.NOW,
    )


def _ref(session: object) -> str:
    return str(session.ref) if hasattr(session, "ref") else str(session.reference)  # type: ignore[attr-defined]


def visitors(objects: Objects) -> dict[str, Client]:
    """This will sign everybody in: those of the objects' own organization and town, and the same roles elsewhere."""
    city = objects.city
    firm, far = scene.firm(61), scene.firm(62)
    elsewhere = register_organization(
        actor=w.SETUP, name="隔壁市慈善总会", uscc="51440000MJK614025" + w._check("51440000MJK614025"),
        kind="association", address="隔壁市1号", phone="0799-88661201", certificate="", is_fictional=True,
    )  # fmt: skip
    own = {
        "town": city.towns[0].pk,
        "organization": city.organization.pk,
        "audit_firm": firm.pk,
        "warehouse": Warehouse.objects.get().pk,
    }
    other = {
        "town": city.towns[1].pk,
        "organization": elsewhere.pk,
        "audit_firm": far.pk,
        "warehouse": own["warehouse"] + 1,
    }
    made = {
        "public": Client(),
        "donor": with_session(account_for(None, "donor@example.org", mfa=False), second=False),
        "no second factor": with_session(
            account_for(None, "half@example.org", ("manager", "organization", own["organization"])),
            second=False,
        ),
    }
    for role in Grant.Role.values:
        kind = SCOPE_OF[role]
        for label, scopes in ((role, own), (f"{role} elsewhere", other)):
            if kind == "city" and scopes is other:
                continue
            account = account_for(
                None, f"{label.replace(' ', '.')}@example.org", (role, kind, scopes.get(kind, 0))
            )
            made[label] = with_session(account, second=True)
    return made


def later() -> dt.datetime:
    return w.NOW + dt.timedelta(hours=1)
