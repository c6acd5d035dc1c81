"""Verifies an exported run, which may come from anyone, before anything of it is stored."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic reads typing's own only from Python 3.12 on

from recexp import file_names
from recexp.errors import DataError
from recexp.evidence import run_files
from recexp.metric_names import is_judgement
from recexp.tracking import source
from recexp.tracking.parcel import FILES, MODEL, RECORD

_Int = Annotated[int, Field(ge=-(2**63), lt=2**63)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


def _no_control(text: str) -> str:
    """Return text that a terminal only shows: what it would obey may be anything, such as to clear the screen."""
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text):
        raise ValueError("must not contain control characters")
    return text


def _one_line(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("must be one line of text")
    return text


_Text = Annotated[str, AfterValidator(_no_control)]
_Name = Annotated[str, AfterValidator(_one_line)]


@with_config(ConfigDict(strict=True))
class _Input(TypedDict):
    name: str
    digest: str
    source_type: str
    source: str
    tags: dict[str, str]


@with_config(ConfigDict(strict=True))
class _Record(TypedDict):
    id: Annotated[str, Field(pattern=r"^\w+$")]
    name: _Text
    experiment: Annotated[_Name, Field(max_length=500)]
    started: _Int
    ended: _Int | None
    tags: dict[_Name, _Text]
    params: dict[_Name, _Text]
    metrics: dict[_Name, Annotated[list[Annotated[list[Any], Field(min_length=3, max_length=3)]], Field(min_length=1)]]
    inputs: list[_Input]
    view: str | None


_ADAPTER = TypeAdapter(_Record)
_POINT = TypeAdapter(tuple[_Finite, _Int, _Int])


@dataclass(frozen=True)
class Parcel:
    """An exported run, unpacked and verified: `folder` holds `files/` and perhaps `model/`, `record` the rest."""

    folder: Path
    record: dict[str, Any]

    @property
    def requirements(self) -> list[str]:
        """What the model needs: recexp as it is installed here, and what that needs in the versions of the run."""
        here = {_package(line): line for line in source.requirements(deep=False)}
        then = {_package(line): line for line in _lines(self.folder / MODEL)}
        return [here[name] if name == "recexp" else then.get(name, line) for name, line in here.items()]


def read(folder: Path, file: Path) -> Parcel:
    """Return what was unpacked of `file` into `folder`; raises DataError, which names the file and the key."""
    (folder / FILES).mkdir(exist_ok=True)
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        _ADAPTER.validate_python(record)
        for name, points in record["metrics"].items():
            for point in points:
                _check_point(name, point)
    except ValidationError as error:
        problem = error.errors()[0]
        key = repr(".".join(map(str, problem["loc"])))[1:-1]
        message = problem["msg"].removeprefix("Value error, ")
        raise DataError(f"{file} is damaged: {RECORD}: {key}: {message} (got {problem['input']!r})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is damaged: {RECORD}: {error}") from error
    _check_metrics(folder, record["metrics"], file)
    _check_requirements(folder, file)
    return Parcel(folder, record)


def _check_point(name: str, point: list[Any]) -> None:
    try:
        _POINT.validate_python(tuple(point), strict=True)
    except ValidationError as error:
        raise ValueError(f"metrics.{name}: must be [number, milliseconds, step] (got {point!r})") from error


def _check_metrics(folder: Path, metrics: dict[str, list[list[Any]]], file: Path) -> None:
    """Raise DataError for a metric that the run's own table of metrics does not hold: it would be ranked by it."""
    path = folder / FILES / file_names.METRICS
    try:
        values = run_files.read_metrics(path)[0] if path.is_file() else {}
    except DataError as error:
        raise DataError(f"{file} is damaged: {FILES}/{file_names.METRICS}: {error.__cause__}") from error
    for name, points in metrics.items():
        if not is_judgement(name) or name.startswith("training/"):
            continue
        value = max(points, key=lambda point: (point[2], point[1], point[0]))[0]
        if name not in values or not math.isclose(value, values[name], rel_tol=1e-9, abs_tol=1e-12):
            held = values.get(name, "nothing of the kind")
            raise DataError(
                f"{file} is damaged: {RECORD} has {name} = {value}, and {FILES}/{file_names.METRICS} has {held}"
            )


def _check_requirements(folder: Path, file: Path) -> None:
    """Raise DataError for files that name packages to install otherwise than recexp writes them."""
    for path in (folder / MODEL, folder / FILES):
        for line in _lines(path):
            of_recexp = path.name == MODEL and re.match(r"(\./)?recexp\b", line)  # its wheel, which is not kept
            if not of_recexp and not re.fullmatch(r"[\w.-]+==[\w.!+-]+", line, re.ASCII):
                raise DataError(
                    f"{file} holds {path.name}/{file_names.REQUIREMENTS} with the line {line!r}; only lines that are "
                    "name==version are allowed"
                )


def _lines(folder: Path) -> Iterable[str]:
    path = folder / file_names.REQUIREMENTS
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _package(line: str) -> str:
    return re.split(r"[^\w.-]", line, maxsplit=1)[0].lower().replace("_", "-")
