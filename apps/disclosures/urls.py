from django.urls import path

from apps.disclosures.views import public, workbench

machine_urlpatterns = [
    path("disclosures/<str:public_id>/original.json", public.original, name="disclosures_original"),
]
public_urlpatterns = [
    path("disclosures/<str:public_id>/", public.report, name="disclosures_report"),
    path("organizations/<str:uscc>/", public.organization, name="disclosures_organization"),
]
workbench_urlpatterns = [
    path("reports/", workbench.reports, name="disclosures_workbench"),
    path("reports/<str:public_id>/", workbench.edit, name="disclosures_report_edit"),
    path("reports/<str:public_id>/audit/", workbench.audit, name="disclosures_audit"),
    path("duties/<slug:slug>/<int:n>/extend/", workbench.extend, name="disclosures_extend"),
]
