"""The charts of the MLflow UI's saved view."""

import json
from pathlib import Path
from typing import Any

from recexp.tracking import Tracking
from recexp.tracking.chart_view import chart_state, merged

METRICS = {
    "audit/new_items": 0.25,
    "audit/repeated_pairs": 0.0,
    "cost/fit_seconds": 2.0,
    "test/ndcg_at_5": 0.1,
    "test/ndcg_at_10": 0.2,
    "training/loss": 0.5,
    "validation/ndcg_at_10": 0.3,
}
TRACKING = Tracking(uri=None, artifacts=None, experiment="charts", log_model=False, git_diff=False)


def shown(state: dict[str, Any]) -> dict[str, list[str]]:
    """Return the metrics of the charts that are not hidden, by section in their order."""
    return {
        section["name"]: [
            chart["metricKey"]
            for chart in state["compareRunCharts"]
            if chart["metricSectionId"] == section["uuid"] and not chart["deleted"]
        ]
        for section in state["compareRunSections"]
    }


def test_quality_stands_before_audit_and_cost_and_zeros_have_no_chart() -> None:
    assert [*shown(chart_state(METRICS, "test")).items()] == [
        ("test", ["test/ndcg_at_10", "test/ndcg_at_5"]),
        ("validation", ["validation/ndcg_at_10"]),
        ("training", ["training/loss"]),
        ("audit", ["audit/new_items"]),
        ("cost", ["cost/fit_seconds"]),
        ("Model metrics", []),
        ("System metrics", []),
    ]


def test_a_later_run_adds_what_it_has_and_hides_nothing() -> None:
    first = chart_state(METRICS, "test")
    assert merged(first, chart_state({**METRICS, "audit/new_items": 0.0}, "test")) is None
    more = {**METRICS, "audit/repeated_pairs": 0.1, "test_candidates/mrr": 0.5}
    state = merged({"orderByAsc": False, **first}, chart_state(more, "test"))
    assert state is not None and state["orderByAsc"] is False
    found = shown(state)
    assert found["audit"] == ["audit/new_items", "audit/repeated_pairs"]
    assert [*found] == [
        *("test", "validation", "test_candidates", "training", "audit", "cost"),
        *("Model metrics", "System metrics"),
    ]
    assert len({chart["uuid"] for chart in state["compareRunCharts"]}) == len(more)
    assert merged({"selectedColumns": []}, first) is None, "a view without charts is left alone"


def test_the_view_of_an_experiment_grows_with_its_runs(workplace: Path) -> None:
    from mlflow import MlflowClient

    with TRACKING.open() as store:
        for value in (0.0, 0.5):
            with store.run(name="a", tags={}) as run:
                view = json.dumps(chart_state({"audit/twin_users": value}, "test"))
                run.finish(
                    metrics={"test/ndcg": 1.0}, params={}, description="", inputs=[], model_folder=None, view=view
                )
            tags = MlflowClient(store.uri).get_experiment(store.experiment_id).tags
            state = json.loads(tags["mlflow.sharedViewState.recexp"])
            assert shown(state)["audit"] == (["audit/twin_users"] if value else [])


def test_a_view_of_many_metrics_fits_into_a_tag(workplace: Path) -> None:
    many = {"test/ndcg": 1.0, **{f"test/measure_{n}_at_10": 0.5 for n in range(200)}}
    state = chart_state(many, "test")
    assert shown(state)["test"][0] == "test/ndcg"
    assert len(json.dumps(state)) < 20_000
    assert merged(state, chart_state({**many, "audit/new_items": 0.1}, "test")) is None
