from django.apps import AppConfig


class TracingConfig(AppConfig):
    name = "apps.tracing"
    label = "tracing"
    verbose_name = "去向"

    def ready(self) -> None:
        from apps.tracing import invariants

        invariants.register_all()
