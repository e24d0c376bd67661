"""Writes of goods, by verb. All that moves goods goes through `moving.post_moves`."""

from apps.inventory.operations.counting import decide_count, open_count, record_count, submit_count
from apps.inventory.operations.dispatching import (
    Pick,
    bring_back,
    cancel_dispatch,
    plan_dispatch,
    send_dispatch,
)
from apps.inventory.operations.handing import confirm_handover, record_handover, take_back
from apps.inventory.operations.importing import answer_import, drop_import, record_import, start_import
from apps.inventory.operations.inspecting import inspect_lot, store_goods
from apps.inventory.operations.making import assemble_kit, convert_unit, disassemble_kit, state_recipe
from apps.inventory.operations.receiving import (
    Giver,
    LotDraft,
    add_photo,
    note_receipts,
    record_consignment,
    value_lot,
)
from apps.inventory.operations.removing import ask_removal, decide_removal, give_back
from apps.inventory.operations.transferring import receive_transfer
from apps.inventory.operations.wanting import ask_not_to_send, end_want, state_need
from apps.inventory.operations.warehousing import add_shelf, add_unit, add_warehouse

__all__ = [
    "Giver", "LotDraft", "Pick", "add_photo", "add_shelf", "add_unit", "add_warehouse", "answer_import",
    "ask_not_to_send", "ask_removal", "assemble_kit", "bring_back", "cancel_dispatch", "confirm_handover",
    "convert_unit", "decide_count", "decide_removal", "disassemble_kit", "drop_import", "end_want", "give_back",
    "inspect_lot", "note_receipts", "open_count", "plan_dispatch", "receive_transfer", "record_consignment",
    "record_count", "record_handover", "record_import", "send_dispatch", "start_import", "state_need", "state_recipe",
    "store_goods", "submit_count", "take_back", "value_lot",
]  # fmt: skip
