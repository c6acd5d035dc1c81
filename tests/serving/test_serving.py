"""A saved model behind `mlflow models serve`, asked over HTTP, and the same in-process."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recexp.algorithms.baselines.popularity import Popularity
from recexp.algorithms.linear.ease import EASE
from recexp.data import Dataset, Interactions
from recexp.errors import ModelError
from recexp.models.fitted import FittedModel
from recexp.models.item_table import ItemTable
from recexp.ranking import Ranking
from recexp.serving import _load_pyfunc
from recexp.serving.pyfunc import Served
from recexp.serving.request import BadRequest, columns
from recexp.tracking import Tracking, mlflow_model

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


def split(columns: list[str], *rows: list) -> dict:
    return {"dataframe_split": {"columns": columns, "data": list(rows)}}


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


def test_titles_stand_beside_items(fitted: FittedModel) -> None:
    named = replace(fitted, item_table=ItemTable(np.array(["Apple", "", "Old cheese", "Dates"], object)))
    (answer,) = ask(named, user_id=["ann"])
    assert (answer["items"], answer["titles"]) == (["cheese", "dates"], ["Old cheese", "Dates"])
    assert "titles" not in ask(fitted, user_id=["ann"])[0]


def test_a_range_of_prices_can_be_asked_for(fitted: FittedModel) -> None:
    import pandas as pd

    priced = replace(fitted, item_table=ItemTable(prices={"price": np.array([1, 2, 3, np.nan], np.float32)}))
    table, served = pd.DataFrame({"user_id": ["zoe"]}, dtype=object), Served(priced)
    asked = [({"price_from": 2.0}, ["bread", "cheese"]), ({"price_from": 1, "price_to": 2, "k": 1}, ["apple"])]
    assert [served.predict(table, params)[0]["items"] for params, _ in asked] == [items for _, items in asked]
    for wrong, said in (({"price_to": "2"}, "price_to must be a number"), ({"price_from": 4.0}, "is priced from 4")):
        with pytest.raises(BadRequest, match=said):
            served.predict(table, wrong)


def test_answers_of_the_fallback_say_so(fitted: FittedModel) -> None:
    model = replace(fitted, model=EASE(l2=1.0).fit(toy()))
    asked = ask(model, user_id=["ann", "zoe", None], history=[None, None, ["apple"]])
    assert [answer["fallback"] for answer in asked] == [False, True, False]


def test_wrong_questions_are_refused(fitted: FittedModel) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="the columns must be user_id, history or both \\(got user\\)"):
        ask(fitted, user=["ann"])
    with pytest.raises(MlflowException, match="k must be between 1 and 1000 \\(got 0\\)"):
        ask(fitted, k=0, user_id=["ann"])


@pytest.mark.parametrize("context", [{"day": "on"}, '{"day": "on"}'])
def test_a_row_may_tell_its_context(context: object) -> None:
    users, contexts = ["ann", "ann"], [context, None]
    assert columns(pd.DataFrame({"user_id": users, "context": contexts})) == (users, [None] * 2, [{"day": "on"}, None])
    for wrong in ("on", '["on"]', 3):
        with pytest.raises(BadRequest, match="context: row 1 is not an object of names and values"):
            columns(pd.DataFrame({"user_id": ["ann"], "context": [wrong]}))


def numbered(**changed: object) -> FittedModel:
    """A model of users 1, 7, 196 and items 10 to 14 that answers known users and histories alone."""
    users, items = np.array([1, 7, 196]), np.arange(10, 15)
    rows = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3)]
    codes = np.array(rows, np.int32).T.copy()
    log = Interactions(codes[0], codes[1], np.ones(len(rows), np.float32), n_users=3, n_items=5)
    train = Dataset("numbered", log, users, items)
    popular = Popularity(half_life_days=None).fit(train)
    ranking = Ranking(np.arange(5, dtype=np.int32), np.ones(5, bool))
    fitted = FittedModel.of(EASE(l2=1.0).fit(train), popular, ranking, train, exclude_seen=True, block_mib=1)
    return replace(fitted, **changed)


def test_only_the_same_number_is_a_user(caplog: pytest.LogCaptureFixture) -> None:
    asked = [196, "196", 196.0, np.int64(196), "1_96", " 196", "0196", "196.0", 196.5, True, "1e0", "\uff17", None]
    answers = ask(numbered(), user_id=asked)
    assert [answer["fallback"] for answer in answers] == [False] * 4 + [True] * 9
    assert all(answer["items"] == answers[0]["items"] for answer in answers[:4])
    assert caplog.messages == ["8 of 13 users are unknown, such as '1_96': the fallback's list is used"]


def test_a_text_that_looks_like_a_number_is_another_user() -> None:
    model = numbered(user_ids=np.array(["1", "7", "x"], object))
    assert [answer["fallback"] for answer in ask(model, user_id=["7", 7, 7.0, "07"])] == [False, True, True, True]


def test_what_is_unknown_in_histories_is_passed_over_and_told(caplog: pytest.LogCaptureFixture) -> None:
    model = numbered()
    histories = [[10, 11], ["10", None, "1_1", float("nan"), 11.0], np.array([10, 11]), (10, 11), '["10", 11]', []]
    answers = ask(model, history=histories)
    assert all(answer["items"] == answers[0]["items"] for answer in answers[:5])
    assert [answer["fallback"] for answer in answers] == [False] * 5 + [True]
    assert caplog.messages == ["3 of 13 items in histories are unknown, the first is None"]
    assert ask(model, user_id=[1], history=[["10_"]])[0]["fallback"], "nothing in it is known"


@pytest.mark.parametrize("cell", [{"id": 1}, ["a"], b"1", np.array([1]), Path("x")])
def test_what_is_no_id_is_refused_in_one_line(cell: object) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match=r"^user_id: row 2 is not an id: .*; ids are numbers or text$"):
        ask(numbered(), user_id=["1", cell])


@pytest.mark.parametrize("cell", [5, "5", "a b", "[1", "[" * 10**5, '{"a": 1}', {"a": 1}, [[1]], [{"a": 1}], True])
def test_what_is_no_history_is_refused_in_one_line(cell: object) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match=r"^history: row 1 is not a list of item ids: .{1,99}$"):
        ask(numbered(), history=[cell])


@pytest.mark.parametrize("k", [0, -1, 1001, True, 2.5, 2.0, "2", [2], 10**30])
def test_k_is_a_number_of_items(k: object) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match=r"^k must be between 1 and 1000 \(got .*\)$"):
        ask(numbered(), k=k, user_id=[1])


def test_without_k_there_are_ten() -> None:
    assert ask(numbered(), k=None, user_id=[1]) == ask(numbered(), k=10, user_id=[1])


def test_a_batch_is_answered_as_each_alone() -> None:
    users, histories = [1, "7", None, 196, "x"] * 3, [None] * 7 + [[10], [], ["12", "no"], None, [14], None, None, [1]]
    alone = [ask(numbered(), user_id=[user], history=[some])[0] for user, some in zip(users, histories)]
    assert ask(numbered(), user_id=users, history=histories) == alone
    assert ask(numbered(), user_id=[]) == []


def test_a_batch_is_scored_in_blocks() -> None:
    model = numbered()
    blocks = []
    recommend = model.model.recommend
    model.model.recommend = lambda queries, *rest: blocks.append(len(queries)) or recommend(queries, *rest)
    ask(model, user_id=[1, 7, 196] * 7000)
    assert blocks == [21000]


def test_a_model_that_fails_says_so_in_one_line() -> None:
    from mlflow.exceptions import MlflowException

    model = numbered()
    model.model.weights_ = np.ones((2, 2), np.float32)
    with pytest.raises(MlflowException, match=r"^the model failed: \w+: .*$") as caught:
        ask(model, user_id=[1])
    assert caught.value.get_http_status_code() == 500 and len(str(caught.value).splitlines()) == 1


@pytest.fixture(scope="module")
def invoke(tmp_path_factory: pytest.TempPathFactory) -> Callable:
    """Ask a logged model as `mlflow models serve` does on a request: returns the status and what is answered."""
    from mlflow import pyfunc
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc import scoring_server

    folder = tmp_path_factory.mktemp("logged")
    numbered().save(folder / "saved")
    mlflow_model.wrap(folder / "saved", folder / "logged", model_id="m-1", run_id="1")
    model = pyfunc.load_model(str(folder / "logged"))

    def invocations(body: object, kind: str = "application/json") -> tuple[int, str]:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        try:
            found = scoring_server.invocations(data, kind, model, model.metadata.get_input_schema())
            return found.status, found.response
        except MlflowException as error:
            return error.get_http_status_code(), error.serialize_as_json()

    return invocations


def answered(found: tuple[int, str]) -> list[bool]:
    """Whether each row got a list of its own."""
    status, text = found
    assert status == 200, text
    return [not row["fallback"] for row in json.loads(text)["predictions"]]


FORMS = {
    "a null makes floats of a column": (split(["user_id"], [196], [None]), [True, False]),
    "mixed kinds": (split(["user_id"], [196], ["196"], [True], [196.5], [None]), [True, True, False, False, False]),
    "NaN": ('{"dataframe_split": {"columns": ["user_id"], "data": [[NaN], [7]]}}', [False, True]),
    "a null in a history": (split(["history"], [["10", None]], [[10, 11]], [None]), [True, True, False]),
    "records": ({"dataframe_records": [{"user_id": 7}, {"history": [10]}, {"user_id": "07"}]}, [True, True, False]),
    "instances": ({"instances": [{"user_id": 7}, {"user_id": "7_"}]}, [True, False]),
    "inputs": ({"inputs": {"user_id": ["7", "1_96"]}}, [True, False]),
    "inputs of one": ({"inputs": {"user_id": 7}}, [True]),
    "k is null": ({**split(["user_id"], [7]), "params": {"k": None}}, [True]),
    "no rows": (split(["user_id"]), []),
}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_of_a_request_is_answered(invoke: Callable, name: str) -> None:
    body, expected = FORMS[name]
    assert answered(invoke(body)) == expected


def test_csv_and_parquet_are_answered(invoke: Callable) -> None:
    import io

    import pandas as pd

    assert answered(invoke("user_id\n196\n0196\n1e0\n 7\n", "text/csv")) == [True, False, False, False]
    assert answered(invoke('user_id,history\n,"[10, 11]"\n7,\n', "text/csv")) == [True, True]
    file = io.BytesIO()
    pd.DataFrame({"user_id": ["196", None], "history": [None, [10]]}).to_parquet(file)
    assert answered(invoke(file.getvalue(), "application/vnd.apache.parquet")) == [True, True]


BAD = {
    "a dict": split(["user_id"], [{"a": 1}]),
    "a list": {"dataframe_records": [{"user_id": [1]}]},
    "columns without names": {"dataframe_split": {"data": [[1]]}},
    "no columns": {"dataframe_records": []},
    "text as a history": split(["history"], ["10"]),
    "ids alone": {"inputs": [7]},
    "k is too large": {**split(["user_id"], [7]), "params": {"k": 1001}},
    "another kind": {"messages": [{"role": "user", "content": "hello"}]},
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_answered_is_refused_in_one_line(invoke: Callable, name: str) -> None:
    status, text = invoke(BAD[name])
    message = json.loads(text)["message"]
    assert status == 400 and len(message.splitlines()) == 1 and len(message) < 200, text
    assert "stack_trace" not in text and ".py" not in text


@pytest.mark.parametrize("params", [{"k": True}, {"k": "2"}, {"k": [1]}, {"k": 2.5}, [1], "k"])
def test_params_of_another_kind_are_refused_without_a_trace(invoke: Callable, params: object) -> None:
    status, text = invoke({**split(["user_id"], [7]), "params": params})
    assert status == 400 and "stack_trace" not in text and ".py" not in text, text


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not a saved model"):
        _load_pyfunc(str(tmp_path / "absent"))


@pytest.fixture(scope="module")
def server(fitted: FittedModel, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `mlflow models serve` on a model that a run has logged."""
    import shutil

    folder = tmp_path_factory.mktemp("serve")
    shutil.copy(empty_store, folder / "mlflow.db")
    tracking = Tracking(uri=f"{folder}/mlflow.db", artifacts=None, experiment="recexp", log_model=True, git_diff=True)
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


def test_the_server_answers_known_unknown_and_anonymous_users(server: str) -> None:
    status, answer = post(server, {**split(["user_id"], ["ann"], ["zoe"]), "params": {"k": 2}})
    assert status == 200, answer
    assert answer["predictions"] == [
        {"user_id": "ann", "items": ["cheese", "dates"], "scores": [1.0, 0.0], "fallback": False},
        {"user_id": "zoe", "items": ["apple", "bread"], "scores": [3.0, 2.0], "fallback": True},
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
    assert status == 400 and "k must be between" in answer["message"], answer
