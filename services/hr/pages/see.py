"""Who may see which page: the dependency every file of pages uses."""

from services.hr.pages.words import WORDS
from services.hr.rules.access import MAY
from shared.ui.views import views

see = views("hr", MAY, WORDS)
