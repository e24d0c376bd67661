from django.urls import path
from django.views.generic import RedirectView

from apps.tracing.views import documents, public

public_urlpatterns = [
    path("tracing/rules/", public.rule, name="tracing_rule"),
    path("gifts/rule/", RedirectView.as_view(pattern_name="tracing_rule", permanent=True)),
    path("funds/<slug:slug>/flow/", public.fund_flow, name="tracing_fund_flow"),
    path("gifts/<str:token>/", public.gift, name="tracing_gift"),
    path("gifts/<str:token>/receipt/", public.receipt, name="tracing_receipt"),
    path("gifts/<str:token>/receipt.pdf", documents.receipt, name="tracing_receipt_pdf"),
    path("gifts/<str:token>/certificate.png", documents.certificate, name="tracing_certificate"),
]
