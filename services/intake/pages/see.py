"""Who may see which page: the dependency every file of pages uses."""

from services.intake.pages.words import WORDS
from services.intake.queries.trades import trade_names
from services.intake.rules.access import MAY
from shared.ui.views import View, views
from shared.ui.words import Words

see = views("intake", MAY, WORDS)


def with_trades(view: View) -> View:
    """The same, which also knows what the company calls its trades; a default keeps the name that is translated."""
    names = trade_names(view.session)
    ours = {code: name for code, name in names.items() if code not in WORDS.names}
    refused = {f"refused.{code}": name for code, name in ours.items()}
    view.words = Words({**WORDS.names, **ours, **refused}, WORDS.problems)
    return view


def trade_choices(view: View) -> list[tuple[str, str]]:
    """Every trade, as a filter offers it."""
    return [(code, code) for code in trade_names(view.session)]
