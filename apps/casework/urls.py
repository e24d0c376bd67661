from django.urls import path

from apps.casework.views import workbench

workbench_urlpatterns = [
    path("households/", workbench.households, name="casework_households"),
    path("households/new/", workbench.new_household, name="casework_new_household"),
    path("households/<str:file_number>/", workbench.household, name="casework_household"),
]
