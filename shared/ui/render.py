"""Templates: Jinja with autoescape and strict names, one environment for each service and language."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from shared.ui import language
from shared.ui.assets import asset
from shared.ui.forms import Sentence, yuan_of

UI = "shared.ui"


def packages_of(service: str) -> tuple[str, ...]:
    """Where the templates and catalogues of a service are (`services.intake`), its own first."""
    return (UI,) if service == UI else (service, UI)


@cache
def environment(service: str, spoken: str) -> Environment:
    """The templates of a service (`services.intake`, or `shared.ui` for none), said in a language."""
    packages = packages_of(service)
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    words = language.translations(spoken, *packages)
    made.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]  # of the extension

    def say(sentence: Sentence) -> str:
        return words.gettext(sentence.words).format(**sentence.facts)

    made.globals.update(asset=asset, language=spoken, languages=language.LANGUAGES)
    made.filters.update(money=language.money, yuan=yuan_of, say=say)
    return made


def render(service: str, spoken: str, template: str, facts: Mapping[str, Any]) -> str:
    """A page."""
    return environment(service, spoken).get_template(template).render(facts)
