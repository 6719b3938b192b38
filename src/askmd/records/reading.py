"""JSON as askmd saves it, and back into frozen dataclasses: what does not fit is named."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_Kind = TypeVar("_Kind")
_UNSEEN = re.compile(
    "[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""What JSON would take as it is and a terminal or an editor would not show as it stands."""
_LONGEST_SHOWN = 40
_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def as_data(value: object) -> Any:
    """Return a dataclass, and all it holds, in JSON's own types."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: as_data(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_data(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [as_data(one) for one in value]
    return value


def as_json(data: Any, *, indent: int | None = None) -> str:
    """Return JSON that is fit for a file and a terminal: whatever is invisible is escaped."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, indent=indent)
    return _UNSEEN.sub(lambda found: json.dumps(found.group())[1:-1], text)


def load(text: str, kind: str, newest: int) -> Mapping[str, Any]:
    """Return the object that a text of askmd's holds.

    kind: what is expected, as its ``kind`` says. newest: the last format that can be read.
    Raises ValueError, in one line, for what is broken, foreign or newer than that.
    """
    try:
        data = json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is no {kind} of askmd: it is not whole, or not JSON") from error
    if not isinstance(data, dict) or "askmd" not in data:
        raise ValueError(f"this is no {kind} of askmd")
    if data.get("kind") != kind:
        raise ValueError(f"this is no {kind} of askmd but {_shown(data.get('kind'))}")
    number = data.get("format")
    if type(number) is not int or number < 1:
        raise ValueError(f"this {kind} does not say in which format it is")
    if number > newest:
        raise ValueError(
            f"this {kind} was saved by a newer askmd ({_shown(data['askmd'])}), in format {number}"
        )
    return data


def read_as(kind: type[_Kind], data: Any, place: str = "") -> _Kind:
    """Return what JSON's types say of a dataclass; unknown fields are left alone.

    A field that is absent has its default. Raises ValueError naming the dotted place of what is
    of another type, or is absent and has none.
    """
    return cast(_Kind, _value(kind, data, place))


def _value(kind: Any, data: Any, place: str) -> Any:
    reader = _READERS.get(get_origin(kind) or kind)
    if reader is not None:
        return reader(kind, data, place)
    return _record(kind, data, place)


def _record(kind: Any, data: Any, place: str) -> Any:
    if not isinstance(data, Mapping):
        raise _unfit(place or "it", "an object", data)
    hints, given = _hints(kind), {}
    for one in fields(kind):
        where = f"{place}.{one.name}" if place else one.name
        if one.name in data:
            given[one.name] = _value(hints[one.name], data[one.name], where)
        elif one.default is MISSING and one.default_factory is MISSING:
            raise ValueError(f"{where} is missing")
    return kind(**given)


@lru_cache(maxsize=64)
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _row(kind: Any, data: Any, place: str) -> Any:
    """Read a tuple: of any length, or with each member's own type."""
    kinds = get_args(kind)
    if not isinstance(data, list | tuple):
        raise _unfit(place, "a list", data)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(data)
    if len(kinds) != len(data):
        raise ValueError(f"{place} must have {len(kinds)} members, not {len(data)}")
    pairs = enumerate(zip(kinds, data, strict=True))
    return tuple(_value(one, item, f"{place}.{number}") for number, (one, item) in pairs)


def _either(kind: Any, data: Any, place: str) -> Any:
    """Read what may also be null."""
    [wanted] = [one for one in get_args(kind) if one is not NoneType]
    return None if data is None else _value(wanted, data, place)


def _choice(kind: Any, data: Any, place: str) -> Any:
    if not isinstance(data, str) or data not in get_args(kind):
        raise _unfit(place, f"one of {', '.join(get_args(kind))}", data)
    return data


def _map(kind: Any, data: Any, place: str) -> Any:
    _, wanted = get_args(kind)
    if not isinstance(data, Mapping):
        raise _unfit(place, "an object", data)
    return {str(key): _value(wanted, one, f"{place}.{key}") for key, one in data.items()}


def _scalar(kind: Any, data: Any, place: str) -> Any:
    if kind is float and _is_number(data):
        return float(data)
    if type(data) is not kind or kind is float:
        raise _unfit(place, _WORDS[kind], data)
    return data


def _is_number(data: Any) -> bool:
    """Whether a number is finite, as a float too."""
    try:
        return type(data) in (int, float) and math.isfinite(data)
    except OverflowError:
        return False


def _unfit(place: str, wanted: str, data: Any) -> ValueError:
    return ValueError(f"{place} must be {wanted}, not {_shown(data)}")


def _shown(data: Any) -> str:
    """Return a value as one short line shows it."""
    if isinstance(data, Mapping | list | tuple):
        return "an object" if isinstance(data, Mapping) else "a list"
    text = "null" if data is None else " ".join(_UNSEEN.sub("", str(data)).split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


_Reader = Callable[[Any, Any, str], Any]
_READERS: Mapping[Any, _Reader] = {
    tuple: _row,
    Mapping: _map,
    Literal: _choice,
    Union: _either,
    UnionType: _either,
    **dict.fromkeys(_WORDS, _scalar),
}
