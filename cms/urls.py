from django.urls import path

from cms.views import feeds, public, shop

public_urlpatterns = [
    path("", public.home, name="cms_home"),
    path("shop/", shop.shop, name="cms_shop"),
    path("stories/", feeds.stories, name="cms_stories"),
    path("stories/feed.atom", feeds.StoryFeed(), name="cms_story_feed"),
    path("projects/", public.projects, name="cms_projects"),
    path("projects/<slug:slug>/", public.project, name="cms_project"),
    path("funds/", public.funds, name="cms_funds"),
    path("funds/<slug:slug>/", public.fund, name="cms_fund"),
]
