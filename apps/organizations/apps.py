from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "apps.organizations"
    label = "organizations"
    verbose_name = "机构"

    def ready(self) -> None:
        from apps.accounts.operations import register_scope
        from apps.organizations.models import AuditFirm, Organization
        from apps.places.models import Town

        register_scope(
            "town",
            lambda pk: Town.objects.filter(pk=pk).exists(),
            lambda: [(town.pk, str(town)) for town in Town.objects.order_by("position", "pk")],
        )
        register_scope(
            "organization",
            lambda pk: Organization.objects.filter(pk=pk).exists(),
            lambda: [(one.pk, str(one)) for one in Organization.objects.order_by("pk")],
        )
        register_scope(
            "audit_firm",
            lambda pk: AuditFirm.objects.filter(pk=pk).exists(),
            lambda: [(firm.pk, str(firm)) for firm in AuditFirm.objects.order_by("pk")],
        )
