from django.urls import path

from apps.publication.views import workbench

workbench_urlpatterns = [path("privacy/", workbench.overrides, name="publication_overrides")]
