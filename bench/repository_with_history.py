"""A repository with a past: what one real execution left behind, copied until there are enough."""

import sqlite3
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "harness"))
from postgres import execute, rows  # noqa: E402

JOBS = Path(__file__).resolve().parent / "jobs"
NAMES = 200  # job names the copies are spread over
STEPS = 3  # step executions an execution

# What differs from the copied row; n counts the copies, everything else is taken over.
DIFFERENT = {
    "job_instance": {"id": "n", "uuid": "lower(hex(randomblob(16)))", "job_name": f"'job-' || (n % {NAMES})"},
    "job_execution": {"id": "n", "instance_id": "n", "job_name": f"'job-' || (n % {NAMES})",
                      "status": "CASE n % 50 WHEN 0 THEN 'FAILED' ELSE 'COMPLETED' END"},
    "job_parameter": {"execution_id": "n"},
    "step_progress": {"instance_id": "n", "last_execution": f"n * {STEPS}"},
    "walk": {"execution_id": "n"},
    "event": {"id": "n + 1000", "execution_id": "n"},
}
LONG = 3600  # seconds the copying may take


def make(bench, path, count):
    """One execution by Fermata, `count` copies of it, then one that has failed and can be restarted."""
    environment = {"FERMATA_REPOSITORY": str(path)}
    bench.fermata("run", JOBS / "empty.xml", "-p", "to=1", environment=environment)
    connection = sqlite3.connect(path)
    with connection:
        for table, different in DIFFERENT.items():
            copy(connection, table, different, count)
        for step in range(STEPS):
            copy(connection, "step_execution", {"id": f"n * {STEPS} + {step}", "execution_id": "n"}, count)
    connection.close()
    bench.fermata("run", JOBS / "fail.xml", exit_code=1, environment=environment)


def copy(connection, table, different, count):
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(different.get(column, f"one.{column}") for column in columns)
    key = next(iter(different))
    connection.execute(f"""
        WITH RECURSIVE counter (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM counter WHERE n <= {count})
        INSERT INTO {table} ({", ".join(columns)})
        SELECT {values} FROM (SELECT * FROM {table} ORDER BY {key} LIMIT 1) AS one, counter""")


def make_on_postgres(bench, url, count):
    """The same in a PostgreSQL database, with fresh statistics as autovacuum would have made them meanwhile."""
    environment = {"FERMATA_REPOSITORY": url}
    bench.fermata("run", JOBS / "empty.xml", "-p", "to=1", environment=environment)
    different = {**DIFFERENT, "job_instance": {**DIFFERENT["job_instance"], "uuid": "gen_random_uuid()::text"}}
    copies = [copy_on_postgres(url, table, columns, count) for table, columns in different.items()]
    copies += [copy_on_postgres(url, "step_execution", {"id": f"n * {STEPS} + {step}", "execution_id": "n"}, count)
               for step in range(STEPS)]
    copies += [f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
               for table in ("job_instance", "job_execution", "step_execution", "event")]
    execute(url, "; ".join(copies), timeout=LONG)
    execute(url, "VACUUM ANALYZE", timeout=LONG)
    bench.fermata("run", JOBS / "fail.xml", exit_code=1, environment=environment)


def copy_on_postgres(url, table, different, count):
    columns = [name for (name,) in rows(url, "SELECT column_name FROM information_schema.columns WHERE "
                                             f"table_name = '{table}' ORDER BY ordinal_position")]
    values = ", ".join(different.get(column, f"one.{column}") for column in columns)
    key = next(iter(different))
    return (f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} "
            f"FROM (SELECT * FROM {table} ORDER BY {key} LIMIT 1) AS one, generate_series(2, {count + 1}) AS n")
