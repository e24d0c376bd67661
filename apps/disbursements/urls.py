from django.urls import path

from apps.disbursements.views import batches, workbench

workbench_urlpatterns = [
    path("", workbench.home, name="workbench"),
    path("disbursements/", workbench.disbursements, name="disbursements_list"),
    path("disbursements/new-aid/", workbench.new_aid, name="disbursements_new_aid"),
    path("disbursements/new-expense/", workbench.new_expense, name="disbursements_new_expense"),
    path("disbursements/<str:number>/", workbench.disbursement, name="disbursements_one"),
    path("batches/", batches.batches, name="disbursements_batches"),
    path("batches/<str:number>/", batches.batch, name="disbursements_batch"),
    path("batches/<str:number>/file.<str:kind>", batches.batch_file, name="disbursements_batch_file"),
    path("funds/<slug:slug>/transfers/", batches.transfers, name="disbursements_transfers"),
]
