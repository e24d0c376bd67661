from django.urls import path

from apps.donations.views import checking, public

public_urlpatterns = [
    path("receipts/check/", checking.check_receipt, name="donations_check_receipt"),
    path("projects/<slug:slug>/give/", public.give_to_project, name="donations_give_project"),
    path("funds/<slug:slug>/give/", public.give_to_fund, name="donations_give_fund"),
]
