"""What is called from Python: data that is in memory gives the run that its file gives, and says where it was."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import recexp
from recexp.data import Dataset
from recexp.errors import ConfigError, DataError

WORDS = ("algorithm=popularity", "filter=none", "tracking.log_model=false")


@pytest.fixture
def frame(shop: Path) -> pd.DataFrame:
    """The shop's ratings."""
    return pd.read_csv("ratings.csv")


def test_a_frame_gives_the_run_that_its_file_gives(shop: Path, frame: pd.DataFrame) -> None:
    from recexp.history.archive import Archive

    films = pd.read_csv("films.csv")
    whole = Dataset.from_frame(frame, items=films, name="memory")
    words = (*WORDS, "tracking.experiment=memory")
    of_file = recexp.run(*words, "dataset=files", "dataset.interactions=ratings.csv", "dataset.items=films.csv")
    of_frame, of_dataset = recexp.run(*words, dataset=frame), recexp.run(*words, dataset=whole)
    archive = Archive(None)
    file, bare, rich = (archive.run(run.run_id) for run in (of_file, of_frame, of_dataset))
    assert {run.tags["recexp.split"] for run in (file, bare, rich)} == {file.tags["recexp.split"]}
    assert rich.tags["recexp.data"] == file.tags["recexp.data"] != bare.tags["recexp.data"], "films are data, too"
    for name, value in of_file.metrics.items():
        assert name.startswith("cost/") or of_frame.metrics[name] == value == of_dataset.metrics[name]
    assert (bare.setting, rich.setting) == ("frame", "memory")
    (entity, *_) = archive.client.get_run(rich.id).inputs.dataset_inputs
    assert "memory" in entity.dataset.source
    again = recexp.run(*words, "resume=true", dataset=whole)
    assert again.reused and again.run_id == rich.id, "its content says who it is"


def test_a_run_of_data_in_memory_cannot_be_made_again_from_itself(
    shop: Path, frame: pd.DataFrame, inside: Callable
) -> None:
    from recexp import cli

    run = recexp.run(*WORDS, "tracking.experiment=gone", dataset=frame)
    assert cli.run(["reproduce", run.run_id]) == 2
    with pytest.raises(DataError, match=r"its data was in memory; run it again from Python"):
        from recexp.history.archive import Archive
        from recexp.history.rebuild import rebuild

        archive = Archive(None)
        rebuild(archive, archive.run(run.run_id), [])


def test_words_about_a_dataset_do_not_go_with_one_in_memory(frame: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="dataset=electronics: the dataset is given in memory"):
        recexp.run(*WORDS, "dataset=electronics", dataset=frame)
    with pytest.raises(DataError, match="user_id"):
        recexp.run(*WORDS, dataset=frame.rename(columns={"user_id": "who"}))


def test_components_are_made_by_name() -> None:
    assert recexp.make("algorithm=nmf", "algorithm.factors=20").factors == 20
    assert recexp.make("metric=ndcg").higher_is_better and recexp.make("runner=offline").refit
    with pytest.raises(ConfigError, match="make: the first override must name a component"):
        recexp.make("seed=1")
