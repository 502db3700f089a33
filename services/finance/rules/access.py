"""Who may do what at finance: the desk takes money, finance keeps it, the leader 分管领导 approves [R33, R77, R92]."""

from shared.access import Own, Permissions, Tie, reads, roles

MAY: Permissions = {
    "draft_prices": roles("finance_lead", own=Own.COMPANY, rule="R55"),
    "approve_prices": roles("leader", own=Own.COMPANY, never=(Tie.PROPOSER,), rule="R56, D18"),
    "withdraw_prices": roles("finance_lead", own=Own.COMPANY, rule="R55"),
    "carry_receipt": roles("clerk", "desk_head", rule="R35, D5"),
    "void_receipt": roles("clerk", "desk_head", rule="R35"),
    "collect_fee": roles("clerk", "desk_head", worker=Own.JOBS, rule="R33-R35, R84, D5"),
    "offer_hand_over": roles("worker", "clerk", "desk_head", own=Own.CASH, rule="R36, R84"),
    "count_hand_over": roles(
        "clerk", "desk_head", "cashier", "finance_lead", own=Own.OFFERED, never=(Tie.GIVER,), rule="R84, R85"
    ),
    "withdraw_hand_over": roles(
        "worker", "clerk", "desk_head", "cashier", "finance_lead", own=Own.GIVEN, rule="R84, R86"
    ),
    "propose_reserve_use": roles("clerk", "desk_head", never=(Tie.BENEFICIARY,), rule="R76, R77"),
    "decide_reserve_use": roles("leader", never=(Tie.PROPOSER, Tie.BENEFICIARY), rule="R77, D18"),
    "agree_accounts": roles("desk_head", "finance_lead", "cashier", never=(Tie.SIGNER,), rule="R90, D18"),
    "compute_settlement": roles("finance_lead", rule="R91"),
    "approve_settlement": roles("leader", never=(Tie.PROPOSER, Tie.SIGNER), rule="R92, D18"),
    "receive_notices": roles("cashier", "finance_lead", rule="R26"),
    "issue_receipt_book": roles("cashier", "finance_lead", rule="R34"),
    "return_receipt_book": roles("clerk", "desk_head", rule="R35"),
    "bring_back_receipt": roles("clerk", "desk_head", rule="R35"),
    "explain_receipt": roles("desk_head", rule="R35, D6"),
    "record_invoice": roles("cashier", "finance_lead", rule="R34"),
    "settle_difference": roles("clerk", "desk_head", "cashier", "finance_lead", own=Own.OFFERED, rule="R86"),
    "confirm_difference": roles("worker", "clerk", "desk_head", own=Own.GIVEN, never=(Tie.RECEIVER,), rule="R86"),
    "receive_on_behalf": roles("cashier", "finance_lead", never=(Tie.GIVER,), rule="R84, R86"),
    "make_good": roles("cashier", "finance_lead", never=(Tie.GIVER,), rule="R86, D7"),
    "deposit_cash": roles("cashier", "finance_lead", rule="R87"),
    "propose_refund": roles("cashier", "finance_lead", rule="D13, D16"),
    "decide_refund": roles("leader", never=(Tie.PROPOSER, Tie.COLLECTOR), rule="D16, D18"),
    "propose_reopening": roles("finance_lead", rule="D16, D18"),
    "decide_reopening": roles("leader", never=(Tie.PROPOSER,), rule="D16, D18"),
    "handle_personal_data": roles("administrator", rule="D26"),
    "read_privacy_acts": reads("leader", rule="D26"),
    "read_prices": reads("clerk", "desk_head", "cashier", "finance_lead", "leader", own=Own.COMPANY, rule="R55-R57"),
    "read_charges": reads("clerk", "desk_head", "cashier", "finance_lead", rule="R26, R33"),
    "read_receipts": reads("clerk", "desk_head", "cashier", "finance_lead", worker=Own.CASH, rule="R34, R35"),
    "read_hand_overs": reads("clerk", "desk_head", "cashier", "finance_lead", worker=Own.CASH, rule="R36, R85"),
    "read_cash": reads("clerk", "desk_head", "cashier", "finance_lead", "leader", rule="R84-R86, D6"),
    "read_reserve": reads("clerk", "desk_head", "cashier", "finance_lead", "leader", rule="R72-R77"),
    "read_settlements": reads("desk_head", "cashier", "finance_lead", "leader", rule="R89-R92"),
    "read_ledger": reads("cashier", "finance_lead", "leader", rule="R90"),
    "read_deposits": reads("cashier", "finance_lead", "leader", rule="R87"),
    "read_receipt_books": reads("clerk", "desk_head", "cashier", "finance_lead", rule="R34, R35"),
    "read_damages": reads("clerk", "desk_head", "cashier", "finance_lead", "leader", rule="R63, R74"),
    "read_refunds": reads("clerk", "desk_head", "cashier", "finance_lead", "leader", rule="D13, D16"),
    "read_fines": reads("cashier", "finance_lead", "leader", "hr", rule="R93, R94"),
}
