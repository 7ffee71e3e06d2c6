import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** The keyed work by Kafka Streams: an aggregate by key, its newest rows written once a second by JDBC. */
public final class App {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The row of a key behind one more event: count, first and last moment, separated by blanks. */
  static String added(String row, String event) {
    try {
      JsonNode read = JSON.readTree(event);
      String at = read.get("published_at").asText();
      if (row.isEmpty()) {
        return "1 " + at + " " + at;
      }
      String[] parts = row.split(" ");
      String first = at.compareTo(parts[1]) < 0 ? at : parts[1];
      String last = at.compareTo(parts[2]) > 0 ? at : parts[2];
      return (Long.parseLong(parts[0]) + 1) + " " + first + " " + last;
    } catch (java.io.IOException error) {
      throw new java.io.UncheckedIOException(error);
    }
  }

  /** Writes the newest row of each key. */
  static final class Rows implements Processor<String, String, Void, Void> {
    private static final String UPSERT =
        "INSERT INTO keyed VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET events = excluded.events,"
            + " first_at = excluded.first_at, last_at = excluded.last_at";
    private final String url;
    private final Map<String, String> pending = new HashMap<>();
    private Connection connection;

    Rows(String url) {
      this.url = url;
    }

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      try {
        connection = DriverManager.getConnection(url);
        connection.setAutoCommit(false);
      } catch (SQLException error) {
        throw new IllegalStateException(error);
      }
      context.schedule(Duration.ofSeconds(1), PunctuationType.WALL_CLOCK_TIME, at -> write());
    }

    @Override
    public void process(Record<String, String> row) {
      pending.put(row.key(), row.value());
      if (pending.size() >= 5_000) {
        write();
      }
    }

    private void write() {
      if (pending.isEmpty()) {
        return;
      }
      try (PreparedStatement statement = connection.prepareStatement(UPSERT)) {
        for (Map.Entry<String, String> row : pending.entrySet()) {
          String[] parts = row.getValue().split(" ");
          statement.setString(1, row.getKey());
          statement.setLong(2, Long.parseLong(parts[0]));
          statement.setString(3, parts[1]);
          statement.setString(4, parts[2]);
          statement.addBatch();
        }
        statement.executeBatch();
        connection.commit();
        pending.clear();
      } catch (SQLException error) {
        throw new IllegalStateException(error);
      }
    }

    @Override
    public void close() {
      try {
        write();
        connection.close();
      } catch (SQLException error) {
        throw new IllegalStateException(error);
      }
    }
  }

  /** Run until it is ended. Arguments: brokers, topic, address of the database for JDBC, a directory. */
  public static void main(String[] given) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "kafka-streams-" + ProcessHandle.current().pid());
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given[0]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, given[3] + "/state");
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64 * 1024 * 1024L);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(given[1], Consumed.with(Serdes.String(), Serdes.String()))
        .groupByKey(Grouped.with(Serdes.String(), Serdes.String()))
        .aggregate(() -> "", (key, event, row) -> added(row, event), Materialized.with(Serdes.String(), Serdes.String()))
        .toStream()
        .process(() -> new Rows(given[2]));
    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return null;
        });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
