"""A small Spark in this process, for tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from services.dataflow.spark.session import open_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[1]
JARS = Path(os.environ.get("VISABUS_CACHE") or ROOT / "deploy" / "spark" / "lib")


@contextmanager
def opened(directory: Path, **more: str) -> Iterator[SparkSession]:
    """A session of two cores and little memory, whose processes know the tests' modules."""
    known = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), str(ROOT / "tests"), known)))
    settings = {"spark.driver.memory": "1g", "spark.ui.showConsoleProgress": "false", **more}
    session = open_session("local[2]", directory / "spill", settings)
    try:
        yield session
    finally:
        session.stop()
        os.environ.pop("PYTHONPATH")
        if known is not None:
            os.environ["PYTHONPATH"] = known


def kafka_jars() -> Path:
    """The jars by which Spark reads Kafka, fetched once."""
    directory = JARS / "spark-kafka" if "VISABUS_CACHE" in os.environ else JARS
    subprocess.run([str(ROOT / "deploy" / "spark" / "jars"), str(directory)], check=True)
    return directory
