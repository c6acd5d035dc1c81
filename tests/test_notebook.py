"""The notebook of docs/ runs, and its cells show what a person wants to see, in short."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

PATH = Path(__file__).parent.parent / "docs" / "notebook.ipynb"


def outputs(cell: nbformat.NotebookNode, kind: str) -> str:
    """What a cell shows of a kind: text/html, text/plain, or stdout."""
    shown = [out for out in cell.outputs if out.output_type != "error"]
    texts = [out.text for out in shown if out.get("name") == kind]
    return "".join([*texts, *(out.data.get(kind, "") for out in shown if "data" in out)])


def test_the_notebook_goes_from_a_frame_to_a_decision(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = nbformat.read(PATH, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells) and PATH.stat().st_size < 10_000
    folders = [str(PATH.parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))
    monkeypatch.setenv("IPYTHONDIR", str(workplace / "ipython"))
    client = NotebookClient(
        notebook,
        timeout=300,
        startup_timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(workplace)}},
    )
    client.execute()  # raises what a cell raises
    cells = {cell.source.splitlines()[-1]: cell for cell in notebook.cells if cell.cell_type == "code"}
    fitted, compared = cells["run"], cells["compared"]
    assert "<td>test/ndcg</td>" in outputs(fitted, "text/html") and "±" in outputs(fitted, "text/html")
    assert outputs(fitted, "text/plain").startswith("FinishedRun(ndcg@10 ")
    log = outputs(cells['recexp.run("algorithm=popularity", "filter=none", dataset=data)'], "stdout")
    assert "I test: 150 queries" in log and "\r" not in log and "recexp." not in log, "short lines, none of them on red"
    assert all(not outputs(cell, "stderr") for cell in cells.values())
    assert "<td>ease</td>" in outputs(compared, "text/html") and "vs popularity" in outputs(compared, "text/html")
    assert "<svg" in outputs(cells["compared.plot()"], "text/html") and "<svg" in outputs(
        cells["run.plot()"], "text/html"
    )
    assert "hit" in outputs(cells["run.lists().head()"], "text/plain")
    assert outputs(cells["recexp.runs()"], "text/html").count("<a href=") == 2
    sizes = [len(outputs(cell, kind)) for cell in (fitted, compared) for kind in ("text/plain", "text/html")]
    assert max(sizes) < 6000
