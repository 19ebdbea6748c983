"""Re-performs queries over frozen tables with DuckDB, and computes row roots with nothing but hashlib.

Reads jobs from standard input, one JSON object to a line:
    {"folder": "...", "tables": ["change", ...], "sql": "...", "roots": true}
and answers each with one line:
    {"rows": [[...], ...], "roots": {"change": "hex", ...}}
or  {"error": "..."}
With "measure": true it answers with what the run cost instead.
"""

import hashlib
import json
import resource
import sys
import time

import duckdb


def value(v):
    if v is None:
        return b"\x00"
    if isinstance(v, int):
        return b"\x01" + v.to_bytes(8, "big", signed=True)
    encoded = v.encode()
    return b"\x02" + len(encoded).to_bytes(4, "big") + encoded


def root(leaves):
    """RFC 6962, section 2.1."""
    hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]

    def over(low, high):
        if high - low == 1:
            return hashes[low]
        split = 1
        while split * 2 < high - low:
            split *= 2
        return hashlib.sha256(b"\x01" + over(low, low + split) + over(low + split, high)).digest()

    return over(0, len(hashes)).hex()


def row_root(connection, table):
    found = connection.execute(f"SELECT * FROM {table}_row ORDER BY id, known_from, place")
    columns = [d[0] for d in found.description]
    head = b"".join(value(t) for t in ["tickmark rows 1", table, *columns])
    return root([head] + [b"".join(value(v) for v in row) for row in found.fetchall()])


def measured(connection, sql):
    """Runs a query into a table of its own: fetching rows into Python would cost more than the query."""
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    connection.execute(f"CREATE TEMP TABLE result AS {sql}")
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - begun
    words = [c[0] for c in connection.execute("DESCRIBE result").fetchall() if len(c[0]) == 1]
    counts = ", ".join(["count(*)", *(f"count(*) FILTER ({word} = 'pass')" for word in words)])
    rows, *passes = connection.execute(f"SELECT {counts} FROM result").fetchone()
    return {
        "rows": rows,
        "passes": sum(passes),
        "seconds": seconds,
        "processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mib": after.ru_maxrss // 1024,
    }


# For answers about few rows, one engine with one thread: starting one costs more than the questions. Nothing is cached
# between them, for the files change under their names.
ENGINE = duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})


def opened(job, kept={}):
    """A connection over the frozen tables of a folder; `kept` remembers the last one."""
    key = (job["folder"], *job["tables"])
    if job.get("again") and key in kept:
        return kept[key]
    connection = duckdb.connect(config={"threads": 2}) if job.get("measure") else ENGINE.cursor()
    for table in job["tables"]:
        path = f"{job['folder']}/{table}_row.parquet".replace("'", "''")
        connection.execute(f"CREATE TEMP VIEW {table}_row AS SELECT * FROM read_parquet('{path}')")
    kept.clear()
    kept[key] = connection
    return connection


def answer(job):
    connection = opened(job)
    if job.get("measure"):
        return measured(connection, job["sql"])
    rows = [list(row) for row in connection.execute(job["sql"]).fetchall()]
    roots = {table: row_root(connection, table) for table in job["tables"]} if job["roots"] else {}
    return {"rows": rows, "roots": roots}


def main():
    for line in sys.stdin:
        try:
            result = answer(json.loads(line))
        except Exception as error:  # one job that fails says so, the others go on
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
