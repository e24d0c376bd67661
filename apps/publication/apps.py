from django.apps import AppConfig


class PublicationConfig(AppConfig):
    name = "apps.publication"
    label = "publication"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "公示"

    def ready(self) -> None:
        from apps.publication import invariants

        invariants.register_all()
