"""Who may see which page: the dependency every file of pages uses."""

from services.dispatch.pages.words import WORDS
from services.dispatch.rules.access import MAY
from shared.ui.views import views

see = views("dispatch", MAY, WORDS)
