from django.urls import path

from cms.views import public, shop

public_urlpatterns = [
    path("", public.home, name="cms_home"),
    path("shop/", shop.shop, name="cms_shop"),
    path("projects/", public.projects, name="cms_projects"),
    path("projects/<slug:slug>/", public.project, name="cms_project"),
    path("funds/", public.funds, name="cms_funds"),
    path("funds/<slug:slug>/", public.fund, name="cms_fund"),
]
