"""The front desk's pages."""

from services.intake.pages import (
    board,
    cash,
    consultations,
    figures,
    homes,
    imports,
    months,
    notices,
    owner,
    owners,
    prices,
    private_jobs,
    requests,
    revisits,
)
from shared.ui.views import make_pages

pages = make_pages(
    board.pages,
    homes.pages,
    requests.pages,
    notices.pages,
    consultations.pages,
    revisits.pages,
    prices.pages,
    private_jobs.pages,
    cash.pages,
    months.pages,
    figures.pages,
    owner.pages,
    owners.pages,
    imports.pages,
)
