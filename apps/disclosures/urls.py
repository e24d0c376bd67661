from django.urls import path

from apps.disclosures.views import public

machine_urlpatterns = [
    path("disclosures/<str:public_id>/original.json", public.original, name="disclosures_original"),
]
public_urlpatterns = [
    path("disclosures/<str:public_id>/", public.report, name="disclosures_report"),
]
