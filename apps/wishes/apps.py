from django.apps import AppConfig


class WishesConfig(AppConfig):
    name = "apps.wishes"
    label = "wishes"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "微心愿"

    def ready(self) -> None:
        from apps.accounts.operations import register_join_check
        from apps.wishes import invariants
        from apps.wishes.queries import may_be_one_person

        invariants.register_all()
        register_join_check(may_be_one_person)
