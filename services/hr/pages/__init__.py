"""hr's pages: signing in, oneself, people, cases, payouts."""

from services.hr.pages import account, sign_in
from shared.ui.views import make_pages

pages = make_pages(sign_in.pages, account.pages)
