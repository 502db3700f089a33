"""The desk's papers 登记表、通知单、月度报表: what stands on each, made of what the queries show."""

from collections.abc import Mapping
from uuid import UUID

from services.intake.papers.desk import registration_form, service_notice
from services.intake.papers.report import month_report
from shared.ui.papers.archive import Rebuild

PAPERS: Mapping[str, Rebuild] = {
    "registration_form": lambda session, actor, thing: registration_form(session, actor, UUID(thing)),
    "service_notice": lambda session, actor, thing: service_notice(session, actor, UUID(thing)),
    "month_report": lambda session, actor, thing: month_report(
        session, actor, month=thing.split()[0], site_id=UUID(thing.split()[1])
    ),
}
"""Each paper by its kind, of the thing it is a paper of."""
