"""hr 人事, with the administration department's 行政部 month reports: who works here, and what follows from conduct.

owns   the company, its sites and people with their posts and tokens; discipline cases and ladders, HR tasks;
       payouts received; missed callbacks, overrides and month reports as heard
hears  CallbackMissed, MonthReported, DutyOverridden, CashNotHandedOver, CashReturned, PayoutApproved
says   SiteChanged, PersonChanged, FineConfirmed, PayoutReceived
"""
