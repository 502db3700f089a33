"""The front desk's pages."""

from services.intake.pages import board
from shared.ui.views import make_pages

pages = make_pages(board.pages)
