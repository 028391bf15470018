#!/usr/bin/env bash
# Coverage of the 95 % interval of the headline, end to end: simulates an estate for each of many seeds, sends it through
# the collector, makes the facts, and asks how often the interval holds the mean of the generator (estimated by the mean
# of what really happened in all of them; its own error is printed).
#
#   bash tests/long/coverage.sh gilbreth [seeds [staff [weeks [scenario]]]]
set -euo pipefail
gilbreth=$1 seeds=${2:-50} staff=${3:-60} weeks=${4:-2} scenario=${5:-clean}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for seed in $(seq 1 "$seeds"); do
  "$gilbreth" simulate --staff "$staff" --weeks "$weeks" --seed "$seed" --scenario "$scenario" \
    --out "$work/otlp" --truth "$work/truth" 2> /dev/null
  "$gilbreth" ingest --store "$work/store" "$work"/otlp/* 2> /dev/null
  "$gilbreth" refresh --store "$work/store" 2> /dev/null
  "$gilbreth" score --store "$work/store" --truth "$work/truth" --format json > "$work/score.json" || true
  python3 - "$work/score.json" <<'PY' | tee -a "$work/all.csv"
import json, sys
rows = json.load(open(sys.argv[1]))["rows"]
(row,) = [row for row in rows if row["figure"] == "interval of lost hours per person-week"]
print(row["truth"], row["low"], row["high"], sep=",", flush=True)
PY
  rm -rf "$work/otlp" "$work/truth" "$work/store" "$work/store.key"
done
python3 - "$work/all.csv" <<'PY'
import sys
rows = [tuple(map(float, line.split(","))) for line in open(sys.argv[1])]
n = len(rows)
mean = sum(row[0] for row in rows) / n
error = (sum((row[0] - mean) ** 2 for row in rows) / (n - 1) / n) ** 0.5
held = sum(low <= mean <= high for _, low, high in rows)
own = sum(low <= truth <= high for truth, low, high in rows)
print(f"mean {mean:.4f} (standard error {error:.4f}); held in {held} of {n} seeds, {100 * held / n:.0f} %")
print(f"what happened in the seed itself: held in {own} of {n}")
PY
