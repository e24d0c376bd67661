from django.apps import AppConfig


class DonationsConfig(AppConfig):
    name = "apps.donations"
    label = "donations"
    verbose_name = "捐赠"

    def ready(self) -> None:
        from apps.accounts.operations import register_join_check
        from apps.donations import invariants
        from apps.donations.queries import may_be_one_person

        invariants.register_all()
        register_join_check(may_be_one_person)
