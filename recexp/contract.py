"""Checks of a component's class before it is built: decorated with @params, complete, with the expected signatures."""

import dataclasses
import inspect
from collections.abc import Iterator
from functools import cache
from types import FunctionType
from typing import Any, ClassVar, get_origin

from recexp.errors import ConfigError
from recexp.params import made_with_params, ours


def check_class(cls: type, where: str) -> None:
    """Raise ConfigError, a line a mistake, unless components can be made of `cls` and used as its bases promise.

    It is itself decorated with `@params`, has the methods and class attributes that its bases leave open, and each
    public method that overrides one of recexp's can be called as that one is. `where` is the key in the config, such as
    `algorithm`.
    """
    if found := mistakes(cls):
        raise ConfigError("\n".join(f"{where}._target_: {mistake}" for mistake in found))


@cache  # by class: one that was imported anew is another
def mistakes(cls: type) -> tuple[str, ...]:
    """Return the problems that `check_class` reports for a class, one line each."""
    name = f"{cls.__module__}.{cls.__qualname__}"
    if not made_with_params(cls):
        return (f"{name} must be decorated with @params (from recexp.params import params)",)
    left_open = sorted(getattr(cls, "__abstractmethods__", ()))
    missing = [f"{name} must implement {method}{_shown(getattr(cls, method))}" for method in left_open]
    return (
        *missing,
        *_missing_attributes(cls, name),
        *_incompatible_methods(cls, name),
        *_ignored_attributes(cls, name),
    )


def _missing_attributes(cls: type, name: str) -> Iterator[str]:
    """Yield a line for each class attribute that the bases name and leave to the class."""
    for base in filter(ours, cls.__mro__):
        for key, hint in vars(base).get("__annotations__", {}).items():
            if get_origin(hint) is ClassVar and not hasattr(cls, key):
                yield f"{name} must have the class attribute {key}; the docstring of {base.__name__} says what it is"


def _incompatible_methods(cls: type, name: str) -> Iterator[str]:
    """Yield a line for each public method that cannot be called as that which it overrides."""
    for method, expected in sorted(_promised(cls).items()):
        given = next(vars(owner)[method] for owner in cls.__mro__ if method in vars(owner))
        if not callable(given):
            yield f"{name}.{method} must be a method, {method}{_shown(expected)}, and is a {type(given).__name__}"
        elif given is not expected and not _callable_as(inspect.signature(given), inspect.signature(expected)):
            yield f"{name}.{method}{_shown(given)} must take {_shown(expected)}"


def _ignored_attributes(cls: type, name: str) -> Iterator[str]:
    """Yield a line for each attribute of a person's class that nothing reads, as its place is in another's value.

    Such as `needs_history = False`, which `capabilities` holds.
    """
    own = {key: value for base in reversed(cls.__mro__) if not ours(base) for key, value in vars(base).items()}
    given = {key: value for key, value in own.items() if isinstance(value, bool | str | frozenset | set)}
    given = {key: value for key, value in given.items() if key not in {field.name for field in dataclasses.fields(cls)}}
    for group, default in [item for base in filter(ours, cls.__mro__) for item in vars(base).items()]:
        if not dataclasses.is_dataclass(default) or isinstance(default, type):
            continue
        for key in sorted(given.keys() & {field.name for field in dataclasses.fields(default)}):
            yield f"{name}.{key} is not read; write {group} = {type(default).__name__}({key}={given[key]!r})"


def _promised(cls: type) -> dict[str, Any]:
    """Return the public methods by which recexp calls a component, each as the lowest of its bases defines it."""
    bases = [base for base in cls.__mro__ if ours(base)]  # the lowest comes last
    methods = {name: method for base in bases for name, method in vars(base).items() if name[0] != "_"}
    return {name: method for name, method in methods.items() if isinstance(method, FunctionType)}


def _callable_as(given: inspect.Signature, expected: inspect.Signature) -> bool:
    """Return whether a call with all parameters of `expected` fits `given`; positions may have other names."""
    keywords = [name for name, parameter in expected.parameters.items() if parameter.kind is parameter.KEYWORD_ONLY]
    try:
        given.bind(*range(len(expected.parameters) - len(keywords)), **dict.fromkeys(keywords))
    except TypeError:
        return False
    return True


def _shown(method: Any) -> str:
    """Return a method's signature without types and defaults."""
    signature = inspect.signature(method)
    names = [p.replace(annotation=p.empty, default=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=names, return_annotation=signature.empty))
