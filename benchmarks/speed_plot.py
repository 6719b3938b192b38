"""The plot of how each kind of search grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def draw(target: Path, sizes: Sequence[int], lines: Mapping[str, Sequence[float]]) -> None:
    """Draw milliseconds by chunks, both as powers of ten, into a small PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.0))
    for name, values in lines.items():
        axes.loglog(sizes, values, marker="o", label=name)
    axes.set_xticks(list(sizes), [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("chunks")
    axes.set_ylabel("ms, median")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(target, dpi=90)
    pyplot.close(figure)
