"""Strict, validated fields for every configurable class, through one decorator.

A component declares its hyperparameters as annotated fields without defaults; its yaml in conf/ lists every value.
Unknown keys, wrong types, out-of-range numbers, NaN and infinity are refused when the object is built.
"""

import dataclasses
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar, cast, dataclass_transform, get_args, get_type_hints

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from recexp.class_names import stored_name

T = TypeVar("T")

_OUTSIDE, _ID = "outside", "id"
PositiveInt = Annotated[int, Field(ge=1, le=2**31 - 1)]
Size = Annotated[int, Field(ge=1, le=1_000_000)]
"""So many numbers are held for each of many things (users, items, queries): more have no room on any machine."""
Threads = Annotated[int, Field(ge=1, le=1024), _OUTSIDE]
"""Threads of one process: a resource of which the system gives no more."""
NonNegativeInt = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
NonNegativeFloat = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
"""0 <= x < 1."""
Share = Annotated[float, Field(ge=0, le=1)]
"""0 <= x <= 1."""
OpenFraction = Annotated[float, Field(gt=0, lt=1)]
"""0 < x < 1."""


def seconds(moment: Any) -> Any:
    """Return int seconds since 1970 of an ISO date or time ("2024-05-31", "2024-05-31T18:00"), read as UTC.

    Anything but a string is returned as it is. Raises ValueError.
    """
    if not isinstance(moment, str):
        return moment
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        raise ValueError("must be seconds since 1970 or an ISO date such as 2024-05-31 or 2024-05-31T18:00") from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


Moment = Annotated[int, BeforeValidator(seconds)]
"""A point in time, given as int seconds since 1970 or as an ISO date, held as seconds."""


def strptime_format(text: str) -> str:
    """Return a format of times; raises ValueError where strptime knows none such."""
    try:
        datetime.strptime("", text)
    except (ValueError, re.error) as error:  # an empty text is no time: the format itself is right
        if "does not match format" not in str(error):
            raise ValueError(f"must be a format of strptime such as %d.%m.%Y ({error})") from None
    return text


TimeFormat = Annotated[str, AfterValidator(strptime_format)]
"""How times are written, as strptime has it."""


def text_encoding(name: str) -> str:
    """Return the name of an encoding; raises ValueError where Python has no text encoding of that name."""
    try:
        "a".encode(name)
    except (LookupError, UnicodeError):
        raise ValueError("must be a text encoding that Python knows, such as utf-8, cp1252 or utf-16") from None
    return name


Encoding = Annotated[str, AfterValidator(text_encoding)]
"""How text is written as bytes."""
Decimal = Literal[".", ","]
"""What comes before the decimal places of numbers written as text."""
Location = Annotated[str, _OUTSIDE]
"""A path or address: it says where something is, not what it is, and is no part of a run's identity."""
Resource = Annotated[PositiveInt, _OUTSIDE]
"""Threads, memory: they change how long a run takes, not what comes out, and are no part of its identity."""
Switch = Annotated[bool, _OUTSIDE]
"""Like a resource, on or off: nothing that changes what comes out."""

Id = Annotated[int | str, _ID]
"""An id of the person's own: typed as 1_96 it is that text, and not the number 196."""
Undescribed = Annotated[T, _OUTSIDE]
"""A field that `describe` leaves out: its class says it in other words, or it changes nothing that comes out."""

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)


@dataclass_transform(kw_only_default=True)
def params(cls: type[T]) -> type[T]:
    """Make `cls` a strict, keyword-only dataclass; learned state may still be set on its instances.

    Raises (when an instance is built) pydantic.ValidationError, which `config.building` turns into a ConfigError.
    """
    return cast(type[T], dataclass(cls, config=_STRICT, kw_only=True, eq=False))


def made_with_params(cls: type) -> bool:
    """Return whether a class itself is decorated with `@params`; a decorated base does not count."""
    return vars(cls).get("__pydantic_config__") == _STRICT


def describe(value: Any) -> Any:
    """Return plain data that identifies a component: its class and fields, without locations and resources.

    A class whose meaning has changed since a release says so by a class attribute `revision`, described where above 1:
    results from before and after have different identities. Data that a component holds are identified by their
    fingerprint, files that it reads by digests of what is in them, which its method `contents` returns by field. Among
    components by name, one that changes nothing (class attribute `neutral`) is left out: where it stands there was none
    once, and identities from then stay.
    """
    if hasattr(value, "fingerprint"):
        return value.fingerprint
    if dataclasses.is_dataclass(value):
        hints = get_type_hints(type(value), include_extras=True)
        names = [f.name for f in dataclasses.fields(value) if not _outside(hints[f.name])]
        fields = {name: describe(getattr(value, name)) for name in names}
        return {"class": stored_name(type(value)), **_revision(type(value)), **fields, **_contents(value)}
    if isinstance(value, dict):
        return {key: describe(item) for key, item in value.items() if not getattr(item, "neutral", False)}
    if isinstance(value, list):
        return [describe(item) for item in value]
    return value


def locations(value: Any) -> list[str]:
    """Return the paths and addresses in the fields of a component and of its nested components."""
    if dataclasses.is_dataclass(value):
        hints = get_type_hints(type(value), include_extras=True)
        fields = [(getattr(value, f.name), hints[f.name]) for f in dataclasses.fields(value)]
        paths = [field for field, hint in fields if _outside(hint) and isinstance(field, str)]
        return paths + [path for field, hint in fields if not _outside(hint) for path in locations(field)]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [path for part in parts for path in locations(part)]


def classes(value: Any) -> Iterator[type]:
    """Yield the classes of a component and of its nested components."""
    return map(type, components(value))


def components(value: Any) -> Iterator[Any]:
    """Yield a component and its nested components."""
    if dataclasses.is_dataclass(value):
        yield value
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else []
    for part in parts:
        yield from components(part)


def contents(value: Any) -> dict[str, str]:
    """Return the digests of the files that a component and those in it read for an identity, by class and field."""
    return {
        f"{stored_name(type(part))}.{field}": sha
        for part in components(value)
        for field, sha in _contents(part).items()
    }


def revisions(value: Any) -> dict[str, int]:
    """Return the revisions above 1 of the classes of a component and of those in it, by their names."""
    return {stored_name(cls): revision for cls in classes(value) for revision in _revision(cls).values()}


def ours(cls: type) -> bool:
    """Return whether a class is recexp's own, so that the version says which code it has."""
    return cls.__module__.partition(".")[0] == "recexp"


def _revision(cls: type) -> dict[str, int]:
    revision = getattr(cls, "revision", 1)
    return {"revision": revision} if revision > 1 else {}


def _contents(value: Any) -> dict[str, str]:
    found: dict[str, str] = value.contents() if hasattr(value, "contents") else {}
    return found


def ids(cls: type) -> list[str]:
    """Return the fields of a component's class that hold an `Id`."""
    return [name for name, hint in get_type_hints(cls, include_extras=True).items() if _marked(hint, _ID)]


def _outside(hint: Any) -> bool:
    return _marked(hint, _OUTSIDE)


def _marked(hint: Any, mark: str) -> bool:
    return mark in getattr(hint, "__metadata__", ()) or any(_marked(part, mark) for part in get_args(hint))
