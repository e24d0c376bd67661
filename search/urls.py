from django.urls import path

from search.api import api, docs
from search.views import disclosures, query_help

machine_urlpatterns = [
    path("api/v1/docs", docs, name="api_docs"),
    path("api/v1/", api.urls),
]
public_urlpatterns = [
    path("disclosures/", disclosures, name="disclosures"),
    path("disclosures/how/", query_help, name="search_help"),
]
