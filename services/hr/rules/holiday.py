"""Public holidays 法定节假日 of China, from the well-kept table of the package `holidays` [R68, R81]."""

from datetime import date

from holidays import country_holidays


def public_holidays(*years: int) -> dict[date, str]:
    """Day -> name in Chinese, with the days the State Council moved as far as it has announced them."""
    return dict(country_holidays("CN", years=years, language="zh_CN"))
