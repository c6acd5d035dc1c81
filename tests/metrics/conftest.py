"""Metrics as their yaml says, and random lists for them."""

import importlib
from pathlib import Path

import pytest
import yaml

from recexp.metrics.base import Metric
from recexp.testing.example_lists import ExampleLists

CONF = Path(__file__).parents[2] / "conf" / "metric"


@pytest.fixture
def build():
    """Return a function that builds a metric as its yaml says."""

    def make(name: str) -> Metric:
        fields = yaml.safe_load((CONF / f"{name}.yaml").read_text())
        module, _, cls = fields.pop("_target_").rpartition(".")
        return getattr(importlib.import_module(module), cls)(**fields)

    return make


@pytest.fixture(params=[0, 1, 2])
def world(request) -> ExampleLists:
    return ExampleLists(request.param)


@pytest.fixture
def full_world() -> ExampleLists:
    """Lists without padding."""
    return ExampleLists(7, queries=60, padded=False)
