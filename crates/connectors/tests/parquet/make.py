"""Writes the Parquet files beside it, as the programs that people export with write them. They are kept because these programs are
large; to write them again:

    python3 -m venv venv && venv/bin/pip install pyarrow==26.0.1 polars==2.1.0 pandas==3.1.1 fastparquet==2026.9.0
    venv/bin/python make.py

What the rows say stands in the tests as JSON, written by hand.
"""

import base64
import datetime as dt
import decimal
import pathlib
import uuid

import fastparquet
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

HERE = pathlib.Path(__file__).parent
UTC = dt.timezone.utc
D = decimal.Decimal


def path(name):
    return str(HERE / f"{name}.parquet")


# Three rows: everything is there; what can be missing is missing; what is at an edge.
ROWS = pa.table(
    {
        "id": pa.array([1, 2, -9223372036854775808], pa.int64()),
        "key": pa.array(["A-1", "A-2", "Ä-3"], pa.string()),
        "summary": pa.array(['pump; "big"\n\\', None, ""], pa.string()),
        "created": pa.array(
            [dt.datetime(2026, 3, 4, 9, 0, tzinfo=UTC), None, dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)],
            pa.timestamp("us", "UTC"),
        ),
        "local": pa.array(
            [dt.datetime(2026, 3, 4, 10, 0, 0, 500000), None, dt.datetime(1, 1, 1)], pa.timestamp("ms")
        ),
        "day": pa.array([dt.date(2026, 3, 31), None, dt.date(9999, 12, 31)], pa.date32()),
        "cost": pa.array([D("12.30"), None, D("-0.05")], pa.decimal128(10, 2)),
        "huge": pa.array([D("99999999999999999999999999999999999999"), None, D("-1")], pa.decimal128(38, 0)),
        "live": pa.array([True, None, False], pa.bool_()),
        "count": pa.array([4294967295, None, 0], pa.uint32()),
        "many": pa.array([18446744073709551615, None, 0], pa.uint64()),
        "status": pa.array(["open", None, "open"], pa.dictionary(pa.int8(), pa.string())),
        "fields": pa.array([{"who": {"name": "ann"}}, {"who": None}, None]),
        "nothing": pa.nulls(3),
    }
)
for codec in ["none", "snappy", "gzip", "zstd", "lz4"]:
    pq.write_table(ROWS, path(f"pyarrow-{codec}"), compression=codec, write_page_checksum=True)
# Other encodings, pages of the second version, two row groups.
pq.write_table(
    ROWS,
    path("pyarrow-v2"),
    data_page_version="2.0",
    use_dictionary=False,
    row_group_size=2,
    column_encoding={
        "id": "DELTA_BINARY_PACKED",
        "key": "DELTA_BYTE_ARRAY",
        "summary": "DELTA_LENGTH_BYTE_ARRAY",
        "created": "BYTE_STREAM_SPLIT",
        "live": "RLE",
    },
)
pq.write_table(ROWS, path("pyarrow-brotli"), compression="brotli")

# What cannot be read, or only with a word more.
pq.write_table(
    pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "bytes": pa.array([b"a", b"\xff"], pa.binary()),
            "fixed": pa.array([b"ab", b"cd"], pa.binary(2)),
            "tags": pa.array([["a"], ["b", "c"]]),
            "time": pa.array([dt.time(10), dt.time(11)], pa.time64("us")),
            "ratio": pa.array([0.1, 2.0], pa.float64()),
            "whole": pa.array([17.0, None], pa.float64()),
            "small": pa.array([16777215.0, 16777216.0], pa.float32()),
            "large": pa.array([9007199254740991.0, 9007199254740992.0], pa.float64()),
            "nan": pa.array([float("nan"), float("inf")], pa.float64()),
            "wide": pa.array([D(10) ** 60, D(1)], pa.decimal256(70, 0)),
            "late": pa.array([253402300800, 0], pa.timestamp("s")),
            "nano": pa.array([1772614800123456789, None], pa.timestamp("ns", "UTC")),
        }
    ),
    path("pyarrow-other"),
)
# Two columns of one name; and a text that is none.
pq.write_table(pa.table([pa.array(["wrong", "right"]), pa.array([1, 2])], names=["x", "x"]), path("pyarrow-twice"))
plain = {"use_dictionary": False, "compression": "none", "write_statistics": False, "store_schema": False}
pq.write_table(pa.table({"id": [1, 2], "text": ["right", "wr\u00f6ng"]}), path("pyarrow-text"), **plain)
text = pathlib.Path(path("pyarrow-text"))
assert text.read_bytes().count("wr\u00f6ng".encode()) == 1
text.write_bytes(text.read_bytes().replace("wr\u00f6ng".encode(), b"wr\xff\xfeng"))
# Timestamps as Spark and Hive wrote them for years: 12 bytes. 4 March 2026 at 9:00 and a nanosecond; before 1970.
pq.write_table(
    pa.table({"id": [1, 2, 3], "at": pa.array([1772614800000000001, None, -1], pa.timestamp("ns"))}),
    path("pyarrow-int96"),
    use_deprecated_int96_timestamps=True,
)
pq.write_table(ROWS.slice(0, 0), path("pyarrow-empty"))
# More rows than are decoded at once, than a part holds, and than a row group; every third unknown.
pq.write_table(
    pa.table({"id": list(range(45_001)), "of": [None if n % 3 == 0 else f"v{n % 700}" for n in range(45_001)]}),
    path("pyarrow-long"),
    row_group_size=30_000,
    compression="zstd",
    use_dictionary=["of"],
    column_encoding={"id": "DELTA_BINARY_PACKED"},
)

# pandas: a column of whole numbers with one unknown becomes one of fractions; times without a zone.
frame = pd.DataFrame(
    {
        "Id": [1, 2],
        "Points": [3, None],
        "Created": pd.to_datetime(["2026-03-04 10:00:00", None]),
        "Summary": ["oil", None],
    }
)
frame.to_parquet(path("pandas"))
fastparquet.write(path("fastparquet"), frame, compression="GZIP")
# polars: zstd, and its own writer.
pl.DataFrame(
    {
        "id": [1, 2, -(2**63)],
        "key": ["A-1", "A-2", "Ä-3"],
        "created": [dt.datetime(2026, 3, 4, 9, 0, tzinfo=UTC), None, dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)],
        "day": [dt.date(2026, 3, 31), None, dt.date(9999, 12, 31)],
        "cost": [D("12.30"), None, D("-0.05")],
        "live": [True, None, False],
        "fields": [{"who": "ann"}, {"who": None}, None],
    },
    schema_overrides={"cost": pl.Decimal(10, 2)},
).write_parquet(path("polars"))
# A few kilobytes that unpack to many megabytes: as they say, and, once a test has changed what they say, as they do not.
for codec, size in [("zstd", 200_000_000), ("gzip", 20_000_000)]:
    bomb = pa.table({"id": ["a" * size]})
    pq.write_table(bomb, path(f"pyarrow-bomb-{codec}"), compression=codec, use_dictionary=False, write_statistics=False)
# Rows that cost nothing in a file, and memory when their keys are told apart.
rows = pa.table({"id": pa.array(range(6_000_000))})
plain |= {"compression": "zstd", "column_encoding": {"id": "DELTA_BINARY_PACKED"}, "data_page_size": 1 << 30}
pq.write_table(rows, path("pyarrow-many"), row_group_size=6_000_000, **plain)


class Kms(pe.KmsClient):
    """Keeps nothing: the key of the file is wrapped by base64."""

    def __init__(self, config):
        super().__init__()

    def wrap_key(self, key_bytes, master_key_identifier):
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key, master_key_identifier):
        return base64.b64decode(wrapped_key)


# Encrypted: as a whole, and only the values of a column under a footer that all can read.
for name, plain in [("encrypted", False), ("encrypted-values", True)]:
    config = pe.EncryptionConfiguration(footer_key="f", column_keys={"c": ["key"]}, plaintext_footer=plain)
    properties = pe.CryptoFactory(Kms).file_encryption_properties(pe.KmsConnectionConfig(), config)
    two = ROWS.select(["id", "key"])
    with pq.ParquetWriter(path(f"pyarrow-{name}"), two.schema, encryption_properties=properties) as writer:
        writer.write_table(two)
