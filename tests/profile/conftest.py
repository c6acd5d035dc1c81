"""A shop's export as German software writes it, made here."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

TITLES = [*("Tee", "Kaffee", "Süßholz", "Becher 5€", "Kanne", "Löffel"), *(f"Tasse {n}" for n in range(6, 42))]


def orders() -> pd.DataFrame:
    """Lines of orders: 60 customers buy of 40 products for 200 days; some are guests, some things come back."""
    rng = np.random.default_rng(3)
    m = 1500
    liked = rng.integers(0, 40, (60, 20))
    users = rng.integers(0, 60, m)
    minutes = pd.to_timedelta(np.sort(rng.integers(0, 200 * 1440, m)), "min")
    frame = pd.DataFrame(
        {
            "Kundennr": [f"{user:05d}" for user in users],
            "Artikelnr": [f"{item:03d}" for item in liked[users, rng.integers(0, 20, m)]],
            "Menge": rng.integers(1, 6, m),
            "Einzelpreis": rng.integers(100, 200_000, m) / 100,
            "Bestelldatum": pd.Timestamp("2023-06-01") + minutes,
            "Bestellnr": [f"B{n // 3:04d}" for n in range(m)],
        }
    )
    returned = frame.sample(150, random_state=1)
    back = returned.assign(Menge=-returned["Menge"], Bestelldatum=returned["Bestelldatum"] + pd.Timedelta(5, "D"))
    frame = pd.concat([frame, back, frame.iloc[[7]]]).sort_values("Bestelldatum", kind="stable", ignore_index=True)
    frame.loc[frame.sample(frac=0.1, random_state=2).index, "Kundennr"] = ""
    return frame


def german(price: float) -> str:
    """Write a number with a decimal comma and points between thousands."""
    return f"{price:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


@pytest.fixture
def shop_export(workplace: Path) -> pd.DataFrame:
    """Return the lines of orders, and write orders.csv and products.csv in the working directory."""
    frame = orders()
    text = frame.assign(
        Einzelpreis=frame["Einzelpreis"].map(german), Bestelldatum=frame["Bestelldatum"].dt.strftime("%d.%m.%Y %H:%M")
    )
    text.to_csv(workplace / "orders.csv", sep=";", index=False, encoding="cp1252")
    prices = [german(0.5 + 450.25 * n) for n in range(42)]
    products = pd.DataFrame({"ArtNr": [f"{n:03d}" for n in range(42)], "Titel": TITLES})
    products["Warengruppe"] = [*["Getränke"] * 3, *["Geschirr"] * 37, *["Neuheiten"] * 2]  # these nobody bought yet
    products.assign(Preis=prices).to_csv(workplace / "products.csv", sep=";", index=False, encoding="cp1252")
    return frame
