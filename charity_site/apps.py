from django.apps import AppConfig, apps


class SiteConfig(AppConfig):
    name = "charity_site"
    verbose_name = "站点"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created
        from django.db.models.signals import post_migrate

        from charity_site import (
            celery,  # noqa: F401  (shared tasks bind to this app)
            checks,  # noqa: F401  (registers them)
        )
        from charity_site.mode_mark import mark_mode, refuse_other_mode
        from charity_site.subscriptions import subscribe
        from charity_site.ties import tie

        subscribe()
        tie()

        # Sent after all migrations, but only for apps that have models.
        post_migrate.connect(
            mark_mode, sender=apps.get_app_config("core"), dispatch_uid="charity_site.mark_mode"
        )
        connection_created.connect(refuse_other_mode, dispatch_uid="charity_site.refuse_other_mode")
