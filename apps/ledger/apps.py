from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "apps.ledger"
    label = "ledger"
    verbose_name = "总账"

    def ready(self) -> None:
        from apps.ledger import invariants

        invariants.register_all()
