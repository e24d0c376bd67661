from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "apps.inventory"
    label = "inventory"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "物资"

    def ready(self) -> None:
        from apps.accounts.operations import register_join_check, register_scope
        from apps.inventory import invariants
        from apps.inventory.models import Warehouse
        from apps.inventory.queries import may_be_one_person

        invariants.register_all()
        register_join_check(may_be_one_person)
        register_scope(
            "warehouse",
            lambda pk: Warehouse.objects.filter(pk=pk).exists(),
            lambda: [(one.pk, str(one)) for one in Warehouse.objects.order_by("pk")],
        )
