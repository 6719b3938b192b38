"""How fast askmd is, each figure beside a peer or a limit in the same run on the same cores.

    python benchmarks/speed.py verbs cold              print rows' tables
    python benchmarks/speed.py all --write             and put them into benchmarks/RESULTS.md
    python benchmarks/speed.py all --most 300          a small trial: no size above 300 chunks

What is large is made once and kept in --folder; a million chunks take about 10 GB there. Rows
compare with LangChain, bm25s and tantivy where --peer-python names an interpreter that has them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import quality
import speed_ingest
import speed_kinds
import speed_profile
import speed_search
import speed_start
from speed_grounds import SIZES, Ground

ROWS: dict[str, Callable[[Ground], str]] = {
    "verbs": speed_start.verbs,
    "cold": speed_start.cold,
    "embedding": speed_ingest.embedding,
    "ingest": speed_ingest.ingest,
    "memory": speed_ingest.memory,
    "unchanged": speed_ingest.unchanged,
    "vectors": speed_search.vectors,
    "kinds": speed_kinds.kinds,
    "words": speed_search.words,
    "hybrid": speed_search.hybrid,
    "growth": speed_search.growth,
    "profile": speed_profile.profile,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="+", metavar="ROW", help=f"all, or some of {', '.join(ROWS)}")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    parser.add_argument("--folder", type=Path, help="where what is measured on is kept")
    parser.add_argument("--peer-python", help="an interpreter that has the peers' libraries")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="leave out sizes above this")
    options = parser.parse_args()
    chosen = list(ROWS) if options.rows == ["all"] else options.rows
    if unknown := [name for name in chosen if name not in ROWS]:
        parser.error(f"no row {', '.join(unknown)}")
    home = (options.folder or Path(tempfile.mkdtemp())).absolute()
    home.mkdir(parents=True, exist_ok=True)
    # Not resolved: a virtual environment's interpreter is a link to one without its libraries.
    peer = str(Path(options.peer_python).absolute()) if options.peer_python else None
    plot = (quality.HERE if options.write else home) / "speed.png"
    ground = Ground(home, options.runs, options.most, peer, plot)
    for name in chosen:
        print(f"{name}:", file=sys.stderr)
        text = ROWS[name](ground)
        print(f"\n### {name}\n\n{text}\n", flush=True)
        if options.write:
            quality.write(text, f"speed-{name}")


if __name__ == "__main__":
    main()
