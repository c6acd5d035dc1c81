"""docs/my_shop_data.md, command by command, on such files as it is about."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

PAGE = Path(__file__).parents[2] / "docs" / "my_shop_data.md"


def test_the_commands_of_the_page_work_and_give_its_yaml(
    page: Callable, shop_export: pd.DataFrame, inside: Callable, runs: Callable, workplace: Path
) -> None:
    for words in page("my_shop_data").commands:
        small = [] if words[0] in ("profile", "compare") else ["evaluation.resamples=20"]
        done = inside(*words, *small)
        assert done.returncode == 0 and done.stdout, f"{words}: {done.stderr}"
    written = (workplace / "my_conf" / "dataset" / "orders.yaml").read_text("utf-8")
    assert f"```yaml\n{written}```" in PAGE.read_text("utf-8")
    assert {run.data.tags["algorithm"] for run in runs() if "algorithm" in run.data.tags} >= {"popularity", "item_knn"}
