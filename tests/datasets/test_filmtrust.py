"""FilmTrust: ratings and links, found where they lie, with the published counts."""

from pathlib import Path

import numpy as np
import pytest

import recexp
from recexp.errors import DataError
from recexp.testing import check_dataset


def test_rows_and_links(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "ratings.txt").write_text("1 1 2\n1 2 3.5\n3 1 0.5\n3 1 4\n")
    (tmp_path / "trust.txt").write_text("3 1 1\r\n3 9 1\r\n")
    source = recexp.make("dataset=filmtrust", f"dataset.root={tmp_path}")
    check_dataset(source)
    data = source.load()
    assert data.user_ids.tolist() == [1, 3] and data.item_ids.tolist() == [1, 2]
    assert data.interactions.values.tolist() == [2, 3.5, 0.5, 4] and data.interactions.explicit
    assert data.interactions.timestamps is None
    assert data.links.tolist() == [[1, 0]]


def test_where_it_is_missing_a_person_reads_where_to_put_it(tmp_path: Path, cache: Path) -> None:
    source = recexp.make("dataset=filmtrust")
    with pytest.raises(DataError, match=r"^dataset\.root: filmtrust cannot be downloaded; say .* put filmtrust\.zip"):
        source.check()
    with pytest.raises(DataError, match=r"dataset\.root: .* holds neither ratings\.txt nor filmtrust\.zip"):
        recexp.make("dataset=filmtrust", f"dataset.root={tmp_path}").check()


def test_published_counts(shared: Path) -> None:
    data = recexp.make("dataset=filmtrust").load()
    rows = data.interactions
    assert (len(rows), data.n_users, data.n_items) == (35_497, 1508, 2071)
    assert np.unique(rows.values).tolist() == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    pairs = rows.users.astype(np.int64) * data.n_items + rows.items
    assert len(np.unique(pairs)) == len(rows) - 3
    assert len(data.links) == 1632, "of 1,853, as 221 are of users without ratings"
