"""Draw what `bench_growth` prints: the plot of docs/explanation/performance.md.

    python -m tests.benchmarks.bench_growth > growth.txt
    python -m tests.benchmarks.plot_growth growth.txt docs/explanation/growth.svg

Needs matplotlib, which nothing else here does.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_LINE = re.compile(r"^  ([\d,]+) (segments|objects)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)")


def read(text: str) -> dict[str, list[tuple[int, float, float]]]:
    """Return, for segments and for objects, (size, mean microseconds, mean number of clauses examined)."""
    found: dict[str, list[tuple[int, float, float]]] = {"segments": [], "objects": []}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            size, unit, mean, _, clauses = match.groups()
            found[unit].append((int(size.replace(",", "")), float(mean), float(clauses)))
    return found


def draw(found: dict[str, list[tuple[int, float, float]]], path: Path) -> None:
    """Write both growths into one picture: cost relative to the smallest size, over sizes on a logarithmic axis."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "segmentkit"  # the same figures give the same file
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True)
    for axis, unit in zip(axes, ("segments", "objects"), strict=True):
        rows = found[unit]
        sizes, means = [row[0] for row in rows], [row[1] for row in rows]
        axis.plot(sizes, means, "o-", color="#3465a4", label="measured")
        axis.plot(sizes, [means[0] * size / sizes[0] for size in sizes], ":", color="#888a85", label="in proportion")
        for size, mean, clauses in rows:
            text = f"{clauses:.1f} clauses"
            axis.annotate(text, (size, mean), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=8)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_ylim(10, 10_000)
        axis.margins(x=0.15)
        axis.set_xlabel(unit)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("µs a change that flips nothing")
    axes[1].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    draw(read(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
