"""Who may take which route: the dependency every file of routes uses."""

from services.intake.rules.access import MAY
from shared.web import permissions

may = permissions("intake", MAY)
