"""Finance's pages."""

from shared.ui.views import make_pages

pages = make_pages()
