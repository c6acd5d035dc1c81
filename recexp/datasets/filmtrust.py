"""FilmTrust (Guo, Zhang and Yorke-Smith, IJCAI 2013): ratings of films by people who say whom they trust."""

from collections.abc import Mapping
from pathlib import Path

from recexp.data import Dataset
from recexp.datasets.release import Release
from recexp.io import Role, code_log, read_links, read_log
from recexp.params import params

_POSITIONS: Mapping[Role, int | None] = {
    "user": 0,
    "item": 1,
    "rating": 2,
    "timestamp": None,
    "event": None,
    "session": None,
}


@params
class FilmTrust(Release):
    """Ratings, 0.5 to 4 by halves, and links: the first user trusts the second. There are no times.

    A pair of user and film that comes twice stays twice, as in the file: filter=ratings keeps the later one.
    """

    marker = "ratings.txt"
    other_files = ("trust.txt",)

    def read(self, base: Path) -> Dataset:
        raw = read_log(base / self.marker, columns=_POSITIONS, separator=" ", time_format=None, format="auto")
        coded = code_log(raw, explicit=True)
        return Dataset(self.name, *coded._replace(links=read_links(base / "trust.txt", coded.user_ids, separator=" ")))
