"""Two, four and eight processes begin at once, with no store yet: is any run lost?

python cold_start.py
"""

import tempfile
import time
from pathlib import Path

from survival import SMALL, complete, start, states


def main() -> None:
    for n in (2, 4, 8):
        folder = Path(tempfile.mkdtemp(prefix=f"cold-start-{n}-"))
        began = time.monotonic()
        running = [start(folder, *SMALL, "algorithm=popularity", f"seed={seed}") for seed in range(1, n + 1)]
        codes = [process.wait() for process in running]
        print(
            f"{n} processes: exit codes {codes}, {complete(folder)} complete runs, {states(folder)}, "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
