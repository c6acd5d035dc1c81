"""Logs of real shops, and what is known of them alone."""

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

import recexp
from recexp.data import Dataset
from recexp.log_statistics import measure

_ROLES = "user: CustomerID, item: StockCode, quantity: Quantity, timestamp: InvoiceDate, session: InvoiceNo"
ONLINE_RETAIL = (
    f"dataset.columns={{{_ROLES}}}",
    "dataset.context={UnitPrice: price}",
    "dataset.missing_user=drop",
    "dataset.duplicates=keep",
)


def logs(data: Path) -> dict[str, Callable[[], dict[str, float]]]:
    """Return what measures each set, by its name; `data` is the folder that they lie in."""
    sessions = "train_sessions.txt.gz"
    return {
        "retailrocket": lambda: measure(lines(data / "retailrocket" / sessions)) | measure(retailrocket(data)),
        "diginetica": lambda: measure(lines(data / "diginetica" / sessions)),
        "yoochoose": lambda: measure(
            made("sessions", data / "yoochoose-100k/yoochoose-clicks-100k_train_full.txt.gz"),
        ),
        "tmall": lambda: measure(lines(data / "tmall-sessions" / sessions)),
        "online retail": lambda: measure(
            made("files", data / "online-retail/online_retail.parquet", *ONLINE_RETAIL),
        ),
        "complete journey": lambda: measure(recexp.make("dataset=complete_journey").load()),
        "musical instruments": lambda: measure(
            made("amazon_reviews", data / "amazon-musical-instruments/Musical_Instruments_5.json.gz"),
        ),
        "coat": lambda: coat(data / "coat/coat.zip"),
        "open bandit": lambda: open_bandit(data / "open-bandit-small/obd.zip"),
    }


def made(name: str, path: Path, *words: str) -> Dataset:
    return recexp.make(f"dataset={name}", f"dataset.interactions={path}", *words).load()


def lines(path: Path) -> Dataset:
    return made("session_lines", path)


def retailrocket(data: Path) -> Dataset:
    """Return views, carts and purchases of active visitors, which have neither times nor sessions."""
    names = {"view": "view", "add_to_cart": "cart", "purchase": "purchase"}
    with zipfile.ZipFile(data / "retailrocket/retailrocket_caserec.zip") as archive:
        frames = [
            pd.read_csv(BytesIO(archive.read(f"RetailRocket_Ecommerce/{file}_ecommerce.dat")), sep="\t").assign(
                event=name
            )
            for file, name in names.items()
        ]
    columns = {"user": "visitorid", "item": "itemid"}
    return Dataset.from_frame(pd.concat(frames), columns=columns, duplicates="keep", name="retailrocket")


def coat(path: Path) -> dict[str, float]:
    """Return the mean of ratings of coats that people chose, less that of coats drawn at random."""
    with zipfile.ZipFile(path) as archive:
        chosen, random = (np.loadtxt(BytesIO(archive.read(f"coat/{part}.ascii"))) for part in ("train", "test"))
    return {
        "rating_mean": chosen[chosen > 0].mean(),
        "rating_5": (chosen == 5).sum() / (chosen > 0).sum(),
        "rating_gap": chosen[chosen > 0].mean() - random[random > 0].mean(),
    }


def open_bandit(path: Path) -> dict[str, float]:
    """Return the power by which the click rate falls with the position, of three, where a random policy chose."""
    with zipfile.ZipFile(path) as archive:
        names = [f"obd/random/{campaign}/{campaign}.csv" for campaign in ("all", "men", "women")]
        rows = pd.concat([pd.read_csv(BytesIO(archive.read(name)), usecols=["position", "click"]) for name in names])
    rates = rows.groupby("position")["click"].mean()
    return {"place_exponent": -float(np.polyfit(np.log(rates.index), np.log(rates), 1)[0])}
