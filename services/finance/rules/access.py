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
    "withdraw_hand_over": roles("worker", "clerk", "desk_head"),
    "propose_reserve_use": roles("clerk", "desk_head"),
    "decide_reserve_use": roles("leader"),
    "agree_accounts": roles("desk_head", "finance_lead", "cashier"),
    "compute_settlement": roles("finance_lead"),
    "approve_settlement": roles("leader"),
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
    "read_fines": reads("cashier", "finance_lead", "leader", "hr"),
}

OWN_ONLY = frozenset({"worker"})
"""Roles that are shown only the receipts and hand-overs they take part in."""
