from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "apps.organizations"
    label = "organizations"
    verbose_name = "机构"

    def ready(self) -> None:
        from apps.accounts.operations import register_scope
        from apps.organizations.models import AuditFirm, Organization
        from apps.places.models import Town

        register_scope("town", lambda pk: Town.objects.filter(pk=pk).exists())
        register_scope("organization", lambda pk: Organization.objects.filter(pk=pk).exists())
        register_scope("audit_firm", lambda pk: AuditFirm.objects.filter(pk=pk).exists())
