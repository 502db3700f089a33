"""Forms of pages: what a browser sends becomes what the body asks for, and nothing that nobody wrote."""

from typing import Annotated

import pytest
from pydantic import BaseModel, Field
from starlette.datastructures import FormData

from shared.ui.forms import Form, Nothing

pytestmark = pytest.mark.pure


class Survey(BaseModel):
    """Three questions."""

    mark: Annotated[int, Field(ge=1, le=5, strict=True)]
    fair: bool = Field(strict=True)


class Call(BaseModel):
    """A call, with a survey when somebody was reached."""

    note: str
    survey: Survey | None = None


YES_NO = [("true", "是"), ("false", "否")]


def test_a_part_of_which_nothing_was_written_is_not_there() -> None:
    assert Form(Call).read(FormData({"note": "无人接听", "survey.mark": ""})) == Call(note="无人接听")


def test_yes_and_no_are_said_and_saying_neither_is_missing() -> None:
    for said, fair in (("true", True), ("false", False)):
        form = Form(Call, choices={"fair": YES_NO})
        posted = FormData({"note": "满意", "survey.mark": "5", "survey.fair": said})
        assert form.read(posted) == Call(note="满意", survey=Survey(mark=5, fair=fair))
    form = Form(Call, choices={"fair": YES_NO})
    assert form.read(FormData({"note": "满意", "survey.mark": "5", "survey.fair": ""})) is None
    assert set(form.errors) == {"survey.fair"}


def test_two_forms_of_a_page_have_ids_of_their_own() -> None:
    assert Form(Call, id="a").field("note").id != Form(Call, id="b").field("note").id


def test_a_button_asks_nothing() -> None:
    assert Form(Nothing).read(FormData({"csrf": "x", "key": "y"})) == Nothing()
