"""Reading files: tables of any usual ending, interaction logs, side tables, and coding them into a Dataset."""

from recexp.files.arrow import from_numpy, to_numpy
from recexp.files.cells import numbers
from recexp.files.coding import build_dataset, encode, lookup
from recexp.files.features import Features, read_features
from recexp.files.log import Format, RawLog, Role, in_file_order, parse_log, read_log, refuse_duplicates
from recexp.files.reading import exists, located, read_bytes, read_table

__all__ = [
    "Features",
    "Format",
    "RawLog",
    "Role",
    "build_dataset",
    "encode",
    "exists",
    "from_numpy",
    "in_file_order",
    "located",
    "lookup",
    "numbers",
    "parse_log",
    "read_bytes",
    "read_features",
    "read_log",
    "read_table",
    "refuse_duplicates",
    "to_numpy",
]
