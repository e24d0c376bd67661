from django.apps import AppConfig


class DisbursementsConfig(AppConfig):
    name = "apps.disbursements"
    label = "disbursements"
    verbose_name = "拨付"

    def ready(self) -> None:
        from apps.accounts.operations import register_join_check
        from apps.disbursements.queries import may_be_one_person

        register_join_check(may_be_one_person)
