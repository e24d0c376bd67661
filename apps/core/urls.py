from django.urls import path

from apps.core.pages import look

machine_urlpatterns = [path("look/", look, name="look")]
