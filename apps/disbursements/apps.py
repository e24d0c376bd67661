from django.apps import AppConfig


class DisbursementsConfig(AppConfig):
    name = "apps.disbursements"
    label = "disbursements"
    verbose_name = "拨付"

    def ready(self) -> None:
        from apps.accounts.operations import register_join_check
        from apps.casework.erasure import register_hold, register_last_aid
        from apps.disbursements.keeping import last_aid, payment_under_way
        from apps.disbursements.queries import may_be_one_person

        register_join_check(may_be_one_person)
        register_hold("disbursements", payment_under_way)
        register_last_aid(last_aid)
