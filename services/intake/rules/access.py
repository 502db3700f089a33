"""Who may do what at the front desk. Only the desk takes and arranges paid jobs [R11, R52-R54, D9]."""

from shared.access import Own, Permissions, Tie, reads, roles

MAY: Permissions = {
    "register_request": roles("clerk", "desk_head", rule="R11, R13-R20, R52"),
    "import_requests": roles("clerk", "desk_head", rule="R11, R20, R52"),
    "log_attempt": roles("clerk", "desk_head", rule="R48, D3"),
    "agree_visit": roles("clerk", "desk_head", rule="R18, R46, R49"),
    "cancel_request": roles("clerk", "desk_head", rule="R11, R24"),
    "ask_consultation": roles("clerk", "desk_head", rule="R19, R23"),
    "reply_consultation": roles("clerk", "desk_head", rule="R23"),
    "issue_notice": roles("clerk", "desk_head", rule="R24, R52, D9"),
    "revise_notice": roles("clerk", "desk_head", rule="R24, D23"),
    "reprint_notice": roles("clerk", "desk_head", rule="R25"),
    "report_private_job": roles("clerk", "desk_head", never=(Tie.SUBJECT,), rule="R54"),
    "give_answer": roles("desk_head", rule="R22"),
    "retire_answer": roles("desk_head", rule="R22"),
    "record_revisit": roles("clerk", "desk_head", rule="R37-R39"),
    "close_unreachable": roles("desk_head", rule="R37"),
    "ask_figures": roles("desk_head", rule="R40, R41"),
    "sign_statistics": roles(
        "desk_head", "head", "finance_lead", own=Own.DEPARTMENT, never=(Tie.SIGNER,), rule="R41, D18"
    ),
    "dispute_line": roles("desk_head", "head", "finance_lead", rule="R41"),
    "settle_line": roles("desk_head", rule="R41"),
    "accept_line": roles("head", "finance_lead", "cashier", own=Own.DEPARTMENT, never=(Tie.PROPOSER,), rule="R41, D18"),
    "reveal_phone": roles("clerk", "desk_head", rule="D26"),
    "read_owner_link": roles("clerk", "desk_head", rule="R17, R37, D26"),
    "offer_times": roles("clerk", "desk_head", rule="R17, R46, R49"),
    "renew_owner_link": roles("clerk", "desk_head", rule="R17, R37, D26"),
    "handle_personal_data": roles("administrator", rule="D26"),
    "read_privacy_acts": reads("leader", rule="D26"),
    "find_home": roles("clerk", "desk_head", rule="R13-R15"),
    "read_requests": reads("clerk", "desk_head", rule="R20, R28"),
    "read_callbacks": reads("clerk", "desk_head", head=Own.DEPARTMENT, rule="R47, R48"),
    "read_prices": reads("clerk", "desk_head", rule="R22, R57"),
    "read_trades": reads("clerk", "desk_head", "head", rule="R7-R10"),
    "read_private_jobs": reads("clerk", "desk_head", rule="R54"),
    "read_sites": reads("clerk", "desk_head", "head", "finance_lead", "administration", "administrator", rule="R6"),
    "read_months": reads("clerk", "desk_head", "head", "cashier", "finance_lead", "administration", rule="R40-R42"),
}
