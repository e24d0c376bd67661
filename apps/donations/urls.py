from django.urls import path

from apps.donations.views import checking, public, redirecting

public_urlpatterns = [
    path("gifts/<str:token>/redirect/", redirecting.redirect_late_gift, name="donations_redirect"),
    path("receipts/check/", checking.check_receipt, name="donations_check_receipt"),
    path("projects/<slug:slug>/give/", public.give_to_project, name="donations_give_project"),
    path("funds/<slug:slug>/give/", public.give_to_fund, name="donations_give_fund"),
]
