"""Does a sweep survive? Workers are killed with SIGKILL, and the whole sweep, at random; it is resumed to its end.

    python survival.py [--jobs 60] [--worker-kills 5] [--sweep-kills 2] [--seed 1]

The store must then hold each job once, complete, with the metrics of a sweep that nobody disturbed.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path

SMALL = (
    "dataset=electronics",
    "dataset.n_users=120",
    "dataset.n_products=80",
    "dataset.n_visits=1500",
    "evaluation.resamples=50",
    "tracking.log_model=false",
    "logging.level=warning",
)
LAUNCHER = ("hydra/launcher=processes", "hydra.launcher.workers=2")


def words(jobs: int) -> list[str]:
    """Return the arguments of a sweep of so many quick jobs, a multiple of 3."""
    seeds = ",".join(map(str, range(1, jobs // 3 + 1)))
    return ["-m", *SMALL, "algorithm=popularity,random,item_knn", f"seed={seeds}"]


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start recexp in a folder; what it says is added to sweep.log there."""
    with open(folder / "sweep.log", "ab") as log:
        command = [sys.executable, "-m", "recexp", *arguments]
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)


def rows(folder: Path, query: str) -> list[tuple]:
    """Ask the store; nothing while there is none."""
    store = folder / "mlflow.db"
    if not store.exists():
        return []
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(query).fetchall()


def complete(folder: Path) -> int:
    """Return how many runs are complete."""
    return len(rows(folder, "select run_uuid from tags where key = 'recexp.complete' and value = 'true'"))


def found(folder: Path) -> dict[str, dict[str, float]]:
    """Return the metrics of each complete run, but its costs, by identity; raises ValueError for one that is double."""
    query = """select t.value, r.run_uuid from runs r join tags t using (run_uuid) join tags c using (run_uuid)
        where r.status = 'FINISHED' and t.key = 'recexp.config' and c.key = 'recexp.complete' and c.value = 'true'"""
    runs = rows(folder, query)
    if len(runs) != len(dict(runs)):
        raise ValueError(f"{len(runs)} complete runs of {len(dict(runs))} identities")
    metrics: dict[str, dict[str, float]] = {run: {} for _, run in runs}
    for run, name, value in rows(folder, "select run_uuid, key, value from latest_metrics"):
        if run in metrics and not name.startswith("cost/"):
            metrics[run][name] = value
    return {identity: metrics[run] for identity, run in runs}


def states(folder: Path) -> dict[str, int]:
    """Return how many runs are in each state, complete or not."""
    return dict(rows(folder, "select status, count(*) from runs group by status"))


def family(pid: int) -> dict[int, str]:
    """Return the commands of a process's descendants, by process id."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    members, new = {}, [pid]
    while new:
        new = [child for child, parent in parents.items() if parent in new]
        for child in new:
            with suppress(OSError):
                members[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return members


def kill(pids: list[int]) -> None:
    """Kill processes with SIGKILL."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def disturb(
    folder: Path, arguments: list[str], plan: list[tuple[int, str]], rng: random.Random, *, within: float = 2.0
) -> int:
    """Run a sweep to its end; return how often it ran.

    What the plan says is killed `within` seconds of when so many runs are complete.
    """
    begun, plan = 1, sorted(plan)
    sweep = start(folder, *arguments)
    while sweep.poll() is None or plan:
        if sweep.poll() is not None:
            raise RuntimeError(f"the sweep ended with {sweep.returncode} before all of the plan: {plan}")
        if plan and complete(folder) >= plan[0][0]:
            time.sleep(rng.uniform(0, within))
            members = family(sweep.pid)
            workers = [
                pid
                for pid, command in members.items()
                if "recexp.sweeps import worker_main\nworker_main.main" in command or " -m recexp " in command
            ]
            if plan[0][1] == "sweep":
                kill([sweep.pid, *members])
                sweep.wait()
                sweep, begun = start(folder, *arguments, "resume=true"), begun + 1
                plan.pop(0)
            elif workers:
                kill([rng.choice(workers)])
                plan.pop(0)
        time.sleep(0.1)
    while sweep.returncode == 1 and begun < 10:  # a job whose process was killed twice has failed
        sweep, begun = start(folder, *arguments, "resume=true"), begun + 1
        sweep.wait()
    if sweep.returncode:
        raise RuntimeError(f"the sweep ended with {sweep.returncode}; see {folder / 'sweep.log'}")
    return begun


def spread(jobs: int, worker_kills: int, sweep_kills: int, rng: random.Random) -> list[tuple[int, str]]:
    """Return what is killed when so many runs are complete."""
    some = [(rng.randrange(jobs * 4 // 5), "worker") for _ in range(worker_kills)]
    return some + [(rng.randrange(1, jobs * 4 // 5), "sweep") for _ in range(sweep_kills)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--worker-kills", type=int, default=5)
    parser.add_argument("--sweep-kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng, arguments = random.Random(given.seed), [*words(given.jobs), *LAUNCHER]
    base = Path(tempfile.mkdtemp(prefix="survival-"))
    calm, wild = base / "calm", base / "wild"
    calm.mkdir()
    wild.mkdir()
    print(f"in {base}", flush=True)
    began = time.monotonic()
    if start(calm, *arguments).wait():
        raise SystemExit(f"the undisturbed sweep failed; see {calm / 'sweep.log'}")
    print(f"undisturbed: {len(found(calm))} runs in {time.monotonic() - began:.0f} s", flush=True)
    plan = spread(given.jobs, given.worker_kills, given.sweep_kills, rng)
    print(f"plan: {sorted(plan)}", flush=True)
    began = time.monotonic()
    begun = disturb(wild, arguments, plan, rng)
    print(f"disturbed: {len(found(wild))} runs in {time.monotonic() - began:.0f} s, begun {begun} times")
    print(f"states of all runs, the killed ones too: {states(wild)}")
    print(f"metrics equal: {found(wild) == found(calm)}")
    began = time.monotonic()
    code = start(wild, *arguments, "resume=true").wait()
    print(f"resumed when all is done: exit code {code} in {time.monotonic() - began:.1f} s, {len(found(wild))} runs")


if __name__ == "__main__":
    main()
