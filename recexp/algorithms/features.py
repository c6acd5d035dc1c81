"""Item or user features as a sparse matrix, with one block for each column of their table."""

import logging
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from recexp.data import Column, Dataset
from recexp.errors import ConfigError, DataError
from recexp.params import PositiveFloat

log = logging.getLogger(__name__)

FeatureColumns = Annotated[list[str], Field(min_length=1)] | None
"""Names of the columns to use; None is all of them."""
Weights = dict[str, PositiveFloat] | None
"""Weight of each column; one that is not named weighs 1, and None is the same for all."""
WORDS = 1000
"""Words of a text column where nothing says how many."""
StopWords = Literal["english"] | list[str] | None
"""Words that do not count in texts: scikit-learn's English list, a list of one's own, or none."""


def item_features(
    data: Dataset,
    columns: FeatureColumns,
    weights: Weights,
    max_features: int | None,
    stop_words: StopWords,
    catalogue: np.ndarray | None = None,
) -> sp.csr_array:
    """Return float32 (n_items, n_features): rows of length 1, or zeros for items without known features.

    Each column becomes a block of features according to its kind; the block's rows have length 1. category,
    multi_category: one indicator per category. text: TF-IDF of its words (as scikit-learn's TfidfVectorizer), counted
    over the items of `catalogue`, bool (n_items,), None: all. numeric, price: (cos(pi t), sin(pi t)), where t in [0, 1]
    is the number's position between the lowest and the highest. The similarity of two numbers is then
    cos(pi |t - t'|): 1 if they are equal, decreasing with distance, -1 for the two ends. The ends exclude outliers:
    numbers beyond Tukey's fences (1.5 interquartile ranges beyond the quartiles) are set to the fence. If all prices
    are above 0, their logarithms are used: 10 and 20 are as similar as 100 and 200.

    Missing values are 0. Blocks are multiplied by the square root of their weight: if both items have a value in every
    column, the product of two rows is the weighted mean of the similarities by each column.

    Raises ConfigError for a column or weight that does not exist, DataError for a text column without words.
    """
    names = list(data.items) if columns is None else columns
    counted = np.ones(data.n_items, bool) if catalogue is None else catalogue
    if not data.items:
        raise DataError(f"{data.name} has no item features to learn from")
    _check("feature_columns", names, data.items, f"an item column of {data.name}")
    _check("weights", weights or {}, names, "a feature column")
    scales = [np.sqrt((weights or {}).get(name, 1.0)) for name in names]
    blocks = [
        scale * _block(name, data.items[name], counted, max_features, stop_words) for scale, name in zip(scales, names)
    ]
    return unit(sp.hstack(blocks, format="csr", dtype=np.float32))


def all_features(table: Mapping[str, Column], n: int) -> sp.csr_array:
    """Return float32 (n, n_features): the features of all columns of a table of n users or items.

    They are those of `item_features`, limited to the 1000 most frequent words of texts. A table without columns has no
    features, nor does a text column without words, which logs a warning.
    """
    blocks = []
    for name, column in table.items():
        try:
            blocks.append(_block(name, column, np.ones(n, bool), WORDS, None))
        except DataError as error:
            log.warning("column skipped: %s", str(error).partition(";")[0])
    return unit(sp.csr_array(sp.hstack([sp.csr_array((n, 0), dtype=np.float32), *blocks], format="csr")))


def unit(matrix: sp.csr_array) -> sp.csr_array:
    """Return float32 CSR with rows of length 1 and sorted indices; zero rows stay zero."""
    matrix = matrix.astype(np.float64)
    norms = np.sqrt(matrix.power(2).sum(axis=1))
    matrix.data /= np.repeat(np.where(norms > 0, norms, 1), np.diff(matrix.indptr))
    matrix.sort_indices()
    return matrix.astype(np.float32)


def _check(field: str, names: Mapping | list[str], known: Mapping | list[str], what: str) -> None:
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(f"algorithm.{field}: {', '.join(unknown)} is not {what}; available: {', '.join(known)}")


def _block(
    name: str, column: Column, counted: np.ndarray, max_features: int | None, stop_words: StopWords
) -> sp.csr_array:
    if column.kind in ("numeric", "price"):
        return _placed(column)
    if column.kind == "text":
        return _words(name, column, counted, max_features, stop_words)
    return unit(column.indicators())


def _placed(column: Column) -> sp.csr_array:
    """Return (n, 2): each number's position between the ends as a point on the half circle; 0 if it is not finite."""
    values = column.values.astype(np.float64)
    points, known = np.zeros((len(values), 2)), np.isfinite(values)
    if not known.any():
        return sp.csr_array(points)
    numbers = values[known]
    if column.kind == "price" and numbers.min() > 0:
        numbers = np.log(numbers)
    low, high = _ends(numbers)
    angles = np.pi * np.clip((numbers - low) / (high - low or 1), 0, 1)
    points[known] = np.column_stack([np.cos(angles), np.sin(angles)])
    return sp.csr_array(points)


def _ends(numbers: np.ndarray) -> tuple[float, float]:
    """Return the lowest and the highest number, limited to Tukey's fences unless the quartiles are equal."""
    low, high = numbers.min(), numbers.max()
    first, third = np.quantile(numbers, [0.25, 0.75])
    reach = 1.5 * (third - first)
    return (max(low, first - reach), min(high, third + reach)) if reach > 0 else (low, high)


def _words(
    name: str, column: Column, counted: np.ndarray, max_features: int | None, stop_words: StopWords
) -> sp.csr_array:
    texts = [str(text) for text in column.values]
    found = [text for text in texts if text.strip()]
    if not found:
        return sp.csr_array((len(texts), 0))
    if all(map(_is_number, found)):
        raise DataError(
            f"the text column {name} contains only numbers; declare it numeric, price or category "
            "(dataset.item_features where it comes from a file), or leave it out of algorithm.feature_columns"
        )
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(max_features=max_features, stop_words=stop_words, dtype=np.float32)
    try:
        return words.fit([texts[item] for item in np.flatnonzero(counted)]).transform(texts)
    except ValueError as error:  # an empty vocabulary
        raise DataError(
            f"the text column {name} contains only stop words and single characters; "
            "leave it out of algorithm.feature_columns"
        ) from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
