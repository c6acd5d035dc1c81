"""Machine: properties of a run's machine, other than packages, that may change the last digits of its results."""

import platform
from typing import Any

from threadpoolctl import threadpool_info

from recexp import threads


def describe() -> dict[str, Any]:
    """Return plain data: Python, system, processor, threads in use, and the active linear algebra library.

    That library selects its kernels by processor, so `blas` includes the selection: `openblas 0.3.30 Haswell`.
    """
    names = ("internal_api", "version", "architecture")
    blas = [[str(pool.get(name) or "?") for name in names] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": threads.count(),
        "blas": ", ".join(sorted({" ".join(words) for words in blas})),
    }
