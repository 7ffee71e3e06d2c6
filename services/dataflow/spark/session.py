"""The session: Spark set up for a dataflow, on this machine or on a cluster."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = {
    # nobody else has anything to do here
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.driver.memory": "2g",
    # what Spark does here is over before the optimising compiler has paid for itself: it took half of all CPU
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
ALWAYS = {
    # a partition's number names what is loaded of it: none may be joined with another one
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "2000",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.log.level": "ERROR",
    "spark.python.daemon.module": "services.dataflow.spark.daemon",
}


def open_session(master: str | None, spill: Path | None, more: Mapping[str, str]) -> SparkSession:
    """Return a session. `master`: None where `spark-submit` says it. `more`: settings of Spark, which win."""
    # Spark asks for pandas by its version, and uses none of it here
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    from pyspark.sql import SparkSession

    settings = dict(ALWAYS)
    if master is not None and master.startswith("local"):
        os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # else the name of the machine has to be known to it
        settings |= LOCAL
        if spill is not None:  # what is spilled is said of persons
            spill.mkdir(parents=True, exist_ok=True, mode=0o700)
            settings["spark.local.dir"] = str(spill)
    builder = SparkSession.builder.appName("visabus rebuild")
    if master is not None:
        builder = builder.master(master)
    for name, value in {**settings, **more}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
