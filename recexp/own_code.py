"""The source files of a user-defined class: its module, and what that imports from the same project."""

import ast
import inspect
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_INSTALLED = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib", "stdlib")}


def modules(cls: type) -> dict[str, Path]:
    """Return by name the file of a class's module, and of the modules that run before it: its packages, its imports.

    Only modules of the same package count, or that lie in the same folder where that is no folder of installed
    packages. Imports inside functions count, too; names that a program makes up do not. Nothing is imported here.
    Raises OSError or TypeError where there is no file.
    """
    file = Path(inspect.getfile(cls)).resolve()
    depth = cls.__module__.count(".") + (file.name == "__init__.py")
    project = _Project(file.parents[depth], cls.__module__.partition(".")[0])
    parents = {name: path for name in _with_parents(cls.__module__) if (path := project.file(name)) is not None}
    found = {**parents, cls.__module__: file}
    waiting = [*found]
    while waiting:
        name = waiting.pop()
        for other, path in project.imported(name, found[name]):
            if other not in found:
                found[other] = path
                waiting.append(other)
    return found


class _Project:
    """The folder that holds a package, or a lone module and those beside it."""

    def __init__(self, root: Path, package: str) -> None:
        self.root = root
        self.package = package
        self.shared = root in _INSTALLED

    def imported(self, module: str, file: Path) -> Iterator[tuple[str, Path]]:
        """Yield the modules of the project that a file imports: name and file."""
        try:
            tree = ast.parse(file.read_bytes())
        except SyntaxError:  # not the file that was imported
            return
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        for node in ast.walk(tree):
            for name in _names(node, package):
                if (path := self.file(name)) is not None:
                    yield name, path

    def file(self, name: str) -> Path | None:
        """Return the file of a module of the project; None: it is none."""
        top = name.partition(".")[0]
        if top == "recexp" or (self.shared and top != self.package):
            return None
        path = self.root.joinpath(*name.split("."))
        return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


def _names(node: ast.AST, package: str) -> Iterator[str]:
    """Yield the modules that a statement may import, packages on the way included."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _with_parents(alias.name)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from _with_parents(base)
        for alias in node.names:
            yield f"{base}.{alias.name}"


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])
