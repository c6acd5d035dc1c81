"""Make what lies beside this file with recexp 0.1.0, the `recexp` and `python` of the path; see README.md."""

import importlib
import json
import re
import shutil
import subprocess
from pathlib import Path

from mlflow.tracking import MlflowClient

import recexp

DATA = ("dataset=files", "dataset.interactions=ratings.csv", "dataset.items=films.csv", "evaluation.cutoffs=[5,10]")
RANKED = (*DATA, "filter=all_positive", "evaluation.metrics=[ndcg,recall,catalog_coverage]")
RUNS = {
    "ease_1": (*RANKED, "algorithm=ease", "seed=1"),
    "ease_2": (*RANKED, "algorithm=ease", "seed=2", "tracking.log_model=false"),
    "popularity": (*RANKED, "algorithm=popularity", "seed=1", "tracking.log_model=false"),
    "mf": (
        *(*DATA, "filter=ratings", "split=random_rows", "evaluation=ratings", "evaluation.metrics=[rmse]"),
        *("algorithm=mf", "algorithm.factors=4", "tracking.log_model=false"),
    ),
    "tuned": ("tune", *RANKED, "algorithm=item_knn", "tuning.trials=3", "tracking.log_model=false"),
    "fold": (*RANKED, "algorithm=item_knn", "split=kfold", "split.folds=2", "tracking.log_model=false"),
}
"""Ease and popularity share an experiment, the others have one of their own."""
PARTS = ("algorithm@algorithm.parts.cf=ease", "algorithm@algorithm.parts.mf=content_based")
MODELS = {
    "item_knn": (*RANKED, "algorithm=item_knn"),
    "nmf": (*RANKED, "algorithm=nmf", "algorithm.factors=4"),
    "hybrid_weighted": (*RANKED, "algorithm=hybrid_weighted", *PARTS, "algorithm.weights={cf: 0.7, mf: 0.3}"),
}
USERS = ("u0", "u7", "u39", "nobody")
HISTORY = ["f3", "f4", "f24"]


def experiment(name: str) -> str:
    """Return the experiment that a run belongs to."""
    return "shop" if name in ("ease_1", "ease_2", "popularity") else name


def main() -> None:
    """Write exports, a comparison, models, what these recommend, and the classes that configs name."""
    client = MlflowClient("sqlite:///mlflow.db")
    Path("exports").mkdir()
    for name, words in RUNS.items():
        subprocess.run(["recexp", *words, f"tracking.experiment={experiment(name)}"], check=True)
        found = client.get_experiment_by_name(experiment(name))
        run = client.search_runs([found.experiment_id], order_by=["attributes.start_time DESC"])[0]
        subprocess.run(["recexp", "export", run.info.run_id, f"exports/{name}.zip"], check=True)
    subprocess.run(["recexp", "compare", "--experiment", "shop", "--json", "comparison.json"], check=True)
    (logged,) = client.search_logged_models([client.get_experiment_by_name("shop").experiment_id])
    shutil.copytree(logged.artifact_location.removeprefix("file://"), "logged_model")
    models = {"logged_model": recexp.FittedModel.load("logged_model/recexp")}
    for name, words in MODELS.items():
        models[name] = recexp.run(*words, "tracking.experiment=models").model
        models[name].save(f"models/{name}")
    answers = {}
    for name, model in models.items():
        answers[name] = {user: model.recommend(user, n=5) for user in USERS}
        answers[name]["history"] = model.recommend(None, n=5, history=HISTORY)
    lines = [
        f'"{name}": {{\n' + ",\n".join(f'  "{who}": {json.dumps(answer)}' for who, answer in of.items()) + "\n}"
        for name, of in answers.items()
    ]
    Path("answers.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    texts = [path.read_text() for path in (Path(recexp.__file__).parent.parent / "conf").rglob("*.yaml")]
    classes = {name for text in texts for name in re.findall(r"_target_: (recexp[.\w]+)", text)}
    Path("classes.txt").write_text("".join(f"{name} {described(name)}\n" for name in sorted(classes)))


def described(name: str) -> str:
    """Return the name that digests hold of a class that a yaml names."""
    module, _, attribute = name.rpartition(".")
    cls = getattr(importlib.import_module(module), attribute)
    return f"{cls.__module__}.{cls.__qualname__}"


if __name__ == "__main__":
    main()
