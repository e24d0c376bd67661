from django.urls import path

from apps.payments.views import sandbox, webhook

machine_urlpatterns = [path("payments/<slug:provider>/webhook/", webhook.webhook, name="payments_webhook")]
public_urlpatterns = [
    path("payments/sandbox/cashier/<slug:ref>/", sandbox.cashier, name="payments_sandbox_cashier")
]
