"""From plain config nodes to validated components: `_target_` names the class, everything else is a field."""

import dataclasses
from typing import TYPE_CHECKING, Any

from recexp import trust
from recexp.class_names import current_name
from recexp.errors import ConfigError, unknown

if TYPE_CHECKING:
    from pydantic import ValidationError


_MEMBERS = {"int": "an integer", "float": "a number", "bool": "true or false", "str": "text"}


def build(node: Any, base: type, where: str) -> Any:
    """Construct the component that a config node describes, and those nested in it.

    Raises ConfigError when `_target_` is missing, is not trusted or cannot be imported, is no `base` or breaks its
    contract (`check_class`), and for every field that is unknown, missing, of the wrong type or out of range.
    """
    from pydantic import ValidationError  # which help does without

    from recexp.contract import check_class

    if not isinstance(node, dict) or "_target_" not in node:
        raise ConfigError(f"{where}: needs a _target_ that names a class derived from {base.__name__} (got {node!r})")
    cls = imported(str(node["_target_"]), where)
    if not (isinstance(cls, type) and issubclass(cls, base)):
        kind = "a class" if base is object else f"derived from {base.__name__}"
        raise ConfigError(f"{where}._target_: {node['_target_']} is not {kind}")
    check_class(cls, where)
    fields = {key: _nested(value, f"{where}.{key}") for key, value in node.items() if key != "_target_"}
    try:
        return cls(**fields)
    except ValidationError as error:
        raise refusal(error, where, [field.name for field in dataclasses.fields(cls)]) from error  # type: ignore[arg-type]  # made with @params, it is a dataclass
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from error


def imported(target: str, where: str) -> Any:
    """Return what a `_target_` names; raises ConfigError, also for what is not trusted."""
    return trust.load(current_name(target), f"{where}._target_")


def refusal(error: "ValidationError", where: str, allowed: list[str]) -> ConfigError:
    """Return what a strict class refuses, field by field."""
    lines: list[str] = []
    unions: dict[tuple[str, str], list[str]] = {}
    for problem in error.errors():
        *field, member = [*map(str, problem["loc"])] or [""]
        if field and member in _MEMBERS:  # each type that a field may have refuses the value
            unions.setdefault((".".join(field), repr(problem["input"])), []).append(_MEMBERS[member])
        else:
            lines.append(_explain(problem, where, allowed))
    lines += [f"{where}.{key}: must be {' or '.join(kinds)} (got {got})" for (key, got), kinds in unions.items()]
    return ConfigError("\n".join(lines))


def _nested(value: Any, where: str) -> Any:
    if isinstance(value, dict) and "_target_" in value:
        return build(value, object, where)  # of a class made with @params and no other: a config may be someone else's
    if isinstance(value, dict):
        return {key: _nested(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_nested(item, f"{where}[{i}]") for i, item in enumerate(value)]
    return value


def _explain(problem: Any, where: str, allowed: list[str]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "unexpected_keyword_argument":
        return unknown(where, key, allowed)
    if problem["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return f"{where}.{key}: is missing; set {where}.{key}=..."
    text = problem["msg"].removeprefix("Value error, ")
    for old, new in (("Input should be", "must be"), ("a valid boolean", "true or false")):
        text = text.replace(old, new, 1)
    if problem["type"] == "list_type":
        text += f", for example [{problem['input']}]"
    got = "" if not key else f" (got {problem['input']!r})"
    return f"{where}.{key}: {text}{got}" if key else f"{where}: {text}"
