"""Typed columns of what is known of users and items."""

from recexp.data import Column


def test_a_category_that_a_row_names_twice_is_marked_once() -> None:
    genres = Column.multi_category([["war", "drama", "war"], [], ["drama"]])
    marks = genres.indicators()
    assert marks.toarray().tolist() == [[1, 1], [0, 0], [1, 0]]
    assert marks.nnz == 3, "an entry is a mark"
    assert genres.values.tolist() == [1, 0, 1, 0], "the column is as it was"
