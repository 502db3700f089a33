"""What the company takes on: household water, electricity, cleaning and greening [R6-R10, D1, D2]."""

from dataclasses import dataclass

from shared.errors import Malformed
from shared.messages import FieldDepartment


@dataclass(frozen=True)
class Trade:
    """A kind of work: the department that does it, or the reason it is refused (shown to the owner)."""

    code: str
    name: str
    department: FieldDepartment | None
    refusal: str = ""


TRADES = {
    trade.code: trade
    for trade in (
        Trade("water", "水 water", "engineering"),
        Trade("electricity", "电 electricity", "engineering"),
        Trade("cleaning", "保洁 cleaning", "environment"),
        Trade("greening", "绿化 greening", "environment"),
        Trade("appliance", "家电 appliance repair", None, "家电维修暂不列入有偿服务范围 appliances [R9, D2]"),
        Trade("renovation", "房屋修缮 building repair", None, "房屋修缮暂不列入有偿服务范围 building repair [R10, D2]"),
        Trade("other", "其他 other", None, "不属于居民家庭便民服务 no household service of ours [R6, R8, D2]"),
    )
}
"""The catalogue a fresh installation begins with."""


def trade_of(code: str) -> Trade:
    """The trade with this code. Raises Malformed, naming the codes there are."""
    if code not in TRADES:
        raise Malformed("unknown_trade", f"there is no trade {code!r}", rule="D2", allowed=TRADES)
    return TRADES[code]
