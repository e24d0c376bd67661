from django.apps import AppConfig


class DisclosuresConfig(AppConfig):
    name = "apps.disclosures"
    label = "disclosures"
    verbose_name = "信息公开"

    def ready(self) -> None:
        from apps.accounts.operations.joining import register_join_check
        from apps.disclosures import invariants
        from apps.disclosures.queries import may_be_joined

        invariants.register_all()
        register_join_check(may_be_joined)
