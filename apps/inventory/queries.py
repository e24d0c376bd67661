from apps.inventory.models import Removal, StockCount


def may_be_one_person(keep: int, other: int) -> bool:
    """This will tell whether two people never asked for and decided the same removal or count."""
    pair = [keep, other]
    return not (
        Removal.objects.filter(asked_by__in=pair, decided_by__in=pair).exists()
        or StockCount.objects.filter(counted_by__in=pair, decided_by__in=pair).exists()
    )
