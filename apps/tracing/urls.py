from django.urls import path

from apps.tracing.views import documents, public

public_urlpatterns = [
    path("gifts/rule/", public.rule, name="tracing_rule"),
    path("gifts/<str:token>/", public.gift, name="tracing_gift"),
    path("gifts/<str:token>/receipt/", public.receipt, name="tracing_receipt"),
    path("gifts/<str:token>/receipt.pdf", documents.receipt, name="tracing_receipt_pdf"),
    path("gifts/<str:token>/certificate.png", documents.certificate, name="tracing_certificate"),
]
