"""Write NCF's files as this project reads them: `python prepare.py` makes ncf_ml1m/ in the working directory."""

import gzip
import os
from pathlib import Path


def write_split(data: Path, folder: Path) -> None:
    """Write train.csv and test.csv, with each test row's 99 candidates, as this project reads them."""
    with gzip.open(data / "ml-1m.train.rating.gz", "rt") as rows, open(folder / "train.csv", "w") as out:
        out.write("user_id,item_id,rating,timestamp\n")
        out.writelines(row.replace("\t", ",") for row in rows)
    with (
        gzip.open(data / "ml-1m.test.rating.gz", "rt") as rows,
        gzip.open(data / "ml-1m.test.negative.gz", "rt") as negatives,
        open(folder / "test.csv", "w") as out,
    ):
        out.write("user_id,item_id,candidates\n")
        for row, listed in zip(rows, negatives, strict=True):
            user, item, *_ = row.split("\t")
            out.write(f"{user},{item},{'|'.join(listed.split()[1:])}\n")


if __name__ == "__main__":
    folder = Path("ncf_ml1m")
    folder.mkdir(exist_ok=True)
    write_split(Path(os.environ["RECEXP_DATA"]) / "ncf-ml-1m", folder)
