"""The bus: one contract, an embedded log and Apache Kafka."""
