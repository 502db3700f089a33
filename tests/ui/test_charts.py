"""Charts: what is drawn is what the figures are, and no name in them is markup."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.ui.charts import Bar, Chart

pytestmark = pytest.mark.pure

FIGURES = some.lists(
    some.tuples(some.integers(0, 10**9), some.integers(0, 10**9)).map(lambda two: Bar("一", two)),
    min_size=1,
    max_size=40,
)


def heights(chart: Chart, series: int) -> list[float]:
    """The heights of the drawn parts of a series."""
    found = re.findall(rf'<rect class="c{series}"[^>]* height="([\d.]+)"', chart.svg("图"))
    return [float(height) for height in found]


@given(FIGURES)
def test_parts_are_as_high_as_their_figures_are_large(bars: list[Bar]) -> None:
    chart = Chart("日期", ("一", "二"), bars)
    ElementTree.fromstring(chart.svg("图"))
    for series in (1, 2):
        drawn = [bar.values[series - 1] for bar in bars if bar.values[series - 1]]
        seen = heights(chart, series)
        assert len(seen) == len(drawn)
        assert all(0 <= height <= 240 for height in seen)
        order = sorted(range(len(drawn)), key=drawn.__getitem__)
        assert [seen[place] for place in order] == sorted(seen)


def test_the_axis_ends_above_the_highest_bar_at_a_round_figure() -> None:
    assert ">400<" in Chart("日期", ("一",), [Bar("一", [201])]).svg("图")


def test_a_name_is_written_and_never_markup() -> None:
    drawn = Chart("日期", ("一",), [Bar("<script>&\"'", [1])]).svg('"><b>')
    assert "<script>" not in drawn
    assert "<b>" not in drawn
    ElementTree.fromstring(drawn)
