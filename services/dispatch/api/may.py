"""Who may do what here, as the dependency of a route."""

from services.dispatch.rules.access import MAY
from shared.web import permissions

may = permissions("dispatch", MAY)
