"""How long the command takes to its first work, beside a hello-world flow in the same run.

Each program is started with a Prefect home of its own: once with an empty one, where Prefect makes
its database, then three times more. First work is the moment at which the flow's own code begins:
for `stancebank run`, when the run takes hold of its warehouse.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HELLO = """
import pathlib, sys
from prefect import flow

@flow
def hello() -> None:
    pathlib.Path(sys.argv[1]).touch()

hello()
"""
AGAIN = 3


def seconds_to(mark: Path, command: list[str], folder: Path, home: Path) -> float:
    """Seconds from the start of `command` until `mark` exists; the command is then left to end."""
    environment = {n: v for n, v in os.environ.items() if "PREFECT" not in n}
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment | {"PREFECT_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not mark.exists() and process.poll() is None:
        time.sleep(0.01)
    elapsed = time.monotonic() - start
    process.wait()
    return elapsed


def hello_world(folder: Path) -> list[float]:
    """Seconds to the first work of a flow on Prefect's embedded defaults, first and later times."""
    home, script = folder / "hello-home", folder / "hello.py"
    script.write_text(HELLO)
    marks = [folder / f"hello-{n}" for n in range(AGAIN + 1)]
    return [seconds_to(m, [sys.executable, str(script), str(m)], folder, home) for m in marks]


def stancebank_run(folder: Path) -> list[float]:
    """The same of `stancebank run` on one small article."""
    home, program = folder / "run-home", str(Path(sys.executable).with_name("stancebank"))
    article = folder / "article.txt"
    article.write_text("Ministers said on Monday that the talks would go on.")
    times = []
    for number in range(AGAIN + 1):
        warehouse = folder / f"{number}.duckdb"
        command = [program, "run", str(article), "--warehouse", str(warehouse), "--workers", "1"]
        times.append(seconds_to(warehouse, command, folder, home))
    subprocess.run(
        [program, "server", "stop"],
        env=os.environ | {"PREFECT_HOME": str(home)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return times


def main() -> None:
    """Print the table."""
    measures: dict[str, Callable[[Path], list[float]]] = {
        "hello-world flow, embedded": hello_world,
        "stancebank run": stancebank_run,
    }
    with tempfile.TemporaryDirectory() as name:
        found = {label: measure(Path(name)) for label, measure in measures.items()}
    print(f"Seconds to the first work ({os.cpu_count()} cores, load {os.getloadavg()[0]:.1f})")
    print(f"{'':28} {'first':>6} {'later':>6}")
    for label, (first, *later) in found.items():
        print(f"{label:28} {first:6.1f} {statistics.median(later):6.1f}")
    hello, ours = found.values()
    later_ratio = statistics.median(ours[1:]) / statistics.median(hello[1:])
    print(f"{'ratio':28} {ours[0] / hello[0]:6.2f} {later_ratio:6.2f}")


if __name__ == "__main__":
    main()
