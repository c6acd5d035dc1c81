"""The folders of yaml: ours, and before it the user's."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from recexp import trust
from recexp.errors import ConfigError
from recexp.folders import conf_dir
from recexp.trust import Trust

_user_dirs: list[Path] = []


def search_dirs() -> list[Path]:
    """Return the config folders, the user's first."""
    return [*_user_dirs, conf_dir()]


def use_config_dirs(folders: Sequence[str], trusted: Trust | None = None) -> None:
    """Put the user's config folders before ours: a file of theirs wins over ours of the same name.

    `trusted` is what may run beside recexp; None: the classes that these folders name.
    """
    for folder in folders:
        if not folder.strip() or not Path(folder).is_dir():
            raise ConfigError(f"--config-dir: {folder or 'nothing'} is not a folder")
    trust.use(Trust(folders=tuple(folders)) if trusted is None else trusted)
    _user_dirs[:] = [Path(folder).resolve() for folder in folders]
    if _user_dirs:
        _register()


@cache
def _register() -> None:
    """Tell Hydra of the user's folders, once in a process: it asks all plugins that it has been told of."""
    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    class UserConfigFirst(SearchPathPlugin):
        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            for folder in reversed(_user_dirs):
                search_path.prepend("user", f"file://{folder}")

    Plugins.instance().register(UserConfigFirst)


@contextmanager
def within(config_dir: str | None) -> Iterator[None]:
    """Return a block in which the config folders are ours and this one, None for ours alone."""
    before, trusted = [str(folder) for folder in _user_dirs], trust.given()
    folders = [config_dir] if config_dir else []
    use_config_dirs(folders, Trust(trusted.packages, tuple(folders)))
    try:
        yield
    finally:
        use_config_dirs(before, trusted)


def flags() -> list[str]:
    """Return what a command is given of the folders, and of what is trusted beside them, to be the same again."""
    packages = trust.given().packages
    return [*(f"--config-dir={folder}" for folder in _user_dirs), *(f"--trust={name}" for name in packages)]


def options(group: str) -> dict[str, Path]:
    """Return the yaml of each option of a config group by name, the user's before ours."""
    found = {}
    for folder in reversed(search_dirs()):
        found.update({path.stem: path for path in (folder / group).glob("*.yaml")})
    return dict(sorted(found.items()))


def elsewhere(group: str, name: str) -> str:
    """Return where in the working directory an option's yaml is that no config folder has, to end a message; or ""."""
    for folder in sorted(path for path in Path().iterdir() if path.is_dir()):
        if (path := folder / group / f"{name}.yaml").is_file():
            return f"; {path} is there: add --config-dir {folder}"
    return ""


def groups() -> list[str]:
    """Return the names of all config groups."""
    return sorted({p.name for d in search_dirs() for p in d.iterdir() if p.is_dir() and any(p.glob("*.yaml"))})
