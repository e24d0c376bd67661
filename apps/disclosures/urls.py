from django.urls import path

from apps.disclosures.views import auditing, kinds, public, workbench

machine_urlpatterns = [
    path("disclosures/<str:public_id>/original.json", public.original, name="disclosures_original"),
    path(
        "disclosures/<str:public_id>/files/<str:file_id>/", public.attachment, name="disclosures_attachment"
    ),
    path("duties/overdue.atom", public.overdue_feed, name="disclosures_overdue_feed"),
]
public_urlpatterns = [
    path("disclosures/<str:public_id>/", public.report, name="disclosures_report"),
    path("disclosures/<str:public_id>/report.pdf", public.report_pdf, name="disclosures_report_pdf"),
    path("duties/", public.duties, name="disclosures_duties"),
    path("duties/kinds/", public.kinds, name="disclosures_kinds"),
    path("organizations/<str:uscc>/", public.organization, name="disclosures_organization"),
]
workbench_urlpatterns = [
    path("reports/", workbench.reports, name="disclosures_workbench"),
    path("reports/declare/", workbench.declare, name="disclosures_declare"),
    path("reports/<str:public_id>/", workbench.edit, name="disclosures_report_edit"),
    path("reports/<str:public_id>/audit/", auditing.audit, name="disclosures_audit"),
    path("duties/kinds/", kinds.kinds, name="disclosures_kinds_desk"),
    path("duties/kinds/<slug:code>/", kinds.change, name="disclosures_kind_change"),
    path("duties/<str:public_id>/extend/", workbench.extend, name="disclosures_extend"),
]
