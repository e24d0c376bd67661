from django.urls import path

from apps.payments.views import reconciliation, sandbox, scan, webhook

machine_urlpatterns = [path("payments/<slug:provider>/webhook/", webhook.webhook, name="payments_webhook")]
public_urlpatterns = [
    path("payments/scan/<uuid:uuid>/", scan.scan, name="payments_scan"),
    path("payments/sandbox/cashier/<slug:ref>/", sandbox.cashier, name="payments_sandbox_cashier"),
    path("payments/sandbox/monthly/<slug:ref>/", sandbox.monthly, name="payments_sandbox_monthly"),
]
workbench_urlpatterns = [
    path("reconciliation/", reconciliation.reconciliation, name="payments_reconciliation"),
    path("reconciliation/differences.<str:kind>", reconciliation.export, name="payments_differences_export"),
    path("reconciliation/accounts/new/", reconciliation.new_account, name="payments_account_new"),
    path("reconciliation/statements/new/", reconciliation.new_statement, name="payments_statement_new"),
    path("reconciliation/statements/<slug:public_id>/", reconciliation.statement, name="payments_statement"),
    path("reconciliation/days/<str:day>/", reconciliation.day, name="payments_day"),
]
