"""The process from which Spark forks its Python workers, with all that tasks need read once for all of them.

Spark's own has read none of it, so each worker would read it anew: a second and a half of CPU and 100 MB each, and
again for each that took the place of one that was idle for a minute.
"""

from __future__ import annotations

import pyarrow as pa
from pyspark.daemon import manager

from services.authority import table
from services.dataflow.spark import tasks
from services.memory import collect_rarely


def main() -> None:
    """Run as Spark's own does, until it is told to end."""
    table()
    tasks.nothing()
    pa.array([0])  # reads pandas where it is installed: half a second
    collect_rarely()  # what stands is left alone by all workers: each task looked it through, a tenth of keying
    manager()


if __name__ == "__main__":
    main()
