"""intake 客服部, the front desk: the only way in [R11, R52].

owns   requests (the registration form 登记表), the callback promise, consultations, service notices 通知单 in
       triplicate, visits as the departments report them, revisits and free rework, answers, monthly statistics
hears  SiteChanged, PersonChanged, SessionEnded, TokenChanged, PricePublished, ConsultationAnswered,
       WorkAcknowledged, AcknowledgementMissed, WorkDeclined, WorkAssigned, WorkAccepted, WorkTerminated,
       SupportRequested, DamageReported, NoticesReceived, NoticeReturned, FeeCollected, FeeRefunded, CashNotHandedOver,
       CashReturned, DepartmentFiguresGiven, FinanceFiguresGiven
says   ConsultationAsked, NoticeIssued, OwnerLinkGiven, NoticeRevised, NoticeCancelled, ReworkOrdered, OwnerErased,
       PrivateJobReported, CallbackMissed, MonthFiguresAsked, StatisticsAgreed, MonthReported
"""
