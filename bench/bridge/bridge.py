#!/usr/bin/env python3
"""bridge.py BRIDGE PEER MMF OUT - measure mmf-bridge beside the client library of NATS, over
the same server in the same run, one after the other in each round; medians of the rounds.

Two bridges and a server on this machine. OUT is a file of JSON. Nothing is asserted.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BRIDGE, PEER, MMF, OUT = (os.path.abspath(path) for path in sys.argv[1:5])
ROUNDS = int(os.environ.get("MMF_BENCH_ROUNDS", "5"))
COUNTS = {64: 300000, 1024: 60000}
BATCH = 1000 << 10  # bytes of the largest messages that the bridge makes

processes = []
directory = tempfile.mkdtemp(prefix="mmf-bench-bridge-")
namespace = tempfile.mkdtemp(prefix="mmf-bench-", dir="/dev/shm")
os.environ["MMF_DIR"] = namespace


def start(line, *command):
    """A program that has said LINE."""
    log = open(os.path.join(directory, "log%d" % len(processes)), "w+", encoding="utf-8")
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    processes.append(process)
    end = time.monotonic() + 60
    while line not in open(log.name, encoding="utf-8").read():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit("bench: %s:\n%s" % (command[0], open(log.name, encoding="utf-8").read()))
        time.sleep(0.02)
    return process


def peer(*arguments):
    done = subprocess.run([PEER, *map(str, arguments)], capture_output=True, text=True,
                          timeout=600)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return [float(word) for word in done.stdout.split()]


def start_server():
    start("Server is ready", "nats-server", "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir",
          directory, "-js", "-sd", os.path.join(directory, "store"))
    while True:
        for name in os.listdir(directory):
            if name.endswith(".ports") and os.path.getsize(os.path.join(directory, name)):
                with open(os.path.join(directory, name), encoding="utf-8") as file:
                    return json.load(file)["nats"][0]
        time.sleep(0.02)


def start_bridges(url):
    for origin, section in (("a", "[queue Out]\nremote = Jobs\ndirection = out\n"),
                            ("b", "[queue In]\nremote = Jobs\ndirection = in\nfrom = a\n")):
        path = os.path.join(directory, origin)
        with open(path, "w", encoding="utf-8") as file:
            file.write("[bridge]\norigin = %s\n[server]\nserver = %s\n%smessage-size = 1K\n"
                       "capacity = 8192\nspsc = yes\n" % (origin, url, section))
        start(" ready: ", BRIDGE, path)


def processor_seconds():
    total = 0
    for process in processes[-2:]:
        with open("/proc/%d/stat" % process.pid, encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def measure_round(url):
    figures = {}
    for size, count in COUNTS.items():
        figures["queue to queue, %d B (1/s)" % size] = count / peer(
            "flood", "Out", "In", count, size)[0]
        figures["client, one at a time, %d B (1/s)" % size] = 2000 / peer(
            "sync", url, 2000, size)[0]
        figures["client, many under way, %d B (1/s)" % size] = count / 4 / peer(
            "async", url, count // 4, size)[0]
    figures["client, batches published, 1024 B (1/s)"] = 60 * (BATCH // 1024) / peer(
        "sync", url, 60, BATCH)[0]
    figures["client, batches published and received, 1024 B (1/s)"] = 60 * (
        BATCH // 1024) / peer("across", url, 60, BATCH)[0]
    p50, p99 = peer("echo", "Out", "In", 2000, 64)
    figures["queue to queue, latency p50 (us)"], figures["queue to queue, latency p99 (us)"] = p50, p99
    p50, p99 = peer("hop", url, 2000, 64)
    figures["core NATS one way, latency p50 (us)"], figures["core NATS one way, latency p99 (us)"] = p50, p99
    return figures


def measure():
    url = start_server()
    start_bridges(url)
    rounds = [measure_round(url) for _ in range(ROUNDS)]
    before = processor_seconds()
    time.sleep(10)
    figures = {name: statistics.median(figures[name] for figures in rounds) for name in rounds[0]}
    figures["two idle bridges, processor time (%)"] = 10 * (processor_seconds() - before)
    return figures


def ratios(figures):
    return {
        "64 B, queue to queue : client, one at a time (goal 2)":
            figures["queue to queue, 64 B (1/s)"] / figures["client, one at a time, 64 B (1/s)"],
        "64 B, queue to queue : client, many under way":
            figures["queue to queue, 64 B (1/s)"] / figures["client, many under way, 64 B (1/s)"],
        "64 B, queue to queue (goal 150,000 1/s)": figures["queue to queue, 64 B (1/s)"],
        "1 KiB, queue to queue : client's batches, received (goal 0.8)":
            figures["queue to queue, 1024 B (1/s)"]
            / figures["client, batches published and received, 1024 B (1/s)"],
        "latency, queue to queue : core NATS one way (goal at most 4)":
            figures["queue to queue, latency p50 (us)"]
            / figures["core NATS one way, latency p50 (us)"]}


def main():
    try:
        figures = measure()
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()
        shutil.rmtree(directory, ignore_errors=True)
        shutil.rmtree(namespace, ignore_errors=True)
    found = ratios(figures)
    for name, value in [*figures.items(), *found.items()]:
        print("%-66s %12.*f" % (name, 2 if value < 100 else 0, value))
    with open(OUT, "w", encoding="utf-8") as file:
        json.dump({"figures": figures, "ratios": found, "rounds": ROUNDS}, file, indent=1)


if __name__ == "__main__":
    main()
