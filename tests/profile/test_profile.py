"""recexp profile: roles, counts and the config of files as people have them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import recexp
from recexp.errors import DataError
from recexp.profile import Given, profile_file
from recexp.profile.dates import moments, written
from recexp.profile.facts import Facts
from recexp.profile.words import score


def test_a_shop_export_is_read_at_the_first_try(
    shop_export: pd.DataFrame, inside: Callable, runs: Callable, workplace: Path
) -> None:
    """Profile, config, run: with the counts of pandas."""
    out = "my_conf/dataset/orders.yaml"
    done = inside("profile", "orders.csv", "--items", "products.csv", "--out", out)
    assert done.returncode == 0, done.stderr
    known = shop_export[shop_export["Kundennr"] != ""]
    again = known.duplicated(["Kundennr", "Artikelnr"])
    at_once = known.duplicated(["Kundennr", "Artikelnr", "Bestelldatum"])
    for line in (
        f"rows        {len(shop_export):,}",
        f"users       {known['Kundennr'].nunique()}",
        f"items       {known['Artikelnr'].nunique()}",
        f"repeats     {again.sum():,} rows of a user and an item that an earlier row has; {at_once.sum()} at the same",
        f"{(shop_export['Menge'] < 0).sum()} below 0, 0 are 0",
        f"no user     {len(shop_export) - len(known)} rows",
        "dates       {:%Y-%m-%d %H:%M} to {:%Y-%m-%d %H:%M}".format(*shop_export["Bestelldatum"].agg(["min", "max"])),
        "ids in Kundennr, Artikelnr have leading zeros; they are kept",
        "';' between columns, cp1252, decimal commas, dates day first",
        "products.csv: 42 rows by ArtNr; all 40 items are in it",
        "Einzelpreis   price       number",
        "orders: mean {:.1f}, median {:.0f}".format(
            *known[known["Menge"] > 0].groupby("Kundennr")["Bestellnr"].nunique().agg(["mean", "median"])
        ),
        "the top 20% of buyers bring {:.0%} of revenue".format(top_buyers(known[known["Menge"] > 0])),
    ):
        assert line in done.stdout
    done = inside("--config-dir", "my_conf", "dataset=orders", "filter=shop", "split=temporal", "algorithm=item_knn")
    assert done.returncode == 0, done.stderr
    (run,) = runs()
    assert run.data.tags["dataset"] == "orders"
    assert "165 of 1651 rows have no user" in done.stderr
    data = recexp.make("dataset=orders", config_dir="my_conf").load()
    sums = known.groupby(["Kundennr", "Artikelnr"])["Menge"].sum()
    netted, _ = recexp.make("filter=shop").apply(data, seed=1)
    rows = netted.interactions
    index = pd.MultiIndex.from_arrays([netted.user_ids[rows.users], netted.item_ids[rows.items]])
    found = pd.Series(rows.values, index).sort_index()
    expected = sums[sums >= 1].sort_index()
    assert [*found.index] == [*expected.index]
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())
    kinds = {name: column.kind for name, column in data.items.items()}
    assert kinds == {"Titel": "text", "Warengruppe": "category", "Preis": "price"}
    assert data.items["Titel"].values[3] == "Becher 5€" and data.items["Preis"].values[3] == pytest.approx(1351.25)
    assert len(data.listed) == 2


def top_buyers(bought: pd.DataFrame) -> float:
    """Return what part of revenue the top 12 of 60 bring."""
    revenue = (bought["Menge"] * bought["Einzelpreis"]).groupby(bought["Kundennr"]).sum()
    return revenue.nlargest(12).sum() / revenue.sum()


def test_negative_prices_are_told(inside: Callable, workplace: Path) -> None:
    (workplace / "log.csv").write_text("user,item,price\na,x,2.5\nb,y,-1\nc,x,-2\n")
    (workplace / "items.csv").write_text("item,list_price\nx,3.5\ny,-4\n")
    told = inside("profile", "log.csv", "--items", "items.csv").stdout
    assert "2 rows have a negative price in price; correct them" in told
    assert "items.csv: 1 rows have a negative price in list_price" in told


def test_the_command_refuses_what_it_cannot_do(shop_export: pd.DataFrame, inside: Callable, workplace: Path) -> None:
    (workplace / "dataset").mkdir()
    (workplace / "dataset" / "mine.yaml").write_text("mine")
    for words, message in (
        ([], "give a FILE or dataset=NAME"),
        (["orders.csv", "--out", "orders.yaml"], "--out: must be FOLDER/dataset/NAME.yaml"),
        (["orders.csv", "--out", "dataset/mine.yaml"], "already exists and is not overwritten"),
        (["gone.csv"], "gone.csv: no such file"),
        (
            ["products.csv"],
            "no column looks like the user of a row; set it with dataset.columns.user=...: ArtNr (000, ",
        ),
        (["orders.csv", "dataset.columns.user=Kunde"], "has no column Kunde; its columns are Kundennr"),
    ):
        done = inside("profile", *words)
        assert done.returncode == 2 and message in done.stderr, done.stderr
    assert (workplace / "dataset" / "mine.yaml").read_text() == "mine"


def test_what_a_person_says_is_not_guessed(shop_export: pd.DataFrame, inside: Callable) -> None:
    done = inside("profile", "orders.csv", "dataset.columns.user=Bestellnr", "dataset.columns.quantity=null")
    assert done.returncode == 0, done.stderr
    assert "user: Bestellnr" in done.stdout and "quantity: null" in done.stdout
    done = inside("profile", "dataset=electronics", "dataset.n_users=50")
    assert done.returncode == 0 and "users       50" in done.stdout
    assert "funnel      carts/views 0." in done.stdout and "ratings     mean " in done.stdout


@pytest.mark.parametrize(
    ("columns", "asked"),
    [
        ("user,item,time", ["filter=implicit split=temporal"]),
        ("user,item,time,event", ["'filter.steps.0.events=[buy]' split=temporal"]),
        ("user,item,time,session", ["filter=none split=sessions"]),
        ("user,item,session,event", ["filter=none split=sessions", "'filter.steps.0.events=[buy]' split=random"]),
        ("user,item,rating,event", ["filter=positive split=random"]),
        ("user,item,quantity,event", ["filter=shop split=random"]),
        ("user,item,quantity,action", ["'filter.steps.0.events=[buy]' split=random"]),
    ],
    ids=str,
)
def test_the_filter_and_the_split_suit_what_the_columns_can_answer(
    columns: str, asked: list[str], inside: Callable, workplace: Path
) -> None:
    cells = {"time": "1433221332", "event": "buy", "session": "s1", "rating": "5"}
    cells |= {"quantity": "1"}
    rows = [[cells.get(name, f"{name}{n}") for name in columns.split(",")] for n in range(3)]
    rows = [[cell.replace("action2", "buy").replace("action", "view") for cell in row] for row in rows]
    (workplace / "log.csv").write_text("\n".join([columns, *(",".join(row) for row in rows)]))
    lines = inside("profile", "log.csv").stdout.splitlines()
    commands = [line for line in lines if " dataset=log " in line]
    assert len(commands) == len(asked) and all(line.endswith(end) for line, end in zip(commands, asked)), commands


def test_other_layouts_are_recognized(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("196\t242\t3\t881250949\n186\t302\t3\t891717742\n")
    plain = profile_file(tmp_path / "u.data", Given())
    assert not plain.header and plain.roles == {"user": "0", "item": "1", "rating": "2", "timestamp": "3"}
    assert (plain.facts.rows, plain.facts.users, plain.facts.items) == (2, 2, 2)
    (tmp_path / "clicks.jsonl").write_text(
        '{"visitorid": 1, "event": "view", "itemid": 5, "ts": 1433221332117}\n'
        '{"visitorid": 1, "event": "buy", "itemid": 5, "ts": 1433221332117}\n'
    )
    clicks = profile_file(tmp_path / "clicks.jsonl", Given())
    assert clicks.roles == {"user": "visitorid", "item": "itemid", "timestamp": "ts", "event": "event"}
    assert (clicks.facts.repeated, clicks.facts.duplicates) == (1, 0)
    assert clicks.facts.span[0].year == 2015 and clicks.events == {"view": "view", "buy": "purchase"}
    (tmp_path / "log.csv").write_text("Customer ID,sku,Rating\n1,a,1\n1,b,1\n2,a,48\n2,b,3\n")
    doubtful = profile_file(tmp_path / "log.csv", Given())
    assert doubtful.roles["rating"] == "Rating" and "the largest is 48" in doubtful.doubt
    (tmp_path / "bad.csv").write_text("user,item,qty\n1,a,1\n" + "1,b,2\n" * 30_000 + "2,a,many\n")
    with pytest.raises(DataError, match=r"column qty has cells that are not numbers: .*many"):
        profile_file(tmp_path / "bad.csv", Given())


@pytest.mark.parametrize("times", [[5, 5, 6, 5], [5, 5, 2**62, 5]], ids=["small", "beyond 64 bits"])
def test_duplicates_have_the_pair_the_time_and_the_event_of_an_earlier_row(times: list[int]) -> None:
    users, items, events = np.array([[0, 0, 0, 9, -1], [1, 1, 1, 1, 1], [-1, -1, -1, 0, 0]])
    facts = Facts.of(users, items, [np.array([*times, 5]), events], span=[], values=None)
    assert (facts.rows, facts.no_user, facts.pairs, facts.repeated, facts.duplicates) == (5, 1, 2, 2, 1)


FORMS = {
    "iso": (["2024-01-31", "2024-02-01"], None, "", True),
    "seconds": (["1433221332", "1433221333"], None, "", True),
    "compact": (["20240131", "20240201"], "%Y%m%d", "", True),
    "day first": (["31/01/2024 9:05", "01/02/2024 10:00"], "%d/%m/%Y %H:%M", "day first", True),
    "month first": (["1/31/24", "2/1/24"], "%m/%d/%y", "month first", True),
    "points": (["01.02.2024 09:05:07", "02.02.2024 09:05:08"], "%d.%m.%Y %H:%M:%S", "day first", True),
    "ascending": (["01/02/2024", "02/01/2024"], "%m/%d/%Y", "month first", False),
    "half days": (["31/01/2024 09:05 PM"], "%d/%m/%Y %I:%M %p", "day first", True),
    "named": (["3 Feb 2024", "12 Mar 2024"], "%d %b %Y", "", True),
}


@pytest.mark.parametrize("case", FORMS)
def test_forms_of_times_are_found(case: str) -> None:
    cells, time_format, order, sure = FORMS[case]
    found = written(pa.array(cells))
    assert (found.time_format, found.order, found.sure) == (time_format, order, sure)


@pytest.mark.parametrize(
    "cells", [["31/01/2024", "01/31/2024"], ["soon"], ["31/01/2024", "2024-01-31"], ["32.01.2024"]]
)
def test_what_has_no_one_form_is_no_time(cells: list[str]) -> None:
    assert written(pa.array(cells)) is None


def test_first_and_last_moment_are_those_of_the_calendar() -> None:
    ends = moments(pa.array(["02/01/2024 10:00", "31/12/2023 09:00"]), "%d/%m/%Y %H:%M")
    assert [end.replace(tzinfo=None) for end in ends] == [datetime(2023, 12, 31, 9), datetime(2024, 1, 2, 10)]


@pytest.mark.parametrize(
    ("role", "names", "others"),
    [
        (
            "user",
            ["CustomerID", "Customer ID", "kundennr", "Kunden-Nr.", "user"],
            ["CustomerName", "Email"],
        ),
        (
            "item",
            ["StockCode", "sku", "Artikelnummer", "ART_NR", "parent_asin"],
            ["Product Name", "start"],
        ),
        ("quantity", ["Qty", "Menge", "Anzahl", "quantity"], ["price", "Betrag"]),
        ("timestamp", ["InvoiceDate", "Bestelldatum", "created_at", "timestamp", "Order Date"], ["country"]),
        ("session", ["InvoiceNo", "order_id", "Bestellnummer", "session_id"], ["OrderDate", "reorder"]),
    ],
)
def test_names_of_columns_are_known(role: str, names: list[str], others: list[str]) -> None:
    assert all(score(role, name) for name in names) and not any(score(role, name) for name in others)
