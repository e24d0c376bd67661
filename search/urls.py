from django.urls import path

from search.api import api, docs
from search.views import bulk, exports, feeds
from search.views.page import disclosures, query_help

machine_urlpatterns = [
    path("api/v1/docs", docs, name="api_docs"),
    path("api/v1/", api.urls),
]
public_urlpatterns = [
    path("disclosures/", disclosures, name="disclosures"),
    path("disclosures/how/", query_help, name="search_help"),
    path("disclosures/feed.atom", feeds.feed, name="search_feed"),
    path("disclosures/saved/", feeds.saved_searches, name="search_saved"),
    path("disclosures/export.<str:kind>-metadata.json", exports.manifest, name="search_export_manifest"),
    path("disclosures/export.<str:kind>", exports.export, name="search_export"),
    path("disclosures/export/", exports.choose, name="search_export_choose"),
    path("disclosures/exports/<str:token>/", exports.job, name="search_export_job"),
    path("disclosures/exports/<str:token>/file", exports.job_file, name="search_export_file"),
    path(
        "disclosures/exports/<str:token>/manifest.json",
        exports.job_manifest,
        name="search_export_job_manifest",
    ),
    path("data/", bulk.open_data, name="open_data_page"),
    path("data/<str:name>", bulk.bulk_file, name="open_data_file"),
]
