"""Reading files: tables of any usual ending, interaction logs, side tables, coded as a Dataset holds them."""

from recexp.io.arrow import from_numpy, to_numpy
from recexp.io.cells import numbers
from recexp.io.coded_log import CodedLog, code_log
from recexp.io.duplicates import refuse_duplicates
from recexp.io.features import Features, read_features
from recexp.io.header import Role
from recexp.io.ids import Ids, encode, lookup
from recexp.io.links import read_links
from recexp.io.log import Format, MissingUser, RawLog, in_file_order, parse_log, read_log
from recexp.io.reading import check_file, exists, located, read_bytes
from recexp.io.tables import TableFile, open_table, read_table

__all__ = [
    "CodedLog",
    "Features",
    "Format",
    "Ids",
    "MissingUser",
    "RawLog",
    "Role",
    "TableFile",
    "code_log",
    "encode",
    "check_file",
    "exists",
    "from_numpy",
    "in_file_order",
    "located",
    "lookup",
    "numbers",
    "open_table",
    "parse_log",
    "read_bytes",
    "read_features",
    "read_links",
    "read_log",
    "read_table",
    "refuse_duplicates",
    "to_numpy",
]
