from django.urls import path

from apps.inventory.views import asking, goods, lists, making, public, sending, settling

public_urlpatterns = [
    path("goods/", public.board, name="goods_board"),
    path("goods/board.csv", public.board_file, name="goods_board_file"),
    path("goods/lots/", public.lots, name="goods_lots"),
    path("goods/lots.csv", public.lots_file, name="goods_lots_file"),
    path("goods/mine/<str:token>/", public.mine, name="goods_mine"),
    path("goods/<str:lot>/", public.lot, name="goods_lot"),
]
workbench_urlpatterns = [
    path("goods/", goods.home, name="inventory_home"),
    path("goods/scan/", goods.scan, name="inventory_scan"),
    path("goods/in/", goods.consignments, name="inventory_consignments"),
    path("goods/in/new/", goods.new_consignment, name="inventory_consignment_new"),
    path("goods/in/<str:number>/", goods.consignment, name="inventory_consignment"),
    path("goods/in/<str:number>/labels/", goods.labels, name="inventory_labels"),
    path("goods/photos/<str:public_id>.jpg", goods.photo, name="inventory_photo"),
    path("goods/lots/<str:public_id>/", goods.lot, name="inventory_lot"),
    path("goods/out/", sending.dispatches, name="inventory_dispatches"),
    path("goods/out/new/", sending.new_dispatch, name="inventory_dispatch_new"),
    path("goods/out/<str:number>/", sending.dispatch, name="inventory_dispatch"),
    path("goods/out/<str:number>/picking.pdf", sending.picking, name="inventory_picking"),
    path("goods/removals/", asking.removals, name="inventory_removals"),
    path("goods/counts/", asking.counts, name="inventory_counts"),
    path("goods/counts/<str:number>/", asking.count, name="inventory_count"),
    path("goods/kits/", making.kits, name="inventory_kits"),
    path("goods/kits/<int:pk>/", making.kit, name="inventory_kit"),
    path("goods/lists/", lists.lists, name="inventory_lists"),
    path("goods/lists/new/", lists.new_list, name="inventory_list_new"),
    path("goods/lists/<str:public_id>/", lists.one_list, name="inventory_list"),
    path("goods/wants/", settling.wants, name="inventory_wants"),
    path("goods/warehouses/", settling.warehouses, name="inventory_warehouses"),
]
