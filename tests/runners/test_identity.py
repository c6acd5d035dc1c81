"""Who a run is: whatever decides its results is in its identity, and in the key by which its job is found."""

import os
import shutil
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import recexp as library
from recexp import config
from recexp.config import experiments
from recexp.history.archive import Archive
from recexp.params import describe, params
from recexp.prepared import Loaded
from recexp.runners import job_files
from recexp.runners.base import Identity
from recexp.runners.fold import Fold
from recexp.runners.identity import content, identify
from recexp.runners.offline import Offline
from recexp.sweeps import jobs

OWN_SOURCE = """
from recexp.datasets.files import Files
from recexp.params import describe, params

@params
class Mine(Files):
    pass
"""
BASE = ("dataset=files", "dataset.interactions=ratings.csv", "split.validation_ratio=0.2")
OWN = """
from recexp.algorithms.baselines.popularity import Popularity
from recexp.params import describe, params

@params
class Mine(Popularity):
    pass
"""


def known(*words: str) -> tuple[Identity, str | None]:
    """What a command's run would be, and its job's key."""
    x = jobs.prepare(config.compose([*BASE, *words]), tags={})
    source = x["dataset"].load()
    filtered, effects = x["filter"].apply(source, seed=x.seed)
    split = x["evaluation"].relevant(next(x["split"].split(filtered)))
    fold = Fold.of(x, Loaded(filtered, effects, source.fingerprint), split)
    return identify(x, fold.plan(fold)), x.job_key


base = cache(known)


def test_a_meaning_that_changed_is_another_identity() -> None:
    @params
    class Step:
        n: int

    @params
    class Steps:
        steps: list[Step]

    before = describe(Steps(steps=[Step(n=1)]))
    Step.revision = 2
    after = describe(Steps(steps=[Step(n=1)]))
    assert "revision" not in before["steps"][0]
    assert after["steps"] == [{**before["steps"][0], "revision": 2}]


def test_runs_from_before_a_filter_meant_something_else_are_neither_pooled_nor_reused(shop: Path) -> None:
    """`revised` names the steps, see `filters.base.Filtered`; without any the protocol is that of version 0.1.0."""
    x = jobs.prepare(config.compose([*BASE[:2], "filter=deduplicate", "split=random_rows"]), tags={})
    source = x["dataset"].load()
    split = next(x["split"].split(source))

    def identity(revised: list[int]) -> Identity:
        fold = Fold.of(x, Loaded(source, [], source.fingerprint, revised=revised), split)
        return identify(x, fold.plan(fold))

    then, now = identity([]), identity([0])
    assert then.content["protocol"]["filters"] == describe(x["filter"])
    assert now.content["protocol"]["filters"]["steps"][0]["revision"] == 2
    for digest in ("recexp.protocol", "recexp.test", "recexp.config"):
        assert then.digests[digest] != now.digests[digest]
    assert then.digests["recexp.data"] == now.digests["recexp.data"]


@pytest.mark.parametrize(
    "algorithm, catalogue, expected",
    [
        ("item_knn", "in_train", True),
        ("svd", "in_train", True),
        ("item_knn", "all", False),
        ("ease", "in_train", False),
    ],
)
def test_what_counts_a_catalogue_is_not_pooled_with_what_counted_all(
    shop: Path, algorithm: str, catalogue: str, expected: bool
) -> None:
    found, _ = known(f"algorithm={algorithm}", f"evaluation.catalogue={catalogue}")
    assert ("recexp.code" in found.tags) == expected


@pytest.mark.parametrize(
    "word",
    [
        "seed=2",
        "refit=false",
        "algorithm=popularity",
        "algorithm.l2=3",
        "algorithm@fallback=random",
        "fallback.half_life_days=3",
        "runner=validation",
        "evaluation.cutoffs=[5]",
        "evaluation.metrics=[recall]",
        "evaluation.metrics=[recall,ndcg]",
        "evaluation.catalogue=in_train",
        "evaluation.relevant_from=1.0",
        "evaluation.history=train",
        "evaluation.resamples=9",
        "evaluation.confidence=0.9",
        "filter=none",
        "split.seed=9",
        "split=temporal_user",
        "split.validation_ratio=0.3",
        "dataset.explicit=false",
        "dataset.items=films.csv",
    ],
)
def test_what_decides_a_result_changes_the_run_and_the_job(shop: Path, word: str) -> None:
    (first, job), (other, other_job) = base(), known(word)
    assert first.tags["recexp.config"] != other.tags["recexp.config"]
    assert None not in (job, other_job) and job != other_job


def test_code_of_a_model_is_told_apart_from_that_of_its_data(shop: Path, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "own_source.py").write_text(OWN_SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("RECEXP_TRUST", "own_source")
    found, _ = known("dataset._target_=own_source.Mine")
    assert "own_source.Mine" in found.content["code"] and "recexp.code" not in found.tags


def test_the_order_of_metrics_is_part_of_it(shop: Path) -> None:
    first, second = (known(f"evaluation.metrics=[{names}]") for names in ("recall,ndcg", "ndcg,recall"))
    assert first[0].tags["recexp.config"] != second[0].tags["recexp.config"] and first[1] != second[1]


@pytest.mark.parametrize(
    "word", ["runner.threads=1", "runner.cache=false", "show=u1", "debug=true", "tracking.experiment=x", "resume=true"]
)
def test_the_rest_changes_neither(shop: Path, word: str) -> None:
    (first, job), (other, other_job) = base(), known(word)
    assert first.tags["recexp.config"] == other.tags["recexp.config"] and job == other_job
    assert "code" not in first.content


def test_an_edited_class_of_ones_own_is_another(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "conf" / "algorithm"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("_target_: own_identity.Mine\nhalf_life_days: null\n")

    def run(text: str) -> str:
        (tmp_path / "own_identity.py").write_text(text)
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        sys.modules.pop("own_identity", None)
        words = (*BASE, "algorithm=mine", "resume=true", "tracking.experiment=own", "tracking.log_model=false")
        return library.run(*words, config_dir=str(tmp_path / "conf")).run_id

    first = run(OWN)
    assert run(OWN) == first
    second = run(OWN.replace("pass", "popular = True"))
    assert second != first
    archive = Archive(None)
    codes = [archive.yaml(archive.run(run_id), "identity.yaml")["code"] for run_id in (first, second)]
    assert [[*code] for code in codes] == [["own_identity.Mine"]] * 2 and codes[0] != codes[1]
    for tag in ("recexp.config", "recexp.code"):
        assert len({archive.run(run_id).tags[tag] for run_id in (first, second)}) == 2


def test_the_rules_of_a_runner_are_part_of_the_protocol() -> None:
    @params
    class Bandit(Offline):
        epsilon: float

    x = experiments.experiment(config.compose(["dataset=electronics"]), tags={})
    fields = {
        "threads": None,
        "block_mib": 32,
        "cache": False,
        "statistics": False,
        "device": "auto",
        "precision": "float32",
    }
    fields |= {"refit": True, "show": None}
    protocols = [
        content(replace(x, runner=runner))["protocol"]
        for runner in (
            Offline(**fields),
            Offline(**fields | {"block_mib": 8}),
            *(Bandit(**fields, epsilon=e) for e in (0.1, 0.3)),
        )
    ]
    assert protocols[0] == protocols[1]
    assert protocols[2]["runner"] == {"Bandit": {"epsilon": 0.1}} != protocols[3]["runner"]


def test_an_own_class_is_in_the_key_of_its_job(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("RECEXP_TRUST", "own_job")
    word = "algorithm._target_=own_job.Mine"
    keys = []
    for text in (OWN, OWN, f"{OWN}# edited\n"):
        (tmp_path / "own_job.py").write_text(text)
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        sys.modules.pop("own_job", None)
        keys.append(known("algorithm=popularity", word)[1])
    assert keys[0] == keys[1] != keys[2]


def test_a_file_that_was_changed_back_in_size_and_time_is_another(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text("user_id,item_id\n1,1\n")
    before, was = job_files._content(file), file.stat()
    file.write_text("user_id,item_id\n1,2\n")
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert job_files._content(file) != before
