"""A sweep on a Ray cluster of two nodes on this machine, one of which is killed on the way.

pip install '.[ray]' && python ray_nodes.py [--jobs 12]
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")  # on a busy machine
from ray.cluster_utils import Cluster
from survival import complete, found, start, states, words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=60)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ray-nodes-"))
    print(f"in {folder}", flush=True)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        second = cluster.add_node(num_cpus=1)
        arguments = [*words(given.jobs), "hydra/launcher=ray", f"hydra.launcher.address={cluster.address}"]
        began = time.monotonic()
        sweep = start(folder, *arguments)
        while complete(folder) < given.jobs // 3 and sweep.poll() is None:
            time.sleep(0.2)
        cluster.remove_node(second, allow_graceful=False)
        print(f"one of two nodes killed after {complete(folder)} runs", flush=True)
        code = sweep.wait()
        print(f"the sweep ended: exit code {code}, {time.monotonic() - began:.0f} s, {len(found(folder))} runs")
        if code:
            code = start(folder, *arguments, "resume=true").wait()
            print(f"resumed: exit code {code}, {len(found(folder))} runs")
        print(f"states of all runs, the killed ones too: {states(folder)}")
    finally:
        cluster.shutdown()
    calm = folder / "calm"
    calm.mkdir()
    start(calm, *words(given.jobs)).wait()
    print(f"metrics equal to those of a sweep that nobody disturbed: {found(folder) == found(calm)}")


if __name__ == "__main__":
    main()
