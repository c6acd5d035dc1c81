"""FILE [--items FILE] [--users FILE] [--out FILE.yaml]: describe a data file, and print the config that reads it"""

import shlex
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recexp import config
from recexp.cli.parsing import Parser
from recexp.errors import ConfigError, DataError

if TYPE_CHECKING:
    from recexp.profile import Given, Profile

_FILES = "recexp.datasets.files.Files"


def parser() -> Parser:
    """Return what reads the command's words."""
    parser = Parser(
        "profile",
        __doc__,
        example="recexp profile orders.csv --items products.csv --out my_conf/dataset/orders.yaml",
        words=(0, 1),
        overrides={
            "dataset.columns.ROLE=NAME": "corrects the guessed role of a column: user, item, quantity ...",
            "dataset.KEY=VALUE": "file format: separator, decimal, encoding, time_format",
            "dataset=NAME": "instead of FILE: a configured dataset",
        },
        notes="FILE is csv, tsv, json lines, parquet or xlsx. Nothing is trained or recorded.",
    )
    parser.add_argument("--items", metavar="FILE", help="a table of items: titles, prices, categories")
    parser.add_argument("--users", metavar="FILE", help="a table of users")
    parser.add_argument("--out", metavar="FILE.yaml", help="write the config there: FOLDER/dataset/NAME.yaml")
    return parser


def run(given: Namespace) -> Iterator[str]:
    """Yield columns, counts, what to know and the yaml; raises DataError where users or items are not found."""
    chosen = next((word for word in given.overrides if word.startswith("dataset=")), None)
    if bool(given.words) == bool(chosen):
        parser().error("give a FILE or dataset=NAME")
    out = None if given.out is None else _new(Path(given.out))
    default = config.plain(config.compose(["dataset=files", "dataset.interactions=x"]))["dataset"]
    words = given.overrides if chosen else ["dataset=files", "dataset.interactions=x", *given.overrides]
    cfg = config.compose(words)
    node = config.plain(cfg)["dataset"]
    if node["_target_"] != _FILES or node["format"] != "auto":
        yield from _of_dataset(cfg, given)
        return
    from recexp.profile import profile_file
    from recexp.profile.text import column_lines, fact_lines, note_lines, statistic_lines, unread

    file = Path(node["interactions"] if chosen else given.words[0]).expanduser()
    items, users = (_path(getattr(given, side) or node[side]) for side in ("items", "users"))
    profile = profile_file(file, _given(node, default, given.overrides), items=items, users=users)
    yield from column_lines(profile)
    if profile.facts is None:
        missing = [role for role in ("user", "item") if role not in profile.roles]
        which = " ".join(f"dataset.columns.{role}=..." for role in missing)
        raise DataError(
            f"{file}: no column looks like the {' or the '.join(missing)} of a row; set it with {which}: "
            f"{unread(profile.looks)}"
        )
    yield ""
    yield from fact_lines(profile.facts)
    yield from statistic_lines(profile.statistics)
    notes = [*note_lines(profile)]
    yield from (f"  - {note}" if number else f"\n  - {note}" for number, note in enumerate(notes))
    yield ""
    yield from _config(profile, out, given)


def _of_dataset(cfg: Any, given: Namespace) -> Iterator[str]:
    """Yield the counts of a dataset that recexp knows how to read."""
    if given.items or given.users or given.out:
        raise ConfigError("--items, --users and --out are for a FILE; this dataset has a config already")
    from recexp.config.experiments import component
    from recexp.profile import profile_dataset
    from recexp.profile.text import fact_lines, statistic_lines

    dataset = component(cfg, "dataset").load()
    facts, statistics = profile_dataset(dataset)
    yield dataset.name
    yield from fact_lines(facts)
    yield from statistic_lines(statistics)


def _config(profile: "Profile", out: Path | None, given: Namespace) -> Iterator[str]:
    """Yield the yaml and what to type next; write it where that was asked for."""
    from recexp.profile.config_text import config_text, option_name

    name = option_name(profile.path) if out is None else out.stem
    text = config_text(profile)
    place = Path("my_conf/dataset") / f"{name}.yaml" if out is None else out
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    yield f"{place}{'' if out is None else ', written'}:"
    yield ""
    yield from (f"  {line}" for line in text.splitlines())
    yield ""
    if out is None:
        words = [word for word in given.arguments if word != "--out"]
        yield f"to write it:  recexp profile {shlex.join(words)} --out {shlex.quote(str(place))}"
    folder = shlex.quote(str(place.parent.parent))
    for question, chosen in _questions(profile):
        to = f"to ask {question}: " if question else "to run on it: "
        yield f"{to}recexp --config-dir {folder} dataset={name} {chosen}"


def _questions(profile: "Profile") -> Iterator[tuple[str, str]]:
    """Yield what the columns can answer, "" where that is one thing alone, and the filter and the split for it."""
    roles = profile.roles
    values = profile.facts.values if profile.facts is not None else None
    split = f"split={'temporal' if profile.times is not None else 'random'}"
    purchases = [name for name, kind in profile.events.items() if kind == "purchase"]
    others = [name for name, kind in profile.events.items() if kind not in ("purchase", "return")]
    if "quantity" in roles and not others:
        yield "", f"filter=shop {split}"
    elif "rating" in roles:
        liked = values is not None and 4 < values.high <= 5
        yield "", f"filter={'positive' if liked else 'all_positive'} {split}"
    elif not purchases and ("session" not in roles or "quantity" in roles):
        yield "", f"filter=implicit {split}"
    else:
        if "session" in roles:
            yield "what is next in a session", "filter=none split=sessions"
        if purchases:
            names = ",".join(purchases)
            events = "" if names == "purchase" else f" {shlex.quote(f'filter.steps.0.events=[{names}]')}"
            yield "what is bought next", f"filter=purchases{events} {split}"


def _given(node: dict[str, Any], default: dict[str, Any], overrides: list[str]) -> "Given":
    """Return what a person says otherwise than the defaults do, or in the command."""
    from recexp.profile import Given

    said = {word.partition("=")[0].removeprefix("dataset.columns.") for word in overrides}
    columns = {role: name for role, name in node["columns"].items() if role in said or name != default["columns"][role]}
    keys = ("separator", "decimal", "encoding", "time_format", "user_id", "item_id")
    return Given(columns=columns, **{key: node[key] for key in keys if node[key] != default[key]})


def _new(out: Path) -> Path:
    """Return where the config goes; raises ConfigError where --config-dir would not find it, or a file is there."""
    if out.suffix != ".yaml" or out.parent.name != "dataset":
        raise ConfigError(f"--out: must be FOLDER/dataset/NAME.yaml, as --config-dir FOLDER expects (got {out})")
    if out.exists():
        raise ConfigError(f"--out: {out} already exists and is not overwritten; delete it or choose another name")
    return out


def _path(given: str | None) -> Path | None:
    return None if given is None else Path(given).expanduser()
