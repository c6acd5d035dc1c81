"""Checks of component contracts, for use on your own components in a test or a notebook.

Each function runs a built component on small data and raises an error that names the broken part of the contract::

    from recexp.testing import check_recommender

    def test_my_model():
        check_recommender(MyModel(size=3))
"""

from recexp.testing.datasets import check_dataset
from recexp.testing.environments import check_environment
from recexp.testing.filters import check_filter
from recexp.testing.metrics import check_metric
from recexp.testing.policies import check_policy
from recexp.testing.recommenders import check_recommender
from recexp.testing.rerankers import check_reranker
from recexp.testing.runners import check_runner
from recexp.testing.splits import check_split

__all__ = [
    "check_dataset",
    "check_environment",
    "check_filter",
    "check_metric",
    "check_policy",
    "check_recommender",
    "check_reranker",
    "check_runner",
    "check_split",
]
