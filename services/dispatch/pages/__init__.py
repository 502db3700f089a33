"""The departments' pages."""

from services.dispatch.pages import board, consultations, duties, owner, owners, people, work_orders
from shared.ui.views import make_pages

pages = make_pages(
    board.pages,
    work_orders.pages,
    duties.pages,
    people.pages,
    consultations.pages,
    owners.pages,
    owner.pages,
)
