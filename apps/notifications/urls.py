from django.urls import path

from apps.notifications.views import workbench

workbench_urlpatterns = [path("notices/", workbench.notices, name="notifications_notices")]
