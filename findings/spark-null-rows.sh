#!/bin/sh
# Spark writes no line for a null of a DataFrame with one column, so the CSV has fewer records.
#
# Of two columns or more, a record of nulls is a line of separators. Of one column it would be a
# blank line, which Spark leaves out, silently: the file has fewer records than the DataFrame. With
# `nullValue` set to a text, all are written.
#
# Seen on 2026-11-28 with pyspark 4.3.0 from PyPI, Python 3.11, OpenJDK 17.0.15. The numbers of
# records in DataFrames of three, one of which is null, and in what they were written to:
#
#     one column                   3, written 2
#     two columns                  3, written 3
#     one column, nullValue='NULL' 3, written 3
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pyspark==4.3.0
cat > write.py <<'PY'
import glob

from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()


def written(name, frame, **options):
    frame.coalesce(1).write.options(**options).csv(name)
    lines = sum(len(open(part).readlines()) for part in glob.glob(f"{name}/part-*.csv"))
    print(f"{name}: {frame.count()}, written {lines}")


one = spark.createDataFrame([("a",), (None,), ("b",)], "value string")
two = spark.createDataFrame([("a", "a"), (None, None), ("b", "b")], "first string, second string")
written("one", one)
written("two", two)
written("named", one, nullValue="NULL")
PY
venv/bin/python write.py 2> log > seen || { cat log >&2; exit 1; }
diff - seen <<'SEEN'
one: 3, written 2
two: 3, written 3
named: 3, written 3
SEEN
echo "as described"
