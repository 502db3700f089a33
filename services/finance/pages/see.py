"""Who may see which page: the dependency every file of pages uses."""

from services.finance.pages.words import WORDS
from services.finance.rules.access import MAY
from shared.ui.views import views

see = views("finance", MAY, WORDS)
