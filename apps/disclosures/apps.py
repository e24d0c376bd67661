from django.apps import AppConfig


class DisclosuresConfig(AppConfig):
    name = "apps.disclosures"
    label = "disclosures"
    verbose_name = "信息公开"

    def ready(self) -> None:
        from apps.disclosures import invariants

        invariants.register_all()
