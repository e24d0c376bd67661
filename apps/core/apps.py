from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"
    verbose_name = "核心"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from apps.core.append_only import grant_application_role

        post_migrate.connect(grant_application_role, dispatch_uid="core.grant_application_role")
