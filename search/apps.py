from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SearchConfig(AppConfig):
    name = "search"
    label = "search"
    verbose_name = "查善款"

    def ready(self) -> None:
        from apps.core.invariants import register
        from search.reconciling import index_is_the_published_set

        register(6, "search_index", _("索引与已公布的记录逐条一致"), index_is_the_published_set)
