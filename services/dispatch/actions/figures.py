"""Each department's own count of a month, for the desk to compare with its own [R41]."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from services.dispatch.models import WorkOrder
from shared.bus.outbox import publish
from shared.messages import FIELD_DEPARTMENTS, DepartmentFiguresGiven, MonthFiguresAsked
from shared.people import known_site


def asked(session: Session, message: MonthFiguresAsked) -> None:
    """Count the paid jobs accepted and terminated in the month, for each department, also when there were none."""
    known_site(session, message.site_id)
    counted = {
        row.department: row
        for row in session.execute(
            select(
                WorkOrder.department,
                func.count().filter(WorkOrder.accepted_month == message.month).label("accepted"),
                func.count().filter(WorkOrder.terminated_month == message.month).label("terminated"),
            )
            .where(
                WorkOrder.site_id == message.site_id,
                WorkOrder.round == 0,
                or_(WorkOrder.accepted_month == message.month, WorkOrder.terminated_month == message.month),
            )
            .group_by(WorkOrder.department)
        )
    }
    publish(
        session,
        *(
            DepartmentFiguresGiven(
                site_id=message.site_id,
                month=message.month,
                department=department,
                accepted=counted[department].accepted if department in counted else 0,
                terminated=counted[department].terminated if department in counted else 0,
                asked_at=message.asked_at,
            )
            for department in FIELD_DEPARTMENTS
        ),
    )
