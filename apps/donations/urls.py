from django.urls import path

from apps.donations.views import (
    checking,
    imports,
    mine,
    monthly,
    public,
    redirecting,
    refunds,
    stopped,
    teams,
    workbench,
)

public_urlpatterns = [
    path("monthly/<str:token>/", monthly.monthly, name="donations_monthly"),
    path("me/", mine.mine, name="donations_mine"),
    path("me/<int:year>/", mine.summary, name="donations_summary"),
    path("me/<int:year>/summary.pdf", mine.summary, {"pdf": True}, name="donations_summary_pdf"),
    path("projects/<slug:slug>/team/", teams.new_for_project, name="donations_team_new_project"),
    path("funds/<slug:slug>/team/", teams.new_for_fund, name="donations_team_new_fund"),
    path("teams/<str:public_id>/", teams.team, name="donations_team"),
    path("teams/<str:public_id>/<str:token>/", teams.run, name="donations_team_run"),
    path("gifts/<str:token>/redirect/", redirecting.redirect_late_gift, name="donations_redirect"),
    path("receipts/check/", checking.check_receipt, name="donations_check_receipt"),
    path("projects/<slug:slug>/give/", public.give_to_project, name="donations_give_project"),
    path("funds/<slug:slug>/give/", public.give_to_fund, name="donations_give_fund"),
    path("gifts/<str:token>/refund/", refunds.refund, name="donations_refund"),
]
workbench_urlpatterns = [
    path("teams/", teams.teams, name="donations_teams"),
    path("teams/<str:public_id>/hide/", teams.hide, name="donations_team_hide"),
    path("refunds/", workbench.refunds, name="donations_refunds"),
    path("refunds/new/", workbench.new_refund, name="donations_refund_new"),
    path("refunds/<str:number>/", workbench.refund, name="donations_refund_one"),
    path("disputes/", workbench.disputes, name="donations_disputes"),
    path("reserve/", workbench.reserve, name="donations_reserve"),
    path("stopped/", stopped.stopped, name="donations_stopped"),
    path("gifts/imports/", imports.imports, name="donations_imports"),
    path("gifts/imports/new/", imports.new_import, name="donations_import_new"),
    path("gifts/imports/export/", imports.export_imports, name="donations_export_imports"),
    path("gifts/imports/template/", imports.template, name="donations_import_template"),
    path("gifts/imports/<slug:public_id>/", imports.gift_import, name="donations_import"),
    path("gifts/imports/<slug:public_id>/faults.<str:kind>", imports.faults, name="donations_import_faults"),
    path("gifts/receipt-ranges/export/", imports.export_ranges, name="donations_export_ranges"),
]
