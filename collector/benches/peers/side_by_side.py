"""The same requests to gilbreth and to the OpenTelemetry Arrow dataflow engine, by the load program.

    cargo build --release -p gilbreth --bins
    cargo build --release -p gilbreth -p gilbreth-collector --bench load
    cargo build --release --manifest-path collector/benches/peers/otel-arrow/Cargo.toml --target-dir target/otel-arrow
    python3 collector/benches/peers/side_by_side.py --input FOLDER

FOLDER is what `gilbreth simulate --out` wrote. Each server has one CPU and the sender another, unless --not-pinned is
given. Runs take turns. What is printed is the median of the runs, and the least and the most.

Two classes, which are not to be compared with each other:
  synced    gilbreth syncs its log to the disk before each acknowledgement. The engine's durable buffer acknowledges when a
            request is written to its log, and syncs that some time later: what it acknowledged in between is lost with the
            power.
  unsynced  the engine without its buffer acknowledges what it has in memory.
"""

import argparse
import glob
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SERVERS = {
    "gilbreth": "synced",
    "engine, durable buffer": "synced, but not before each acknowledgement",
    "engine, no buffer": "unsynced",
}
COLUMNS = [
    ("CPU s/million", "cpu_s_per_million", 2),
    ("until sent", "cpu_s_per_million_sent", 2),
    ("spans/s", "spans_per_s", 0),
    ("p50 ms", "ack_p50_ms", 1),
    ("p99 ms", "ack_p99_ms", 1),
    ("peak MiB", "peak_mib", 0),
    ("bytes/span", "disk_bytes_per_span", 1),
    ("in tables", "landed_share", 3),
]


def newest_load(target):
    """Cargo names benchmarks by a hash: the newest is what was built last."""
    built = [path for path in glob.glob(os.path.join(target, "release", "deps", "load-*")) if os.access(path, os.X_OK)]
    return max(built, key=os.path.getmtime, default=None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(given, files, server, protocol, scratch):
    """One run of the load program; what it measured."""
    transport, _, packed = protocol.partition("+")
    command = [given.load, "--json", "--dir", scratch, "--protocol", transport, "--spans", str(given.spans)]
    command += ["--batch", str(given.batch), "--connections", str(given.connections)]
    command += ["--gzip"] if packed else []
    command += ["--rate", str(given.rate)] if given.rate else []
    if not given.not_pinned:
        command = ["taskset", "--cpu-list", "1", *command, "--server-cpus", "0"]
    data = os.path.join(scratch, "engine")
    if server == "gilbreth":
        command += ["--server", given.gilbreth]
    else:
        os.mkdir(data)
        http, grpc = (f"127.0.0.1:{free_port()}" for _ in range(2))
        variant = "buffered" if server == "engine, durable buffer" else "unbuffered"
        command += ["--endpoint", f"http://{http if transport == 'http' else grpc}", "--data", data]
        command += ["--run", f"{given.engine} {http} {grpc} {data} {variant}"]
    try:
        ended = subprocess.run([*command, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    if ended.returncode != 0:
        sys.exit(f"{server}, {protocol}: the load program failed\n{ended.stderr[-4000:]}")
    measured = json.loads(ended.stdout.strip().splitlines()[-1])
    rows = measured.get("rows", measured.get("rows.parquet/spans", 0))
    measured["landed_share"] = rows / max(measured["acknowledged_spans"], 1)
    return measured


def spread(values, digits):
    """The median, and between what it lies."""
    least, middle, most = min(values), statistics.median(values), max(values)
    return f"{middle:,.{digits}f} ({least:,.{digits}f}–{most:,.{digits}f})"


def table(protocol, runs):
    rows = [["", *(label for label, _, _ in COLUMNS)]]
    for server, measured in runs.items():
        row = [server]
        for _, name, digits in COLUMNS:
            values = [one[name] for one in measured if one.get(name) is not None]
            row.append(spread(values, digits) if values else "not known")
        rows.append(row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    print(f"\n{protocol}")
    print(lines[0])
    for server, line in zip(runs, lines[1:]):
        print(f"{line}\n    [{SERVERS[server]}]")
    every = [one for measured in runs.values() for one in measured]
    syncs = [one["fdatasync_p99_ms"] for one in every]
    others = [one["others_cpu_s"] / one["seconds"] for one in every if "others_cpu_s" in one]
    print(f"fdatasync p99 {spread(syncs, 2)} ms; other work on the machine took {spread(others, 2)} CPUs meanwhile", flush=True)


def arguments():
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, help="folder of .pb files, read in the order of their names")
    parser.add_argument("--gilbreth", default=os.path.join(target, "release", "gilbreth"))
    parser.add_argument("--load", default=newest_load(target), help="the load program; by default the newest that is built")
    parser.add_argument("--engine", default=os.path.join(target, "otel-arrow", "release", "otel-arrow-peer"))
    parser.add_argument("--dir", default=target, help="where stores go: the disk to measure on")
    parser.add_argument("--protocols", nargs="+", default=["http", "http+gzip", "grpc"])
    parser.add_argument("--servers", nargs="+", default=list(SERVERS), choices=list(SERVERS))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--spans", type=int, default=2_000_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--connections", type=int, default=6)
    parser.add_argument("--rate", type=float, help="spans a second, instead of as many as are taken")
    parser.add_argument("--not-pinned", action="store_true", help="let servers and sender share all CPUs")
    parser.add_argument("--json", help="a file for what every run measured")
    given = parser.parse_args()
    if given.load is None:
        parser.error("the load program is not built: see above")
    return given


def main():
    given = arguments()
    files = sorted(glob.glob(os.path.join(given.input, "*.pb")))
    if not files:
        sys.exit(f"there is no .pb file in {given.input}")
    place = "all CPUs shared" if given.not_pinned else "each server on CPU 0, the sender on CPU 1"
    print(f"{given.spans:,} spans in requests of {given.batch:,} on {given.connections} connections; {place}; {given.runs} runs each, in turn: median (least–most)")
    everything = []
    with tempfile.TemporaryDirectory(dir=given.dir, prefix="side-by-side-") as scratch:
        for protocol in given.protocols:
            runs = {server: [] for server in given.servers}
            for number in range(given.runs):
                for server in given.servers:
                    measured = run(given, files, server, protocol, scratch)
                    runs[server].append(measured)
                    everything.append({"server": server, "run": number, **measured})
            table(protocol, runs)
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(everything, file, indent=1)


if __name__ == "__main__":
    main()
