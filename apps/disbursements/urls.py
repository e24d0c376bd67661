from django.urls import path

from apps.disbursements.views import applying, batches, public, record, rules, workbench

public_urlpatterns = [path("confirm/<str:token>/", public.confirm, name="disbursements_confirm")]

workbench_urlpatterns = [
    path("", workbench.home, name="workbench"),
    path("disbursements/", workbench.disbursements, name="disbursements_list"),
    path("disbursements/new-aid/", applying.new_aid, name="disbursements_new_aid"),
    path(
        "disbursements/new-aid/<slug:slug>/<str:file_number>/",
        applying.new_by_rule,
        name="disbursements_new_by_rule",
    ),
    path("disbursements/new-expense/", applying.new_expense, name="disbursements_new_expense"),
    path("disbursements/<str:number>/", record.disbursement, name="disbursements_one"),
    path("disbursements/<str:number>/next-stage/", record.next_stage, name="disbursements_next_stage"),
    path("batches/", batches.batches, name="disbursements_batches"),
    path("batches/<str:number>/", batches.batch, name="disbursements_batch"),
    path("batches/<str:number>/file.<str:kind>", batches.batch_file, name="disbursements_batch_file"),
    path("funds/<slug:slug>/transfers/", batches.transfers, name="disbursements_transfers"),
    path("rules/", rules.rules, name="disbursements_rules"),
    path("rules/<int:pk>/", rules.rule, name="disbursements_rule"),
    path("rules/draft/<slug:kind>/", rules.draft, name="disbursements_rule_draft"),
]
