"""Who may do what, as a dependency of each route."""

from services.finance.rules.access import MAY
from shared.web import permissions

may = permissions("finance", MAY)
