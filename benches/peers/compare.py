"""The two questions of docs/benchmarks.md, asked of DuckDB, chDB and gilbreth over the same Parquet files.

    python3 -m venv peers && peers/bin/pip install duckdb chdb deltalake
    peers/bin/python benches/peers/compare.py --store STORE --gilbreth target/release/gilbreth

Two threads each. A peer's time is that of its best query alone, in a process that is warm: its library is loaded, its
connection open, the files in the cache of the system. Ours is that of the whole program, from its start to its end:
reading the log of the table, opening a session and writing the rows. Beside it stands what is left without starting, as
peers are timed: less what the same program takes for `SELECT 1`. Exit code 1 where the three do not answer alike.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import chdb
import chdb.session
import duckdb
from deltalake import DeltaTable

LOOK_BACK_US = 90 * 86_400 * 1_000_000
IDLE_US = 60 * 1_000_000
DAY_US = 86_400 * 1_000_000

# Where a value was held first: analytics/sql/questions/first_sources.sql says what is asked.
DUCKDB_HOLDERS = """
    SELECT case_refs[1] AS c, value_digest AS d, system,
        CASE WHEN kind = 'view' OR origin IN ('prefilled', 'autofilled') THEN epoch_us(started_at)
            ELSE epoch_us(ended_at) END AS from_us,
        CASE WHEN kind <> 'view' AND trigger = 'user' AND worker IS NOT NULL
            AND (origin IS NULL OR origin IN ('typed', 'pasted', 'selected')) THEN epoch_us(started_at) END AS target_us
    FROM read_parquet('{files}')
    WHERE kind IN ('entry', 'choice', 'view') AND case_refs[1] IS NOT NULL
        AND value_digest IS NOT NULL AND system IS NOT NULL
"""
DUCKDB_FIRST_SOURCES = {
    "join and aggregate": """
        WITH holders AS MATERIALIZED (SELECT *, row_number() OVER () AS n FROM ({holders})),
        firsts AS (
            SELECT any_value(t.system) AS to_system, any_value(t.target_us) AS target_us,
                min(struct_pack(f := s.from_us, s := s.system)) AS m
            FROM holders t JOIN holders s ON t.c = s.c AND t.d = s.d
            WHERE t.target_us IS NOT NULL AND s.system <> t.system
                AND s.from_us <= t.target_us AND s.from_us >= t.target_us - {look_back}
            GROUP BY t.n)
        SELECT m.s, to_system, count(*), CAST(sum((target_us - m.f) // 1000000) AS BIGINT) FROM firsts GROUP BY ALL
    """,
    "lists by key": """
        WITH held AS (
            SELECT list(struct_pack(f := from_us, s := system, t := target_us)) AS l FROM ({holders})
            GROUP BY c, d HAVING min(system) <> max(system) AND count(target_us) > 0),
        targets AS (SELECT l, unnest(l) AS t FROM held),
        firsts AS (
            SELECT t, list_min(list_filter(l, lambda x: x.s <> t.s AND x.f <= t.t AND x.f >= t.t - {look_back})) AS m
            FROM targets WHERE t.t IS NOT NULL)
        SELECT m.s, t.s, count(*), CAST(sum((t.t - m.f) // 1000000) AS BIGINT)
        FROM firsts WHERE m IS NOT NULL GROUP BY ALL
    """,
    "window of lists": """
        WITH held AS (
            SELECT system, target_us, list(struct_pack(f := from_us, s := system)) OVER (PARTITION BY c, d) AS l
            FROM ({holders})),
        firsts AS (
            SELECT system AS s, target_us AS t, list_min(list_filter(l, lambda x:
                x.s <> system AND x.f <= target_us AND x.f >= target_us - {look_back})) AS m
            FROM held WHERE target_us IS NOT NULL)
        SELECT m.s, s, count(*), CAST(sum((t - m.f) // 1000000) AS BIGINT)
        FROM firsts WHERE m IS NOT NULL GROUP BY ALL
    """,
}
CHDB_HOLDERS = """
    SELECT case_refs[1] AS c, value_digest AS d, assumeNotNull(system) AS sys,
        kind = 'view' OR origin IN ('prefilled', 'autofilled') AS shown,
        toUnixTimestamp64Micro(assumeNotNull(started_at)) AS started_us,
        if(shown, started_us, toUnixTimestamp64Micro(assumeNotNull(ended_at))) AS from_us,
        if(kind != 'view' AND trigger = 'user' AND worker IS NOT NULL
            AND (origin IS NULL OR origin IN ('typed', 'pasted', 'selected')), started_us, -1) AS target_us
    FROM file('{files}', Parquet)
    WHERE kind IN ('entry', 'choice', 'view') AND length(case_refs) > 0 AND case_refs[1] IS NOT NULL
        AND value_digest IS NOT NULL AND system IS NOT NULL
"""
CHDB_FIRST_SOURCES = {
    "arrays by key": """
        WITH held AS (
            SELECT groupArray((from_us, sys, target_us)) AS l FROM ({holders})
            GROUP BY c, d HAVING min(sys) != max(sys) AND max(target_us) >= 0),
        targets AS (
            SELECT t.2 AS to_system, t.3 AS at,
                arrayMin(x -> if(x.2 != to_system AND x.1 <= at AND x.1 >= at - {look_back}, (x.1, x.2),
                    (9223372036854775807, '')), l) AS m
            FROM held ARRAY JOIN l AS t WHERE t.3 >= 0)
        SELECT m.2 AS s, to_system, count(), sum(intDiv(at - m.1, 1000000)) FROM targets WHERE m.2 != ''
        GROUP BY s, to_system
    """,
    "sorted arrays by key": """
        WITH held AS (
            SELECT arraySort(groupArray((from_us, sys, target_us))) AS l FROM ({holders})
            GROUP BY c, d HAVING min(sys) != max(sys) AND max(target_us) >= 0),
        targets AS (
            SELECT t.2 AS to_system, t.3 AS at,
                arrayFirstIndex(x -> x.2 != to_system AND x.1 >= at - {look_back}, l) AS place,
                l[place] AS m
            FROM held ARRAY JOIN l AS t WHERE t.3 >= 0)
        SELECT m.2 AS s, to_system, count(), sum(intDiv(at - m.1, 1000000)) FROM targets
        WHERE place > 0 AND m.1 <= at GROUP BY s, to_system
    """,
    "join and aggregate": """
        WITH holders AS ({holders}),
        firsts AS (
            SELECT any(t.sys) AS to_system, any(t.target_us) AS at, min((s.from_us, s.sys)) AS m
            FROM (SELECT *, rowNumberInAllBlocks() AS n FROM holders WHERE target_us >= 0) t
            JOIN holders s ON t.c = s.c AND t.d = s.d
            WHERE s.sys != t.sys AND s.from_us <= t.target_us AND s.from_us >= t.target_us - {look_back}
            GROUP BY t.n)
        SELECT m.2 AS s, to_system, count(), sum(intDiv(at - m.1, 1000000)) FROM firsts GROUP BY s, to_system
    """,
}

# Active time: analytics/sql/questions/active_time.sql says what is asked.
DUCKDB_ACTIVE_TIME = {
    "window": """
        WITH gaps AS (
            SELECT worker, day, s - lag(s) OVER (PARTITION BY worker, day ORDER BY s) AS gap
            FROM (SELECT worker, epoch_us(started_at) AS s, s // {day} AS day FROM read_parquet('{files}')
                WHERE kind IS NOT NULL AND worker IS NOT NULL))
        SELECT lower(hex(worker)), CAST(DATE '1970-01-01' + CAST(day AS INTEGER) AS VARCHAR), count(*),
            CAST(coalesce(sum(gap) FILTER (gap <= {idle}), 0) AS BIGINT)
        FROM gaps GROUP BY worker, day
    """,
    "sorted lists": """
        WITH days AS (
            SELECT worker, day, list_sort(list(s)) AS l
            FROM (SELECT worker, epoch_us(started_at) AS s, s // {day} AS day FROM read_parquet('{files}')
                WHERE kind IS NOT NULL AND worker IS NOT NULL)
            GROUP BY worker, day)
        SELECT lower(hex(worker)), CAST(DATE '1970-01-01' + CAST(day AS INTEGER) AS VARCHAR), len(l),
            CAST(coalesce(list_sum([g for g in [l[i + 1] - l[i] for i in range(1, len(l))] if g <= {idle}]), 0) AS BIGINT)
        FROM days
    """,
}
CHDB_ACTIVE_TIME = {
    "window": """
        WITH gaps AS (
            SELECT w, day, s, lagInFrame(s, 1, -1) OVER (PARTITION BY w, day ORDER BY s
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS p
            FROM (SELECT assumeNotNull(worker) AS w, toUnixTimestamp64Micro(assumeNotNull(started_at)) AS s,
                    intDiv(s, {day}) AS day
                FROM file('{files}', Parquet) WHERE kind IS NOT NULL AND worker IS NOT NULL))
        SELECT lower(hex(w)), toString(toDate(day)), count(), sumIf(s - p, p >= 0 AND s - p <= {idle})
        FROM gaps GROUP BY w, day
    """,
    "sorted arrays": """
        SELECT lower(hex(w)), toString(toDate(day)), length(l),
            arraySum(arrayFilter(g -> g <= {idle}, arrayPopFront(arrayDifference(l))))
        FROM (SELECT assumeNotNull(worker) AS w,
                intDiv(toUnixTimestamp64Micro(assumeNotNull(started_at)) AS s, {day}) AS day,
                arraySort(groupArray(s)) AS l
            FROM file('{files}', Parquet) WHERE kind IS NOT NULL AND worker IS NOT NULL GROUP BY w, day)
    """,
}


def duckdb_rows(connection, sql, limit_s):
    stop = threading.Timer(limit_s, connection.interrupt)
    stop.start()
    try:
        return connection.execute(sql).fetchall()
    finally:
        stop.cancel()


def chdb_rows(session, sql):
    return [tuple(row) for row in json.loads(str(session.query(sql, "JSONCompact")))["data"]]


def gilbreth_rows(program, store, sql):
    environment = dict(os.environ, TOKIO_WORKER_THREADS="2")
    asked = [program, "sql", "--store", store, "--format", "json", sql]
    done = subprocess.run(asked, env=environment, check=True, capture_output=True)
    return [tuple(row.values()) for row in json.loads(done.stdout)]


def alike(rows):
    """Rows as all engines give them: text by text, numbers by number, in one order."""
    return sorted((str(one), str(other), int(number), int(total)) for one, other, number, total in rows)


def processor_s():
    """Seconds that processors have worked for this process and for those it waited for."""
    return sum(os.times()[:4])


def timed(runs, ask):
    """The rows, the median of the seconds, and of those that processors worked; a first run does not count."""
    rows = ask()
    seconds, worked = [], []
    for _ in range(runs):
        begun, before = time.perf_counter(), processor_s()
        ask()
        seconds.append(time.perf_counter() - begun)
        worked.append(processor_s() - before)
    return rows, statistics.median(seconds), statistics.median(worked)


def best(forms, runs, ask):
    """The rows and the times of the quickest form. A form that takes far longer than another is run but once."""
    quickest = None
    for name, sql in forms.items():
        begun, before = time.perf_counter(), processor_s()
        try:
            rows = alike(ask(sql))
        except Exception as error:  # An engine that cannot run a form (memory or time, mostly) has others.
            print(f"      {name}: fails, {str(error).strip().splitlines()[0][:120]}", flush=True)
            continue
        seconds, worked = time.perf_counter() - begun, processor_s() - before
        if quickest is not None and rows != quickest[0]:
            sys.exit(f"{name} does not answer as the form before it")
        if quickest is None or seconds < 1.5 * quickest[1]:
            again, seconds, worked = timed(runs, lambda: ask(sql))
            if alike(again) != rows:
                sys.exit(f"{name} answers otherwise the second time")
        print(f"      {name}: {seconds:.2f} s, of processors {worked:.2f} s", flush=True)
        if quickest is None or seconds < quickest[1]:
            quickest = (rows, seconds, worked)
    if quickest is None:
        sys.exit("no form of the question runs")
    return quickest


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--store", required=True, help="a store; its table `spans` is read")
    arguments.add_argument("--gilbreth", required=True, help="the program")
    arguments.add_argument("--runs", type=int, default=3, help="counted runs of each, after one that is not")
    arguments.add_argument("--limit", type=int, default=300, help="seconds after which a form of a peer is given up")
    given = arguments.parse_args()

    folder = os.path.join(os.path.abspath(given.store), "spans")
    files = sorted(file.removeprefix("file://") for file in DeltaTable(folder).file_uris())
    print(f"{len(files)} files of {folder}; DuckDB {duckdb.__version__}, chDB {chdb.__version__}, two threads each")

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    session = chdb.session.Session()
    session.query("SET max_threads = 2")
    session.query(f"SET max_execution_time = {given.limit}")

    # Links to the files of the newest version, and to no others, so that both peers can name all of them by one pattern.
    links = tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(given.store)), prefix="compare-")
    for number, file in enumerate(files):
        os.link(file, os.path.join(links.name, f"{number:06}.parquet"))
    every = os.path.join(links.name, "*.parquet")
    bound = {"look_back": LOOK_BACK_US, "idle": IDLE_US, "day": DAY_US}
    failed = False
    _, *starting_s = timed(given.runs, lambda: gilbreth_rows(given.gilbreth, given.store, "SELECT 1"))
    print(f"gilbreth starts in {starting_s[0]:.2f} s, of processors {starting_s[1]:.2f} s")
    for table, duckdb_forms, chdb_forms in [
        ("first_sources", DUCKDB_FIRST_SOURCES, CHDB_FIRST_SOURCES),
        ("active_time", DUCKDB_ACTIVE_TIME, CHDB_ACTIVE_TIME),
    ]:
        print(table)

        def filled(forms, holders, names):
            holders = holders.format(files=names)
            return {name: sql.format(holders=holders, files=names, **bound) for name, sql in forms.items()}

        print("   DuckDB")
        duckdb_answer, *duckdb_s = best(
            filled(duckdb_forms, DUCKDB_HOLDERS, every), given.runs, lambda sql: duckdb_rows(connection, sql, given.limit))
        print("   chDB")
        chdb_answer, *chdb_s = best(
            filled(chdb_forms, CHDB_HOLDERS, every), given.runs, lambda sql: chdb_rows(session, sql))
        ours, *whole_s = timed(given.runs, lambda: gilbreth_rows(
            given.gilbreth, given.store, f"SELECT * FROM {table}"))
        ours = alike(ours)
        ours_s = [max(whole - starting, 0.01) for whole, starting in zip(whole_s, starting_s)]
        print(f"   gilbreth\n      the whole program: {whole_s[0]:.2f} s, of processors {whole_s[1]:.2f} s")
        print(f"      without starting: {ours_s[0]:.2f} s, of processors {ours_s[1]:.2f} s")
        numbers, totals = sum(row[2] for row in ours), sum(row[3] for row in ours)
        print(f"   {len(ours)} rows, third column {numbers}, fourth {totals}")
        for name, answer, peer_s in [("DuckDB", duckdb_answer, duckdb_s), ("chDB", chdb_answer, chdb_s)]:
            if answer != ours:
                failed = True
                print(f"   {name} and gilbreth do not answer alike: {sorted(set(answer) ^ set(ours))[:4]}")
            elapsed, worked = peer_s[0] / ours_s[0], peer_s[1] / ours_s[1]
            whole = peer_s[0] / whole_s[0]
            print(f"   {name} takes {elapsed:.2f} times as long ({whole:.2f} times the whole program), and {worked:.2f} "
                  "times the processors", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
