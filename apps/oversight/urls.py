from django.urls import path

from apps.oversight.views import public

public_urlpatterns = [path("statistics/", public.statistics, name="oversight_statistics")]
