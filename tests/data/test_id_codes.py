"""Which id of the data an id from outside means."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from recexp.data.id_codes import IdCodes

LARGE = 2**53
INTEGERS = IdCodes(np.array([196, 0, -5, 1, 1000, LARGE, 2**24, 2**63 - 1]))
TEXTS = IdCodes(np.array(["196", "007", "ann", "1.0", "", " x"], object))


@pytest.mark.parametrize(
    "value, code",
    [
        (196, 0),
        ("196", 0),
        (196.0, 0),
        (np.int32(196), 0),
        (np.uint8(196), 0),
        (np.float32(196), 0),
        (np.str_("196"), 0),
        (0, 1),
        ("0", 1),
        (-0.0, 1),
        ("-5", 2),
        (-5.0, 2),
        (LARGE, 5),
        (str(LARGE), 5),
        (str(2**63 - 1), 7),
    ],
)
def test_an_integer_id_is_matched_by_the_number_its_text_and_a_whole_float(value: object, code: int) -> None:
    assert INTEGERS.code(value) == code


@pytest.mark.parametrize(
    "value",
    [
        *("1_96", "19_6", "1_000", "0196", "007", "+196", " 196", "196 ", "196\n", "196.0", "1e3", "0x1"),
        *("\uff11\uff19\uff16", "\u0661\u0669\u0666", "\u00b2", "9" * 5000, "None", "", "-", "-0", b"196"),
        *(True, np.True_, False, None, pd.NA, pd.NaT),
        *(float("nan"), float("inf"), -float("inf"), 196.5, np.float32(0.5), 10**400, 2**64, -(2**63), 1e300),
        *(float(LARGE), np.float32(2**24), 196 + 0j, Decimal(196), Fraction(196), [196], (196,), {"id": 196}, {196}),
        *(np.array(196), np.array([196]), np.datetime64(196, "s"), np.timedelta64(196, "s")),
    ],
)
def test_nothing_else_matches_an_integer_id(value: object) -> None:
    assert INTEGERS.code(value) == -1


def test_a_text_id_is_matched_by_that_text_alone() -> None:
    assert [TEXTS.code(value) for value in ("196", "007", "ann", np.str_("ann"), "", " x")] == [0, 1, 2, 2, 4, 5]
    others = (
        196,
        7,
        1.0,
        196.0,
        " ann",
        "ANN",
        "x",
        b"ann",
        None,
        float("nan"),
        True,
        ["ann"],
        {},
        pd.NA,
        "\uff11\uff19\uff16",
    )
    assert [TEXTS.code(value) for value in others] == [-1] * len(others)


def test_many_are_coded_at_once() -> None:
    np.testing.assert_array_equal(INTEGERS.codes(["196", None, 1.0, True, [1]]), np.array([0, -1, 3, -1, -1], np.int32))
    assert INTEGERS.codes([]).dtype == np.int32


@pytest.mark.parametrize(
    ("value", "texts", "integers"),
    [
        (7, "007", None),
        ("7", "007", None),
        (7.0, "007", None),
        ("00007", "007", None),
        (196, "196", 196),
        ("0196", "196", 196),
        ("196.0", "196", 196),
        (" 196", "196", 196),
        ("ann ", None, None),
        (True, None, None),
        (None, None, None),
        (float("nan"), None, None),
        ("-007", None, None),
        ("9" * 5000, None, None),
    ],
    ids=lambda value: str(value)[:9],
)
def test_the_same_number_written_otherwise_is_found_for_a_hint(
    value: object, texts: str | None, integers: int | None
) -> None:
    assert (TEXTS.near(value), INTEGERS.near(value)) == (texts, integers)


def test_a_hint_is_for_what_is_unknown_alone() -> None:
    assert (TEXTS.hint(7), TEXTS.hint("007"), TEXTS.hint("bob")) == (" (did you mean '007'?)", "", "")
    assert (INTEGERS.hint("0196"), INTEGERS.hint("196")) == (" (did you mean 196?)", "")
