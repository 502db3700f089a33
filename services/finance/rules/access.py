"""Who may do what at finance: the desk takes money, finance keeps it, the leader 分管领导 approves [R33, R77, R92]."""

from shared.access import Permissions, reads, roles

MAY: Permissions = {
    "draft_prices": roles("finance_lead"),
    "approve_prices": roles("leader"),
    "withdraw_prices": roles("finance_lead"),
    "carry_receipt": roles("clerk", "desk_head"),
    "void_receipt": roles("clerk", "desk_head"),
    "collect_fee": roles("clerk", "desk_head", "worker"),
    "offer_hand_over": roles("worker", "clerk", "desk_head"),
    "count_hand_over": roles("clerk", "desk_head", "cashier", "finance_lead"),
    "withdraw_hand_over": roles("worker", "clerk", "desk_head", "cashier", "finance_lead"),
    "propose_reserve_use": roles("clerk", "desk_head"),
    "decide_reserve_use": roles("leader"),
    "agree_accounts": roles("desk_head", "finance_lead", "cashier"),
    "compute_settlement": roles("finance_lead"),
    "approve_settlement": roles("leader"),
    "receive_notices": roles("cashier", "finance_lead"),
    "issue_receipt_book": roles("cashier", "finance_lead"),
    "return_receipt_book": roles("clerk", "desk_head"),
    "bring_back_receipt": roles("clerk", "desk_head"),
    "explain_receipt": roles("desk_head"),
    "record_invoice": roles("cashier", "finance_lead"),
    "settle_difference": roles("clerk", "desk_head", "cashier", "finance_lead"),
    "confirm_difference": roles("worker", "clerk", "desk_head"),
    "receive_on_behalf": roles("cashier", "finance_lead"),
    "make_good": roles("cashier", "finance_lead"),
    "propose_refund": roles("cashier", "finance_lead"),
    "decide_refund": roles("leader"),
    "propose_reopening": roles("finance_lead"),
    "decide_reopening": roles("leader"),
    "read_prices": reads("clerk", "desk_head", "cashier", "finance_lead", "leader"),
    "read_charges": reads("clerk", "desk_head", "cashier", "finance_lead"),
    "read_receipts": reads("worker", "clerk", "desk_head", "cashier", "finance_lead"),
    "read_hand_overs": reads("worker", "clerk", "desk_head", "cashier", "finance_lead"),
    "read_cash": reads("clerk", "desk_head", "cashier", "finance_lead", "leader"),
    "read_reserve": reads("clerk", "desk_head", "cashier", "finance_lead", "leader"),
    "read_settlements": reads("desk_head", "cashier", "finance_lead", "leader"),
    "read_ledger": reads("cashier", "finance_lead", "leader"),
    "read_receipt_books": reads("clerk", "desk_head", "cashier", "finance_lead"),
    "read_damages": reads("clerk", "desk_head", "cashier", "finance_lead", "leader"),
    "read_refunds": reads("clerk", "desk_head", "cashier", "finance_lead", "leader"),
    "read_fines": reads("cashier", "finance_lead", "leader", "hr"),
}

OWN_ONLY = frozenset({"worker"})
"""Roles that are shown only the receipts and hand-overs they take part in."""
