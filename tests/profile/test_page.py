"""docs/my_shop_data.md, command by command, on such files as it is about: from an export to lists, and over HTTP."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import recexp

PAGE = Path(__file__).parents[2] / "docs" / "my_shop_data.md"
SIX = ("popularity", "item_knn", "p3alpha", "als", "ease", "slim")


@pytest.fixture
def said(page: Callable, shop_export: pd.DataFrame, inside: Callable, workplace: Path) -> dict[str, str]:
    """What the commands of the page print, by their first words without the options of all."""
    (workplace / "customers.csv").write_text("Kundennr\n00007\n00012\n99999\n")
    said = {}
    for words in page("my_shop_data").commands:
        small = [] if words[0] in ("profile", "compare", "recommend") else ["evaluation.resamples=20"]
        done = inside(*words, *small)
        assert done.returncode == 0 and done.stdout, f"{words}: {done.stderr}"
        said[" ".join(words[:4])] = done.stdout
    return said


def over_http(run_id: str, body: dict) -> list[dict]:
    """Ask the model of a run as `mlflow models serve` does when a request comes."""
    from mlflow import MlflowClient, pyfunc
    from mlflow.pyfunc import scoring_server

    (logged,) = MlflowClient("sqlite:///mlflow.db").get_run(run_id).outputs.model_outputs
    model = pyfunc.load_model(f"mlflow-artifacts/models/{logged.model_id}/artifacts")
    answer = scoring_server.invocations(json.dumps(body), "application/json", model, model.metadata.get_input_schema())
    assert answer.status == 200, answer.response
    return json.loads(answer.response)["predictions"]


def test_the_page_goes_from_an_export_to_lists(said: dict[str, str], shop_export: pd.DataFrame) -> None:
    written = Path("my_conf/dataset/orders.yaml").read_text("utf-8")
    assert f"```yaml\n{written}```" in PAGE.read_text("utf-8")
    assert all(name in said["compare --html report.html"] for name in SIX)
    report = Path("report.html").read_text("utf-8")
    assert "<h1" in report and all(name in report for name in SIX)

    titles = pd.read_csv("products.csv", sep=";", dtype=str, encoding="cp1252").set_index("ArtNr")["Titel"]
    lists = pd.read_csv("lists.csv", dtype={"user_id": str, "item_id": str})
    assert lists.groupby("user_id", sort=False)["fallback"].agg(list).to_dict() == {
        "00007": [False] * 5,
        "00012": [False] * 5,
        "99999": [True] * 5,
    }
    assert lists["title"].tolist() == titles[lists["item_id"]].tolist()

    *_, run = [run for run in recexp.runs() if run.about["algorithm"] == "ease"]
    body = {"dataframe_split": {"columns": ["user_id"], "data": [["00007"], ["99999"]]}, "params": {"k": 5}}
    known, unknown = over_http(run.run_id, body)
    assert (known["fallback"], unknown["fallback"]) == (False, True)
    assert known["titles"] == titles[known["items"]].tolist() and len(known["items"]) == 5

    new = pd.read_csv("new.csv", dtype=str)
    pairs = {*zip(new["user_id"], new["item_id"])}
    customers = {*shop_export["Kundennr"]} - {""}
    assert pairs == {(user, item) for user in customers for item in ("040", "041")}, "which nobody bought"
