import java.util.Map;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** The keyed work by Flink SQL: one INSERT of a GROUP BY, with its connectors of Kafka and JDBC. */
public final class App {
  /** Run until it is ended. Arguments: brokers, topic, address of the database for JDBC, a directory. */
  public static void main(String[] given) throws Exception {
    TableEnvironment flink = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
    Map<String, String> settings =
        Map.of(
            "parallelism.default", "2",
            "execution.checkpointing.interval", "5 s",
            "execution.checkpointing.dir", "file://" + given[3] + "/checkpoints",
            // as its tuning guide advises for aggregates
            "table.exec.mini-batch.enabled", "true",
            "table.exec.mini-batch.allow-latency", "1 s",
            "table.exec.mini-batch.size", "5000");
    settings.forEach((name, value) -> flink.getConfig().set(name, value));
    flink.executeSql(
        "CREATE TABLE events (`key` STRING, published_at STRING) WITH ('connector' = 'kafka', 'topic' = '" + given[1]
            + "', 'properties.bootstrap.servers' = '" + given[0] + "', 'properties.group.id' = 'flink',"
            + " 'scan.startup.mode' = 'earliest-offset', 'format' = 'json')");
    flink.executeSql(
        "CREATE TABLE keyed (`key` STRING, events BIGINT, first_at STRING, last_at STRING,"
            + " PRIMARY KEY (`key`) NOT ENFORCED) WITH ('connector' = 'jdbc', 'url' = '" + given[2]
            + "', 'table-name' = 'keyed')");
    flink.executeSql(
            "INSERT INTO keyed SELECT `key`, COUNT(*), MIN(published_at), MAX(published_at) FROM events GROUP BY `key`")
        .await();
  }
}
