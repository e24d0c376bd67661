from django.urls import path

from apps.wishes.views import basket, buying, donors, errands, public, workbench

public_urlpatterns = [
    path("volunteers/check/", errands.check, name="wishes_hours_check"),
    path("shop/basket/", basket.basket, name="wishes_basket"),
    path("wishes/confirm/<str:token>/", donors.confirm, name="wishes_confirm"),
    path("wishes/promises/<str:token>/", donors.promise, name="wishes_promise"),
    path("wishes/<str:public_id>/", public.wish, name="wishes_wish"),
    path("wishes/<str:public_id>/claim/", public.claim, name="wishes_claim"),
    path("wishes/<str:public_id>/goods/", public.goods, name="wishes_goods"),
    path("wishes/<str:public_id>/photo.jpg", public.photo, name="wishes_photo"),
    path("wishes/<str:public_id>/thanks.jpg", public.thanks_photo, name="wishes_thanks_photo"),
    path("wishes/<str:public_id>/card.png", public.card, name="wishes_card"),
    path("gifts/<str:token>/wishes/", donors.of_gift, name="wishes_of_gift"),
]
workbench_urlpatterns = [
    path("errands/", errands.home, name="wishes_errands"),
    path("errands/<str:number>/", errands.one, name="wishes_errand"),
    path("volunteers/", errands.volunteers, name="wishes_volunteers"),
    path("volunteers/<str:public_id>/", errands.volunteer, name="wishes_volunteer"),
    path("volunteers/<str:public_id>/<str:number>.pdf", errands.certificate_pdf, name="wishes_hours_pdf"),
    path("volunteers/<str:public_id>/<str:number>/", errands.certificate, name="wishes_hours"),
    path("wishes/", workbench.home, name="wishes_workbench"),
    path("wishes/new/", workbench.new, name="wishes_new"),
    path("wishes/shop/", buying.shop, name="wishes_shop"),
    path("wishes/orders/", buying.orders, name="wishes_orders"),
    path("wishes/orders/<str:number>/", buying.order, name="wishes_order"),
    path("wishes/<str:public_id>/", workbench.one, name="wishes_one"),
    path("wishes/<str:public_id>/edit/", workbench.edit, name="wishes_edit"),
    path("wishes/<str:public_id>/photo.jpg", workbench.photo, name="wishes_work_photo"),
    path("wishes/<str:public_id>/thanks.jpg", workbench.thanks_photo, name="wishes_work_thanks_photo"),
    path("wishes/<str:public_id>/order/", buying.new_order, name="wishes_order_new"),
]
