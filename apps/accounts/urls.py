from django.urls import path

from apps.accounts.views import workbench

workbench_urlpatterns = [
    path("people/", workbench.people, name="accounts_people"),
    path("people/invite/", workbench.invite, name="accounts_invite"),
    path("people/<slug:public_id>/", workbench.person, name="accounts_person"),
]
