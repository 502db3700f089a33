"""A policy: what the company decided where the rules are silent (D1-D27), as an argument of the rule that needs it."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Policy(BaseModel):
    """One decision: its fields are the settings, their defaults what a fresh installation does.

    `decision` cites it. The name of the class is its name in the table of policies and on the wire.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: ClassVar[str]


Minutes = Annotated[int, Field(ge=1, le=7 * 24 * 60, strict=True)]
"""A whole number of minutes, up to a week."""

Hours = Annotated[int, Field(ge=1, le=31 * 24, strict=True)]
"""A whole number of hours, up to a month."""

Days = Annotated[int, Field(ge=1, le=366, strict=True)]
"""A whole number of days, up to a year."""
