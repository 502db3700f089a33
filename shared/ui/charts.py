"""Charts: bars drawn on the server as SVG, which print, need no script, and have a table of the same figures beside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 240, 64, 12, 20, 28
"""The box a chart is drawn in, and what its axis, its figures and its names take of it."""

SLOT, WIDEST = 32, 720
"""Room of one bar at least, and the width of a chart of few; a wider one scrolls."""

WIDE, NARROW = 12, 7
"""Room of a letter of a name: Chinese, and any other."""

STEPS = 4
"""Lines of the axis above nothing."""


@dataclass(frozen=True)
class Bar:
    """A bar: what it is called, and its parts from below in the order of the series; none is less than nothing."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Chart:
    """Bars of one series, or stacked of several; `write` makes a figure what people read."""

    heading: str
    series: Sequence[str]
    bars: Sequence[Bar]
    write: Callable[[float], str] = "{:g}".format
    colours: Sequence[int] = (1, 2, 3, 4)
    """The colour of each series, c1 to c4 of the style; the third is the one that warns."""

    def svg(self, title: str) -> Markup:
        """The drawing. A part that is nothing is not drawn; the sum stands above each bar."""
        top = _round_up(max([sum(bar.values) for bar in self.bars], default=0))
        room = HEIGHT - TOP - BOTTOM
        widest = max([_room(bar.name) for bar in self.bars], default=SLOT)
        width = max(WIDEST, LEFT + RIGHT + max(SLOT, widest) * len(self.bars))
        slot = (width - LEFT - RIGHT) / max(len(self.bars), 1)
        drawn = [
            Markup(
                '<svg class="chart" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{t}">'
            ).format(w=width, h=HEIGHT, t=title)
        ]
        for step in range(STEPS + 1):
            y = TOP + room * (1 - step / STEPS)
            drawn.append(
                Markup(
                    '<line class="axis" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>'
                    '<text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
                ).format(LEFT, width - RIGHT, LEFT - 8, y + 4, self.write(top * step / STEPS), y=y)
            )
        for number, bar in enumerate(self.bars):
            middle, below, thick = LEFT + slot * (number + 0.5), float(HEIGHT - BOTTOM), min(slot * 0.6, 64)
            for colour, value in zip(self.colours, bar.values, strict=False):
                high = room * value / top
                if high > 0:
                    below -= high
                    drawn.append(
                        Markup(
                            '<rect class="c{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
                            "<title>{}</title></rect>"
                        ).format(colour, middle - thick / 2, below, thick, high, f"{bar.name} {self.write(value)}")
                    )
            for y, said in ((below - 6, self.write(sum(bar.values))), (HEIGHT - 8.0, bar.name)):
                drawn.append(
                    Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>').format(middle, y, said)
                )
        return Markup("").join([*drawn, Markup("</svg>")])


def _room(name: str) -> int:
    return 10 + sum(WIDE if letter > "\u2e7f" else NARROW for letter in name)


def _round_up(most: float) -> float:
    """The end of the axis: the next of 4, 8, 12, 20, 40 … so that each of its lines is a whole figure."""
    size = 1.0
    while True:
        for ends in (4, 8, 12, 20):
            if most <= ends * size:
                return ends * size
        size *= 10
