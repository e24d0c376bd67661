from django.apps import AppConfig


class DonationsConfig(AppConfig):
    name = "apps.donations"
    label = "donations"
    verbose_name = "捐赠"

    def ready(self) -> None:
        from apps.donations import invariants

        invariants.register_all()
