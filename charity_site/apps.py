from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "charity_site"
    verbose_name = "站点"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from charity_site import (
            celery,  # noqa: F401  (shared tasks bind to this app)
            checks,  # noqa: F401  (registers them)
        )
        from charity_site.mode_mark import refuse_other_mode

        connection_created.connect(refuse_other_mode, dispatch_uid="charity_site.refuse_other_mode")
