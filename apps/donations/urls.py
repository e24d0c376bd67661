from django.urls import path

from apps.donations.views import imports, public

public_urlpatterns = [
    path("projects/<slug:slug>/give/", public.give_to_project, name="donations_give_project"),
    path("funds/<slug:slug>/give/", public.give_to_fund, name="donations_give_fund"),
]
workbench_urlpatterns = [
    path("gifts/imports/", imports.imports, name="donations_imports"),
    path("gifts/imports/new/", imports.new_import, name="donations_import_new"),
    path("gifts/imports/export/", imports.export_imports, name="donations_export_imports"),
    path("gifts/imports/template/", imports.template, name="donations_import_template"),
    path("gifts/imports/<slug:public_id>/", imports.gift_import, name="donations_import"),
    path("gifts/imports/<slug:public_id>/faults.<str:kind>", imports.faults, name="donations_import_faults"),
    path("gifts/receipt-ranges/export/", imports.export_ranges, name="donations_export_ranges"),
]
