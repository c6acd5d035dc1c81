"""Files of links: which pairs are kept, which are counted, what is refused."""

import logging
from pathlib import Path

import numpy as np
import pytest

import recexp
from recexp.errors import DataError
from recexp.io import read_links
from recexp.testing import check_dataset

TEXT = np.array(["anna", "ben", "carl"], object)


def read(path: Path, text: str, users: np.ndarray = TEXT, **settings) -> list[list[int]]:
    path.write_text(text)
    return read_links(path, users, separator=None, **settings).tolist()


def test_the_first_line_is_a_link_where_it_names_a_user(tmp_path: Path) -> None:
    assert read(tmp_path / "x.csv", "who,whom,since\nben,anna,3\nanna,carl,4\n") == [[0, 2], [1, 0]]
    assert read(tmp_path / "x.csv", "ben,anna\nanna,carl\n") == [[0, 2], [1, 0]]
    numbers = np.array([2, 5, 966])
    assert read(tmp_path / "x.txt", "2 966 1\r\n5 2 1\r\n", numbers) == [[0, 2], [1, 0]]
    assert read(tmp_path / "x.tsv", "source_id:token\ttarget_id:token\n5\t2\n", numbers, quotes=False) == [[1, 0]]


def test_what_is_left_out_is_counted_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "a,b\nben,anna\nzoe,anna\nben,zoe\nben,anna\ncarl,carl\n"
    with caplog.at_level(logging.WARNING):
        assert read(tmp_path / "x.csv", text) == [[1, 0]]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'x.csv'}: 4 of 5 links are left out: 2 are of users without interactions, "
        "2 come again or lead from a user to itself"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\nzoe,anna\n", "none of its 1 links joins two users with interactions; the first: zoe and anna"),
        ("a\nanna\n", "links are pairs of users in the first two columns; its only one is a"),
        ("a,b\nanna,\n", "column b: 1 rows are empty or NaN; the first is row 1"),
        ("", "has no rows"),
    ],
)
def test_what_is_no_file_of_links_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "x.csv", text)


def test_links_of_own_files_follow_their_users_through_filters(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,item_id\ncarl,1\ncarl,2\nben,1\nben,2\nanna,2\n")
    (tmp_path / "friends.csv").write_text("from,to\ncarl,ben\nanna,ben\n")
    words = ["dataset=files", f"dataset.interactions={tmp_path / 'log.csv'}"]
    source = recexp.make(*words, f"dataset.links={tmp_path / 'friends.csv'}", "dataset.name=friends")
    check_dataset(source)
    assert source.files()["links"] == tmp_path / "friends.csv"
    data = source.load()
    assert data.has("links") and data.links.tolist() == [[0, 1], [2, 1]]
    fewer = data.take(data.interactions.users > 0).compact()
    assert fewer.user_ids.tolist() == ["ben", "carl"] and fewer.links.tolist() == [[1, 0]]
    assert not recexp.make(*words).load().has("links")
    with pytest.raises(DataError, match=r"dataset\.links: nowhere\.csv: no such file"):
        recexp.make(*words, "dataset.links=nowhere.csv").check()


def test_recbole_has_its_links_beside_the_interactions(tmp_path: Path) -> None:
    (tmp_path / "x.inter").write_text("user_id:token\titem_id:token\n5\ta\n7\ta\n")
    (tmp_path / "x.net").write_text("source_id:token\ttarget_id:token\n7\t5\n")
    data = recexp.make("dataset=recbole", f"dataset.interactions={tmp_path / 'x.inter'}").load()
    assert data.links.tolist() == [[1, 0]]
