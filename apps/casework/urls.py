from django.urls import path

from apps.casework.views import adding, sharing, workbench

workbench_urlpatterns = [
    path("households/", workbench.households, name="casework_households"),
    path("households/new/", workbench.new_household, name="casework_new_household"),
    path("households/<str:file_number>/", workbench.household, name="casework_household"),
    path("households/<str:file_number>/add/<str:what>/", adding.add, name="casework_add"),
    path(
        "households/<str:file_number>/members/<int:pk>/", adding.change_member, name="casework_change_member"
    ),
    path("duplicates/", sharing.alerts, name="casework_alerts"),
    path("registry/", sharing.registry, name="casework_registry"),
    path("registry/<str:public_id>/", sharing.registry_list, name="casework_registry_list"),
    path("erasures/", sharing.erasures, name="casework_erasures"),
]
