"""dispatch 工程部 and 环境部: the two departments that visit homes [R12, D1].

owns   work orders (the department's copy of the notice, one for each request and round), assignment, the visit,
       support and stop, the owner's signature, damages, prescribed duties and how they were done, overrides and
       neglect, certificates, paid hours, consultations asked of the departments
hears  SiteChanged, PersonChanged, SessionEnded, TokenChanged, NoticeIssued, OwnerLinkGiven, NoticeRevised,
       NoticeCancelled, ReworkOrdered, OwnerErased, ConsultationAsked, MonthFiguresAsked
says   WorkAcknowledged, AcknowledgementMissed, WorkDeclined, WorkAssigned, WorkAccepted, WorkTerminated,
       NoticeReturned, SupportRequested, DamageReported, ConsultationAnswered, DutyOverridden, DutyNeglected,
       DepartmentFiguresGiven
"""
