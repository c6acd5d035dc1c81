"""The charts of the MLflow UI's saved view: quality first, costs last, nothing that is zero everywhere.

The form is that of MLflow 3.17's own view states: sections and charts by uuid, a chart a metric. The UI adds a chart
for each metric that has none, so that a hidden one must be there and marked as deleted.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from recexp.metric_names import headlines, is_final, pretty

LAST = ("training", "audit", "cost")
"""Parts of metric names whose charts stand below those of quality, in this order."""
SYSTEM = ("Model metrics", "System metrics")
"""The sections that the UI has anyway."""
RUNS = 20
"""Bars of a chart; of runs the UI shows the first 10 or 20."""
COLUMNS = 2
"""Charts in a row, so that their titles can be read on a small screen."""
LONGEST = 18_000
"""Characters of a state in JSON; MLflow's tags of experiments hold 20,000, with the rest of the view."""


def chart_state(metrics: Mapping[str, float], final: str) -> dict[str, Any]:
    """Return the part of a view state that is about charts.

    The final part comes first, its headline cut-off before the others; then other parts, and at last training, audit
    and cost. Audit values of zero are hidden until a run has another (`merged`).
    """
    first = headlines((name for name in metrics if is_final(name, final)), final)
    rest = [name for name in metrics if name not in first]
    parts = [name.rpartition("/")[0] for name in [*first, *rest]]
    sections = sorted(dict.fromkeys(parts), key=lambda part: LAST.index(part) + 1 if part in LAST else 0)
    charts = [_chart(name, hidden=name.startswith("audit/") and not metrics[name]) for name in [*first, *rest]]
    return _fitting(
        {
            "compareRunSections": [_section(name) for name in (*sections, *SYSTEM)],
            "compareRunCharts": charts,
            "isAccordionReordered": True,
            "hideEmptyCharts": True,
            "runsHiddenMode": f"FIRST_{RUNS}_RUNS",
        }
    )


def merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a view state of `before` with the sections and charts that `after` shows and it does not; None: none.

    A state without charts, of an earlier version or a person's own, stays as it is.
    """
    if not before.get("compareRunCharts"):
        return None
    hidden = {chart["metricKey"]: chart for chart in before["compareRunCharts"] if "metricKey" in chart}
    shown = [chart for chart in after.get("compareRunCharts", ()) if not chart["deleted"]]
    new = [chart for chart in shown if hidden.get(chart["metricKey"], {"deleted": True})["deleted"]]
    if not new:
        return None
    names = {chart["metricKey"] for chart in new}
    kept = [chart for chart in before["compareRunCharts"] if chart.get("metricKey") not in names]
    uuids = {section["uuid"] for section in before["compareRunSections"]}
    sections = [section for section in after["compareRunSections"] if section["uuid"] not in uuids]
    state = {
        **before,
        "compareRunSections": _ordered([*before["compareRunSections"], *sections]),
        "compareRunCharts": [*kept, *new],
    }
    fitting = _fitting(state)
    return None if fitting["compareRunCharts"] == before["compareRunCharts"] else fitting


def _fitting(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state without the last charts that do not fit into a tag; the UI adds them after the others."""
    room, kept = LONGEST - len(json.dumps({**state, "compareRunCharts": []})), []
    for chart in state["compareRunCharts"]:
        room -= len(json.dumps(chart)) + 2
        if room < 0:
            break
        kept.append(chart)
    return {**state, "compareRunCharts": kept}


def _ordered(sections: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return sections with those of training, audit, cost and the UI's own last."""
    last = (*LAST, *SYSTEM)
    return sorted(sections, key=lambda section: last.index(section["name"]) + 1 if section["name"] in last else 0)


def _section(name: str) -> dict[str, Any]:
    flags = {"display": True, "isReordered": True, "deleted": False, "isGenerated": True}
    return {"uuid": _uuid("section", name), "name": name, "columns": COLUMNS, **flags}


def _chart(metric: str, *, hidden: bool) -> dict[str, Any]:
    """Return a chart of bars, which the UI turns into lines where a metric has steps."""
    return {
        "type": "BAR",
        "uuid": _uuid("chart", metric),
        "metricKey": metric,
        "displayName": pretty(metric),
        "metricSectionId": _uuid("section", metric.rpartition("/")[0]),
        "runsCountToCompare": RUNS,
        "isGenerated": True,
        "deleted": hidden,
    }


def _uuid(kind: str, name: str) -> str:
    """Return the same uuid for the same name, in all runs."""
    return str(uuid5(NAMESPACE_URL, f"recexp:{kind}:{name}"))
