"""People, the accounts they sign in with, and the roles they hold."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.append_only import append_only, refuse_change
from apps.core.ids import new_public_id


class Person(models.Model):
    """A human being. Four different people are four Person rows, however many accounts each has."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    display_name = models.CharField(_("姓名"), max_length=80)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.display_name


class AccountManager(BaseUserManager["Account"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Account:
        """This will make an account; without a person, a new person named by the part before the @."""
        if "person" not in fields and "person_id" not in fields:
            fields["person"] = Person.objects.create(display_name=email.partition("@")[0][:80])
        account = self.model(email=self.normalize_email(email), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Account:
        """This will refuse: rights come from roles alone, confirmed by two administrators."""
        raise PermissionError(
            "There are no superusers here; use manage.py bootstrap_administrators EMAIL EMAIL."
        )

    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(email__iexact=username)


class Account(AbstractBaseUser, PermissionsMixin):
    """What somebody signs in with: an e-mail address, unique whatever its capitals."""

    email = models.EmailField(_("电子邮箱"), max_length=254, unique=True)
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="accounts", verbose_name=_("人员")
    )
    is_active = models.BooleanField(_("启用"), default=True)
    is_staff = models.BooleanField(_("可进入管理工具"), default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects = AccountManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("账号")
        verbose_name_plural = _("账号")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="account_email_unique"),
            # Roles are the only way to a right; a superuser would pass every check of the editors' tool.
            models.CheckConstraint(
                condition=models.Q(is_superuser=False), name="account_nobody_is_superuser"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.person.display_name

    def get_short_name(self) -> str:
        return self.person.display_name


class Grant(models.Model):
    """A role held by a person within one scope, granted by one administrator and confirmed by another."""

    class Role(models.TextChoices):
        CASEWORKER = "caseworker", _("社工")
        TOWN_REVIEWER = "town_reviewer", _("镇街审核员")
        CITY_REVIEWER = "city_reviewer", _("市级审核员")
        PROJECT_OFFICER = "project_officer", _("项目专员")
        MANAGER = "manager", _("机构负责人")
        CASHIER = "cashier", _("出纳")
        PURCHASER = "purchaser", _("采购员")
        STOREKEEPER = "storekeeper", _("仓管")
        AUDITOR = "auditor", _("审计师")
        SUPERVISOR = "supervisor", _("民政局监管")
        ADMINISTRATOR = "administrator", _("系统管理员")
        EDITOR = "editor", _("编辑")

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(_("角色"), max_length=20, choices=Role.choices)
    scope_kind = models.CharField(_("范围类别"), max_length=20)
    scope_id = models.BigIntegerField(_("范围编号"), default=0)
    granted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    granted_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("角色授权")
        verbose_name_plural = _("角色授权")
        constraints = [
            models.UniqueConstraint(
                "person", "role", "scope_kind", "scope_id",
                condition=models.Q(revoked_at__isnull=True), name="grant_live_once",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True) | ~models.Q(confirmed_by=models.F("granted_by")),
                name="grant_two_people",
            ),
            models.CheckConstraint(
                condition=(models.Q(granted_by__isnull=True) | ~models.Q(granted_by=models.F("person")))
                & (models.Q(confirmed_by__isnull=True) | ~models.Q(confirmed_by=models.F("person"))),
                name="grant_not_to_oneself",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.role} {self.scope_kind}:{self.scope_id}"


class SecondFactorReset(models.Model):
    """A lost second factor taken off by two administrators."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="resets")
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | models.Q(confirmed_by__isnull=False, confirmed_at__isnull=False)
                & ~models.Q(confirmed_by=models.F("asked_by")),
                name="reset_two_people",
            ),
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(confirmed_at__isnull=True), name="reset_open_once"
            ),
        ]


@append_only
class AccessChange(models.Model):
    """Who changed whose access: invitations, roles, second factors, joined accounts. Rows are never removed."""

    class What(models.TextChoices):
        INVITED = "invited", _("已邀请")
        ASKED = "asked", _("申请授权")
        CONFIRMED = "confirmed", _("授权生效")
        REVOKED = "revoked", _("授权收回")
        RESET_ASKED = "reset_asked", _("申请重置第二步验证")
        RESET = "reset", _("已重置第二步验证")
        JOINED = "joined", _("合并为一个人")

    person = models.BigIntegerField()
    what = models.CharField(max_length=12, choices=What)
    role = models.CharField(max_length=20, choices=Grant.Role, blank=True)
    scope_kind = models.CharField(max_length=20, blank=True)
    scope_id = models.BigIntegerField(default=0)
    actor_person = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=80)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["person", "-id"], name="access_change_by_person")]
        triggers = refuse_change("accesschange")
