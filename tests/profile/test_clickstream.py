"""docs/clickstream.md, command by command, on json lines as it is about."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import recexp

PAGE = Path(__file__).parents[2] / "docs" / "clickstream.md"
KINDS = ("phones", "cases", "lamps", "cables")


def write_files(folder: Path) -> None:
    """400 sessions of 60 visitors, who go from a product to the next of its kind; half of them end in a purchase."""
    rng = np.random.default_rng(5)
    rows = []
    for number, begin in enumerate((np.sort(rng.integers(0, 2_592_000_000, 400)) + 1_709_251_200_000).tolist()):
        visitor, kind = int(rng.integers(60)), int(rng.integers(4))
        for step, item in enumerate(10 * kind + (int(rng.integers(10)) + np.arange(rng.integers(1, 6))) % 10):
            row = {"session_id": f"s{number}", "visitorid": f"v{visitor:02}", "itemid": f"p{item:02}", "event": "view"}
            rows.append({**row, "timestamp": begin + 30_000 * step})
        if number % 2:
            rows.append({**rows[-1], "event": "purchase", "timestamp": rows[-1]["timestamp"] + 5000})
    products = [
        {"itemid": f"p{n:02}", "title": f"Nice {KINDS[n // 10]} number {n}", "category": KINDS[n // 10]}
        for n in range(40)
    ]
    for name, lines in (("clicks", rows), ("products", products)):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (folder / "visitors.csv").write_text("visitorid\nv03\nv17\nv99\n")


def test_the_page_goes_from_json_lines_to_the_next_click_and_the_next_purchase(
    page: Callable, inside: Callable, workplace: Path
) -> None:
    write_files(workplace)
    said = []
    for words in page("clickstream").commands:
        done = inside(*words, *(["evaluation.resamples=20"] if words[0] == "-m" else []))
        assert done.returncode == 0, f"{words}: {done.stderr}"
        said.append(done.stdout)
    profiled, _, clicks, answer, _, purchases, _ = said
    first = (workplace / "clicks.jsonl").read_text().splitlines()[0]
    written = (workplace / "my_conf" / "dataset" / "clicks.yaml").read_text("utf-8")
    assert f"```yaml\n{written}```" in PAGE.read_text("utf-8") and f"```json\n{first}\n```" in PAGE.read_text("utf-8")
    for words in page("clickstream").commands:
        if words[0] == "-m":
            chosen = {key: word for word in words for key in ("filter", "split") if word.startswith(f"{key}=")}
            assert f"dataset=clicks {chosen['filter']} {chosen['split']}\n" in profiled, "they agree"
    log = pd.read_json("clicks.jsonl", lines=True)
    assert f"repeats     {log.duplicated(['visitorid', 'itemid']).sum()} rows" in profiled

    assert "split sessions" in clicks and clicks.splitlines()[0].endswith(" behind."), "popularity is far behind"
    sizes = log.groupby("session_id")["timestamp"].agg(["min", "size"]).sort_values("min")["size"]
    *_, of_clicks = [run for run in recexp.runs() if run.about["split"] == "sessions"]
    assert len(of_clicks.per_user()) == (sizes.iloc[-80:] - 1).sum(), "each item of the last fifth but the first"
    assert answer.splitlines()[0].split("\t")[0] == "p21", "after 29 and 20 comes 21"

    assert "filter purchases, split temporal" in purchases
    lists = pd.read_json("lists.jsonl", lines=True)
    assert lists.groupby("user_id", sort=False)["fallback"].agg(list).to_dict() == {
        "v03": [False] * 3,
        "v17": [False] * 3,
        "v99": [True] * 3,
    }
    assert [title.rpartition(" ")[2] for title in lists["title"]] == [str(int(item[1:])) for item in lists["item_id"]]
