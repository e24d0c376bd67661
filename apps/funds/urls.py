from django.urls import path

from apps.funds.views import workbench

workbench_urlpatterns = [
    path("projects/", workbench.projects, name="funds_workbench"),
    path("projects/new/", workbench.new_project, name="funds_new_project"),
    path("projects/<slug:slug>/", workbench.project, name="funds_project"),
]
