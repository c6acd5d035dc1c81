"""Links of a DataFrame are those of a file with the same rows."""

from pathlib import Path

import pandas as pd
import pytest

import recexp
from recexp.data import Dataset
from recexp.errors import DataError

ROWS = pd.DataFrame({"user_id": ["ann", "ben", "cem"], "item_id": ["x", "y", "x"]})
FRIENDS = pd.DataFrame({"who": ["ann", "ben", "ann", "cem", "ann"], "whom": ["ben", "ben", "zoe", "ann", "ben"]})


def test_links_of_a_frame_are_those_of_a_file(tmp_path: Path) -> None:
    for name, frame in (("rows", ROWS), ("friends", FRIENDS)):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    words = [f"dataset.interactions={tmp_path / 'rows.csv'}", f"dataset.links={tmp_path / 'friends.csv'}"]
    file = recexp.make("dataset=files", *words, "dataset.name=made").load()
    made = Dataset.from_frame(ROWS, links=FRIENDS, name="made")
    assert made.links.tolist() == [[0, 1], [2, 0]] == file.links.tolist()
    assert made.fingerprint == file.fingerprint


@pytest.mark.parametrize(
    ("links", "said"),
    [
        (FRIENDS[["who"]], "frame, links: are pairs of users in two columns"),
        (FRIENDS.iloc[2:3], "frame, links: none of its 1 links joins two users with interactions"),
    ],
)
def test_what_are_no_links_is_refused(links: pd.DataFrame, said: str) -> None:
    with pytest.raises(DataError, match=f"^{said}"):
        Dataset.from_frame(ROWS, links=links)
