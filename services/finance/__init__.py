"""finance 财务部: what is charged, who holds the money, how it is shared and paid out [R33-R36, R55-R57, R68-R94].

owns   the price book 收费标准 and its approval, charges (our copy of the notice), receipts 票据, cash custody and
       hand-overs, deposits at the bank, the double-entry ledger, the daily cash check, the month's settlement, the
       50/35/15 split, the reserve fund 公积金, fines to deduct as the guard on wages allows, who of a payout is paid
hears  SiteChanged, PersonChanged, SessionEnded, TokenChanged, WageChanged, NoticeIssued, NoticeRevised,
       NoticeCancelled, WorkAccepted, WorkTerminated, DamageReported, FineConfirmed, StatisticsAgreed,
       MonthFiguresAsked, OwnerErased, PayoutReceived, PayoutPaid, PayoutFailed
says   PricePublished, NoticesReceived, FeeCollected, FeeRefunded, CashNotHandedOver, CashReturned,
       FinanceFiguresGiven, PayoutApproved, LedgerAnchored
"""
