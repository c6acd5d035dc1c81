"""A saved model behind `mlflow models serve`, asked over HTTP, and the same in-process."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.linear.ease import EASE
from recexp.data import Dataset, Interactions
from recexp.errors import ModelError
from recexp.models.fitted import FittedModel
from recexp.ranking import Ranking
from recexp.serving import _load_pyfunc
from recexp.serving.pyfunc import Served
from recexp.tracking import Tracking

USERS = ["ann", "bob", "cid"]
ITEMS = ["apple", "bread", "cheese", "dates"]
LOG = [("ann", "apple"), ("ann", "bread"), ("bob", "apple"), ("bob", "cheese"), ("cid", "apple"), ("cid", "bread")]


def toy() -> Dataset:
    rows = Interactions(
        users=np.array([USERS.index(user) for user, _ in LOG], np.int32),
        items=np.array([ITEMS.index(item) for _, item in LOG], np.int32),
        values=np.ones(len(LOG), np.float32),
        n_users=len(USERS),
        n_items=len(ITEMS),
    )
    return Dataset("toy", rows, np.array(USERS, object), np.array(ITEMS, object))


@pytest.fixture(scope="module")
def fitted() -> FittedModel:
    """Popularity: apple 3, bread 2, cheese 1, dates 0; what is in the history is not recommended."""
    train = toy()
    model = Popularity(half_life_days=None).fit(train)
    ranking = Ranking(np.arange(len(ITEMS), dtype=np.int32), np.ones(len(ITEMS), bool))
    return FittedModel.of(model, model, ranking, train, exclude_seen=True, block_mib=1)


def ask(model: FittedModel, k: int = 10, **columns: list) -> list[dict]:
    import pandas as pd

    return Served(model).predict(pd.DataFrame(columns, dtype=object), {"k": k})


def test_known_unknown_and_anonymous_users(fitted: FittedModel) -> None:
    answers = ask(fitted, user_id=["ann", "zoe", None, None], history=[None, None, ["apple", "nothing"], None])
    assert [answer["items"] for answer in answers] == [
        ["cheese", "dates"],
        ["apple", "bread", "cheese", "dates"],
        ["bread", "cheese", "dates"],
        ["apple", "bread", "cheese", "dates"],
    ]
    assert [answer["user_id"] for answer in answers] == ["ann", "zoe", None, None]
    assert answers[1]["scores"] == [3.0, 2.0, 1.0, 0.0]


def test_a_history_replaces_what_is_known(fitted: FittedModel) -> None:
    (answer,) = ask(fitted, k=2, user_id=["ann"], history=[["cheese"]])
    assert answer["items"] == ["apple", "bread"]


def test_one_column_is_enough(fitted: FittedModel) -> None:
    assert ask(fitted, k=1, user_id=["bob"])[0]["items"] == ["bread"]
    assert ask(fitted, k=1, history=[["apple"]]) == [
        {"user_id": None, "items": ["bread"], "scores": [2.0], "fallback": False}
    ]


def test_answers_of_the_fallback_say_so(fitted: FittedModel) -> None:
    model = replace(fitted, model=EASE(l2=1.0).fit(toy()))
    asked = ask(model, user_id=["ann", "zoe", None], history=[None, None, ["apple"]])
    assert [answer["fallback"] for answer in asked] == [False, True, False]


def test_wrong_questions_are_refused(fitted: FittedModel) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="the columns must be user_id, history or both \\(got user\\)"):
        ask(fitted, user=["ann"])
    with pytest.raises(MlflowException, match="k must lie between 1 and 1000 \\(got 0\\)"):
        ask(fitted, k=0, user_id=["ann"])


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not a saved model"):
        _load_pyfunc(str(tmp_path / "absent"))


@pytest.fixture(scope="module")
def server(fitted: FittedModel, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `mlflow models serve` on a model that a run has logged."""
    import shutil

    folder = tmp_path_factory.mktemp("serve")
    shutil.copy(empty_store, folder / "mlflow.db")
    tracking = Tracking(uri=f"{folder}/mlflow.db", artifacts=None, experiment="recexp", log_model=True)
    with tracking.open() as store, store.run(name="toy", tags={}) as run:
        fitted.save(run.scratch / "saved")
        run.finish(metrics={"test/x": 1.0}, params={}, description="", inputs=[], model_folder=run.scratch / "saved")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "MLFLOW_TRACKING_URI": store.uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = ["mlflow", "models", "serve", "-m", f"runs:/{run.id}/model", "--env-manager", "local", "-h", "127.0.0.1"]
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "-p", str(port), "-w", "1"],
        cwd=folder,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process, folder / "log")
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(timeout=30)
        log.close()


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(480):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/ping", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    raise AssertionError(f"the server does not answer: {log.read_text()}")


def post(address: str, body: dict) -> tuple[int, dict]:
    request = urllib.request.Request(
        f"{address}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def split(columns: list[str], *rows: list) -> dict:
    return {"dataframe_split": {"columns": columns, "data": list(rows)}}


def test_the_server_answers_known_unknown_and_anonymous_users(server: str) -> None:
    status, answer = post(server, {**split(["user_id"], ["ann"], ["zoe"]), "params": {"k": 2}})
    assert status == 200, answer
    assert answer["predictions"] == [
        {"user_id": "ann", "items": ["cheese", "dates"], "scores": [1.0, 0.0], "fallback": False},
        {"user_id": "zoe", "items": ["apple", "bread"], "scores": [3.0, 2.0], "fallback": False},
    ]
    status, answer = post(server, split(["user_id", "history"], [None, ["apple", "bread"]]))
    assert status == 200, answer
    assert answer["predictions"] == [
        {"user_id": None, "items": ["cheese", "dates"], "scores": [1.0, 0.0], "fallback": False}
    ]
    status, answer = post(server, {**split(["history"], [["cheese"]]), "params": {"k": 1}})
    assert status == 200, answer
    assert answer["predictions"][0]["items"] == ["apple"]
    status, answer = post(server, split(["user_id", "history"], ["ann", None], [None, ["apple"]]))
    assert status == 200, answer
    assert [row["items"] for row in answer["predictions"]] == [["cheese", "dates"], ["bread", "cheese", "dates"]]


def test_the_server_refuses_wrong_columns_and_k(server: str) -> None:
    status, answer = post(server, split(["user"], ["ann"]))
    assert status == 400 and "user_id" in answer["message"], answer
    status, answer = post(server, {**split(["user_id"], ["ann"]), "params": {"k": 0}})
    assert status == 400 and "k must lie between" in answer["message"], answer
