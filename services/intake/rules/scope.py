"""What the company takes on: household water, electricity, cleaning and greening [R6-R10, D1, D2]."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.errors import Malformed
from shared.messages import FieldDepartment
from shared.policy import Policy


class Trade(BaseModel):
    """A kind of work: the department that does it, or the reason it is refused (shown to the owner)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    department: FieldDepartment | None = None
    refusal: Annotated[str, StringConstraints(max_length=500)] = ""

    @model_validator(mode="after")
    def _taken_or_refused(self) -> "Trade":
        if (self.department is None) != bool(self.refusal):
            raise ValueError("a trade has a department that does it, or a reason why it is refused")
        return self


class TradePolicy(Policy):
    """The catalogue of trades; what is not in it is unknown, which the desk cannot register."""

    decision = "D2"

    trades: Annotated[tuple[Trade, ...], Field(min_length=1, max_length=100)] = (
        Trade(code="water", name="给排水", department="engineering"),
        Trade(code="electricity", name="电路", department="engineering"),
        Trade(code="cleaning", name="保洁", department="environment"),
        Trade(code="greening", name="绿化", department="environment"),
        Trade(
            code="appliance",
            name="家电维修",
            refusal="家电维修暂不列入有偿服务范围",
        ),
        Trade(
            code="renovation",
            name="房屋修缮",
            refusal="房屋修缮暂不列入有偿服务范围",
        ),
        Trade(
            code="other",
            name="其他",
            refusal="不属于居民家庭便民服务",
        ),
    )

    @model_validator(mode="after")
    def _each_code_once(self) -> "TradePolicy":
        if len({trade.code for trade in self.trades}) < len(self.trades):
            raise ValueError("each code of the catalogue is there once")
        return self


def trade_of(policy: TradePolicy, code: str) -> Trade:
    """The trade with this code. Raises Malformed, naming the codes there are."""
    for trade in policy.trades:
        if trade.code == code:
            return trade
    codes = [trade.code for trade in policy.trades]
    raise Malformed(
        "unknown_trade", f"there is no trade {code!r}; there are {', '.join(codes)}", rule="D2", allowed=codes
    )
