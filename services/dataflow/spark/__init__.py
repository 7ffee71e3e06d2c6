"""The dataflow on Apache Spark: in Python what reads a row or a group, in Spark's SQL what joins and groups rows."""
