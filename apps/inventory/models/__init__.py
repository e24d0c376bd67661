"""Tables of goods. Movements only grow; stock, sums and the board are derived from them and checked at every commit."""

from apps.inventory.models.asked import CountLine, Removal, StockCount, StockCountStatusChange
from apps.inventory.models.board import BoardRow, DontSend, Need
from apps.inventory.models.dispatches import Dispatch, DispatchLine, DispatchStatusChange, Handover
from apps.inventory.models.lists import GoodsImport, GoodsImportRow
from apps.inventory.models.lots import Consignment, Inspection, Lot, LotTotal, Moved, Photo, Stock
from apps.inventory.models.making import Conversion, Recipe, RecipePart
from apps.inventory.models.movements import Movement
from apps.inventory.models.places import Location, Unit, UnitAlias, Warehouse

__all__ = [
    "BoardRow", "Consignment", "Conversion", "CountLine", "Dispatch", "DispatchLine", "DispatchStatusChange",
    "DontSend", "GoodsImport", "GoodsImportRow", "Handover", "Inspection", "Location", "Lot", "LotTotal", "Moved",
    "Movement",
    "Need", "Photo", "Recipe", "RecipePart", "Removal", "Stock", "StockCount", "StockCountStatusChange", "Unit",
    "UnitAlias", "Warehouse",
]  # fmt: skip
