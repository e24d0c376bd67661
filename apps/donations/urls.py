from django.urls import path

from apps.donations.views import checking, public, redirecting, refunds, workbench

public_urlpatterns = [
    path("gifts/<str:token>/redirect/", redirecting.redirect_late_gift, name="donations_redirect"),
    path("receipts/check/", checking.check_receipt, name="donations_check_receipt"),
    path("projects/<slug:slug>/give/", public.give_to_project, name="donations_give_project"),
    path("funds/<slug:slug>/give/", public.give_to_fund, name="donations_give_fund"),
    path("gifts/<str:token>/refund/", refunds.refund, name="donations_refund"),
]
workbench_urlpatterns = [
    path("refunds/", workbench.refunds, name="donations_refunds"),
    path("refunds/new/", workbench.new_refund, name="donations_refund_new"),
    path("refunds/<str:number>/", workbench.refund, name="donations_refund_one"),
    path("disputes/", workbench.disputes, name="donations_disputes"),
    path("reserve/", workbench.reserve, name="donations_reserve"),
]
