"""dispatch 工程部 and 环境部: the two departments that visit homes [R12, D1].

owns   work orders (the department's copy of the notice, one for each request and round), assignment, the visit,
       support and stop, the owner's signature, duties done and overrides, consultations asked of the departments
hears  SiteChanged, PersonChanged, NoticeIssued, NoticeCancelled, ReworkOrdered, ConsultationAsked,
       MonthFiguresAsked
says   WorkAcknowledged, WorkAssigned, WorkAccepted, WorkTerminated, SupportRequested, ConsultationAnswered,
       DutyOverridden, DepartmentFiguresGiven
"""
