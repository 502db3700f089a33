"""Forms of pages: drawn from, and read into, the same pydantic body the API's route takes.

A form knows no rule. It turns what a browser sends (texts) into what the body's JSON schema asks for: yuan into fen, a
time of the site's wall into a moment, an empty field into none. Whatever is wrong with it the body says.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

B = TypeVar("B", bound=BaseModel)


class Nothing(BaseModel):
    """The body of an action that asks nothing more."""


Choices = Sequence[tuple[str, str]]
"""What a field may be: value and what is read."""

BLANK_ROWS = 5
"""Rows offered for a list; more are asked for with `rows`."""

LONG = 500
"""From this many letters on a text gets several lines."""


@dataclass(frozen=True)
class Field:
    """One field of a form: its name ('items.0.unit_fen'), what kind of input it is, and what may be in it."""

    name: str
    kind: str
    required: bool
    schema: Mapping[str, Any]
    choices: Choices = ()
    form: str = "f"

    @property
    def last(self) -> str:
        """The part of the name its label is found by."""
        return re.sub(r"\.\d+$", "", self.name).rsplit(".", 1)[-1]

    @property
    def id(self) -> str:
        """Its id in the page."""
        return f"{self.form}-{self.name.replace('.', '-')}"


@dataclass
class Form(Generic[B]):
    """A form of a body: what was written into it so far, and what is wrong with that."""

    body: type[B]
    choices: Mapping[str, Choices] = field(default_factory=dict)
    """Field -> what may be chosen; by whole name, or by its last part."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Field -> what it is, sent hidden."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """Field -> what stands in it at first."""
    needed: Collection[str] = ()
    """Fields that this page asks for though its body can do without; the action says so when one is missing."""
    rows: int = BLANK_ROWS
    money: Collection[str] = ()
    """Fields in yuan whose name does not say so; those that end with '_fen' are anyway."""
    zone: str = "Asia/Shanghai"
    id: str = "f"
    """What the ids of its fields begin with: its own where a page has several forms."""
    errors: dict[str, "Sentence"] = field(default_factory=dict)
    """Field -> what is wrong with it; '' -> with the whole."""
    written: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._schema = self.body.model_json_schema()

    def fields(self, *names: str) -> list[Field]:
        """Its fields, or the named ones in that order; those that are fixed are not among them."""
        found = {one.name: one for one in self._fields(self._schema, "")}
        if names:
            return [
                one for name in names for one in found.values() if one.name == name or one.name.startswith(f"{name}.")
            ]
        return list(found.values())

    def field(self, name: str) -> Field:
        """The field of this name. Raises KeyError when the body has none."""
        return {one.name: one for one in self._fields(self._schema, "")}[name]

    def value(self, name: str) -> str:
        """What stands in a field."""
        if self.written:
            return (self.written.get(name) or [""])[-1]
        return self.shown.get(name, self.fixed.get(name, ""))

    def values(self, name: str) -> Sequence[str]:
        """What stands in a field of several choices."""
        return self.written.get(name, ())

    def read(self, posted: FormData) -> B | None:
        """The body of what was posted; None when something is wrong with it, which `errors` says then."""
        return self._read_written({name: [str(one) for one in posted.getlist(name)] for name in posted})

    def read_query(self, asked: Mapping[str, str]) -> B | None:
        """The same, of what an address asks for."""
        return self._read_written({name: [value] for name, value in asked.items()})

    def _read_written(self, written: Mapping[str, Sequence[str]]) -> B | None:
        self.written = written
        for name, value in self.fixed.items():
            self.written = {**self.written, name: [value]} if name not in self.written else self.written
        try:
            return self.body.model_validate(self._value(self._schema, ""))
        except ValidationError as error:
            self.errors = {_name(e["loc"]): sentence_of(e) for e in error.errors()}
        return None

    def _resolve(self, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
        """A schema without references, and whether it may be null."""
        if "anyOf" in schema:
            some = [one for one in schema["anyOf"] if one.get("type") != "null"]
            inner, _ = self._resolve(some[0])
            return {**inner, **{k: v for k, v in schema.items() if k != "anyOf"}}, len(some) < len(schema["anyOf"])
        if "$ref" in schema:
            inner, optional = self._resolve(self._schema["$defs"][schema["$ref"].rsplit("/", 1)[1]])
            return {**inner, **{k: v for k, v in schema.items() if k != "$ref"}}, optional
        return schema, False

    def _fields(self, schema: Mapping[str, Any], prefix: str) -> Iterable[Field]:
        for name, asked in schema.get("properties", {}).items():
            inner, optional = self._resolve(asked)
            whole = prefix + name
            required = name in schema.get("required", ()) and not optional
            if whole in self.fixed:
                continue
            if isinstance(inner.get("additionalProperties"), dict):
                row, _ = self._resolve(inner["additionalProperties"])
                for key, _ in self.choices.get(whole, ()):
                    yield self._one(f"{whole}.{key}", row, required=False)
            elif inner.get("type") == "object":
                yield from self._fields(inner, f"{whole}.")
            elif inner.get("type") == "array":
                row, _ = self._resolve(inner["items"])
                if row.get("type") == "object":
                    for number in range(self._shown_rows(whole)):
                        yield from self._fields(row, f"{whole}.{number}.")
                else:
                    yield self._one(whole, row, required=required, many=True)
            else:
                yield self._one(whole, inner, required=required)

    def _shown_rows(self, name: str) -> int:
        sent = [
            int(found[1]) + 1
            for key in (*self.written, *self.shown)
            if (found := re.match(rf"{re.escape(name)}\.(\d+)\.", key))
        ]
        return max([self.rows, *sent])

    def _one(self, name: str, schema: Mapping[str, Any], *, required: bool, many: bool = False) -> Field:
        choices = self.choices_of(name)
        kind = "money" if name in self.money else _kind(name, schema)
        if not choices and "enum" in schema:
            choices = [(str(one), str(one)) for one in schema["enum"]]
        if choices:
            kind = "many" if many else "select"
        elif many:
            kind = "lines"
        return Field(name, kind, required or name in self.needed, schema, choices, self.id)

    def choices_of(self, name: str) -> Choices:
        """What may be chosen in a field, where the body itself does not say."""
        last = re.sub(r"\.\d+", "", name)
        return self.choices.get(name) or self.choices.get(last) or self.choices.get(last.rsplit(".", 1)[-1]) or ()

    def _value(self, schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, asked in schema.get("properties", {}).items():
            inner, optional = self._resolve(asked)
            found = self._read(inner, prefix + name)
            if found is not None:
                body[name] = found
            elif optional and name in schema.get("required", ()):
                body[name] = None
        return body

    def _read(self, schema: Mapping[str, Any], name: str) -> Any:
        """What was written for a part of the body; None for nothing."""
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema, name)
        if kind == "array":
            row, _ = self._resolve(schema["items"])
            if row.get("type") == "object":
                rows = [self._value(row, f"{name}.{number}.") for number in range(self._shown_rows(name))]
                return [one for one in rows if _some(one)] or None
            texts = [line.strip() for text in self.written.get(name, ()) for line in text.splitlines()]
            return [_typed(row, name, text, self.zone) for text in texts if text] or None
        if kind == "boolean" and self.choices_of(name):
            return {"true": True, "false": False}.get(self.value(name))
        if kind == "boolean":
            return name in self.written and self.value(name) not in ("", "false")
        text = self.value(name).strip()
        typed = fen_of(text) if name in self.money else _typed(schema, name, text, self.zone)
        return typed if text else None

    def _object(self, schema: Mapping[str, Any], name: str) -> dict[str, Any] | None:
        """A part with fields of its own, or with whatever keys were written."""
        each = schema.get("additionalProperties")
        if not isinstance(each, dict):
            return _some(self._value(schema, f"{name}."))
        row, _ = self._resolve(each)
        keys = [one.removeprefix(f"{name}.") for one in self.written if one.startswith(f"{name}.")]
        return {key: found for key in keys if (found := self._read(row, f"{name}.{key}")) is not None} or None


def _some(part: dict[str, Any]) -> dict[str, Any] | None:
    """A part of a body, or nothing when nobody wrote anything there: a box that is not ticked says nothing alone."""
    return part if any(value is not False for value in part.values()) else None


KINDS = {
    "boolean": "check",
    "integer": "number",
    "number": "number",
    "date-time": "datetime-local",
    "date": "date",
    "time": "time",
    "password": "password",
}
"""A schema's format or type -> the kind of input."""


def _kind(name: str, schema: Mapping[str, Any]) -> str:
    if name.endswith("_fen"):
        return "money"
    named = KINDS.get(str(schema.get("format"))) or KINDS.get(str(schema.get("type")))
    if named is not None:
        return named
    if "month" in name:
        return "month"
    return "text" if schema.get("maxLength", LONG) < LONG or "pattern" in schema or "format" in schema else "area"


def _typed(schema: Mapping[str, Any], name: str, text: str, zone: str) -> Any:
    """A text as the schema's type; left as it is when it is none, for the body to say so."""
    if name.endswith("_fen"):
        return fen_of(text)
    if schema.get("type") == "integer":
        plain = re.sub(r"[\s,，]", "", text)
        return int(plain) if re.fullmatch(r"-?\d{1,18}", plain) else text
    if schema.get("format") == "date-time" and re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", text):
        return f"{text.replace(' ', 'T')}{_offset(text, zone)}"
    return text


def _offset(text: str, zone: str) -> str:
    try:
        at = datetime.fromisoformat(text.replace(" ", "T")).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return ""
    return at.strftime("%z")[:3] + ":" + at.strftime("%z")[3:]


def fen_of(yuan: str) -> int | str:
    """'1,234.5' yuan as 123450 fen; the text itself when it is no amount of whole fen."""
    plain = re.sub(r"[\s,，¥￥]", "", yuan)
    try:
        fen = Decimal(plain) * 100
    except InvalidOperation:
        return yuan
    return int(fen) if fen.is_finite() and fen == fen.to_integral_value() and abs(fen) < 10**16 else yuan


def yuan_of(fen: int | None) -> str:
    """123450 fen as '1234.50', for a field."""
    return "" if fen is None else f"{Decimal(fen) / 100:.2f}"


def wall_of(at: datetime | None, zone: str) -> str:
    """A moment as a field of a time at the site's wall holds it: '2026-04-01T14:30'."""
    return "" if at is None else at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def _name(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc)


SENTENCES = {
    "missing": "请填写",
    "string_too_short": "请填写",
    "string_too_long": "太长，最多 {max_length} 个字",
    "string_pattern_mismatch": "格式不对",
    "int_parsing": "请填写整数",
    "int_type": "请填写数字",
    "int_from_float": "请填写整数",
    "greater_than": "必须大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "必须小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "enum": "请从列表中选择",
    "literal_error": "请从列表中选择",
    "uuid_parsing": "请从列表中选择",
    "datetime_from_date_parsing": "请填写日期和时间",
    "datetime_parsing": "请填写日期和时间",
    "timezone_aware": "请填写日期和时间",
    "date_from_datetime_parsing": "请填写日期",
    "date_parsing": "请填写日期",
    "time_parsing": "请填写时间",
    "extra_forbidden": "没有这一项",
}
"""pydantic's kind of error -> what is said of it."""


@dataclass(frozen=True)
class Sentence:
    """A sentence with what stands in it, to be said in the reader's language."""

    words: str
    facts: Mapping[str, Any]


def sentence_of(error: Any) -> Sentence:
    """What is wrong, in Chinese; the body's own English sentence where there is no other."""
    words = SENTENCES.get(error["type"], str(error["msg"]).removeprefix("Value error, "))
    unit = 100 if str(error["loc"][-1] if error["loc"] else "").endswith("_fen") else 1
    facts = {k: v / unit if isinstance(v, int) and unit > 1 else v for k, v in error.get("ctx", {}).items()}
    return Sentence(words, {k: v for k, v in facts.items() if isinstance(v, int | float | str)})
