"""The dependency of every route of hr: who asks, and whether he may."""

from services.hr.rules.access import MAY
from shared.web import permissions

may = permissions("hr", MAY)
