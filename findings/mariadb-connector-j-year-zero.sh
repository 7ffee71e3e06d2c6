#!/usr/bin/env bash
# MariaDB Connector/J: getObject() of the YEAR 0000 throws IllegalArgumentException, which is no SQLException
#
# Seen with org.mariadb.jdbc:mariadb-java-client 3.5.3 (that of Debezium 3.5.0) on MariaDB 10.11.19, Java 17, on 2026-11-30.
# Input: a column of type YEAR with 2025 and 0000; by a plain and by a prepared statement
# Behaviour: getString and getInt give 0000 and 0, getObject throws java.lang.IllegalArgumentException. So one such row ends the
#   snapshot of Debezium's MariaDB connector: its task has FAILED, and the connector says RUNNING
# Expected: YEAR holds 1901 to 2155 and 0000 (MariaDB's documentation, "YEAR"); JDBC's methods throw SQLException for what fails
#
# Run: bash findings/mariadb-connector-j-year-zero.sh   (a server and a jar in a temporary folder; exit 0 while the behaviour is
# as described; needs mariadb-server, a JDK and maven)
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null || true; }; rm -rf "$work"' EXIT
root=(); [ "$(id -u)" != 0 ] || root=(--user=root)
PATH=$PATH:/usr/sbin
mvn -q -B dependency:copy -Dartifact=org.mariadb.jdbc:mariadb-java-client:3.5.3 -DoutputDirectory="$work" >"$work/mvn.log"
mariadb-install-db --no-defaults --datadir="$work/db" "${root[@]}" --auth-root-authentication-method=normal \
    --skip-test-db >"$work/install.log" 2>&1
port=$((20000 + RANDOM % 10000))
mariadbd --no-defaults --datadir="$work/db" "${root[@]}" --port="$port" --bind-address=127.0.0.1 \
    --socket="$work/socket" >"$work/log" 2>&1 &
server=$!
client=(mariadb --no-defaults --socket="$work/socket" -uroot)
for _ in $(seq 300); do "${client[@]}" -e 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.1; done
"${client[@]}" -e "CREATE DATABASE d; CREATE TABLE d.t (y YEAR); INSERT INTO d.t VALUES (2025), (0);
    CREATE USER u@'127.0.0.1' IDENTIFIED BY 'u'; GRANT ALL ON d.* TO u@'127.0.0.1'"
cat >"$work/Years.java" <<'JAVA'
import java.sql.*;

public class Years {
    static void print(String how, ResultSet rows) throws SQLException {
        while (rows.next()) {
            String object;
            try {
                object = String.valueOf(rows.getObject(1));
            } catch (RuntimeException error) {
                object = error.getClass().getName();
            }
            System.out.println(how + " " + rows.getString(1) + " " + rows.getInt(1) + " " + object);
        }
    }

    public static void main(String[] address) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address[0])) {
            String query = "SELECT y FROM t ORDER BY y DESC";
            print("plain", connection.createStatement().executeQuery(query));
            print("prepared", connection.prepareStatement(query).executeQuery());
        }
    }
}
JAVA
java -cp "$work/mariadb-java-client-3.5.3.jar" "$work/Years.java" \
    "jdbc:mariadb://127.0.0.1:$port/d?user=u&password=u" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
plain 2025 2025 2025-01-01
plain 0000 0 java.lang.IllegalArgumentException
prepared 2025 2025 2025-01-01
prepared 0000 0 java.lang.IllegalArgumentException
SEEN
