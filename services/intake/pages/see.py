"""Who may see which page: the dependency every file of pages uses."""

from services.intake.pages.words import WORDS
from services.intake.rules.access import MAY
from shared.ui.views import views

see = views("intake", MAY, WORDS)
