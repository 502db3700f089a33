"""hr 人事, with the administration department's 行政部 month reports: who works here, and what follows from conduct.

owns   the company, its sites and people with their posts, wages, logins, sessions and tokens; discipline cases and
       ladders, HR tasks; payouts received and paid; missed callbacks, overrides and month reports as heard;
       where the chain of finance's ledger stood each hour
hears  CallbackMissed, MonthReported, PrivateJobReported, DutyOverridden, DutyNeglected, CashNotHandedOver,
       CashReturned, PayoutApproved, LedgerAnchored
says   SiteChanged, PersonChanged, SessionEnded, TokenChanged, WageChanged, FineConfirmed, PayoutReceived,
       PayoutPaid, PayoutFailed
"""
