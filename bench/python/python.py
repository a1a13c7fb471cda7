"""python.py [FILE] - the package mmf beside C and beside multiprocessing, in one run.

What is compared is measured in turn, in rounds; the figures are medians over the rounds, so
that other load affects all of them alike. The calls of C are made by the program c_calls,
which script/python builds.
"""
import asyncio
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing import shared_memory as standard

import numpy

import mmf
import mmf.shared_memory

ROUNDS = 15
figures = []


def report(title, unit, ways):
    """ways: name -> samples, one a round; the first is the one that others are compared to."""
    print(f"\n{title:<44}{unit:>14}{'times the first':>18}")
    first = statistics.median(next(iter(ways.values())))
    for name, samples in ways.items():
        median = statistics.median(samples)
        print(f"  {name:<42}{median:>14,.1f}{median / first:>18.2f}")
        figures.append({"name": f"{title}: {name}", "unit": unit, "value": median,
                        "ratio": median / first})


def compare(title, unit, ways):
    samples = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            samples[name].append(way())
    report(title, unit, samples)
    return {name: statistics.median(of) for name, of in samples.items()}


def goal(name, ratio, sense, limit):
    """As bench.c has them: of a figure that was reported, or of a new one."""
    figure = next((one for one in figures if one["name"] == name), None)
    if figure is None:
        figure = {"name": name, "unit": "ns", "value": ratio, "ratio": 0}
        figures.append(figure)
    figure["goal"] = limit
    figure["met"] = ratio <= limit if sense == "at most" else ratio >= limit
    print(f"  {name + ':':<60}{ratio:>8.2f}, {sense} {limit}: "
          f"{'met' if figure['met'] else 'NOT met'}")


def nanoseconds(run, times, clock=time.thread_time_ns):
    """Of this thread's processor time, so that a busy machine changes little."""
    def measured():
        start = clock()
        run(times)
        return (clock() - start) / times
    return measured


#
# A queue within one thread.
#


def send_and_receive():
    jobs = mmf.Queue("Jobs", 64, 64, mmf.Overflow.BLOCK)
    data = b"x" * 64

    def python(times):
        send, receive = jobs.send, jobs.receive
        for _ in range(times):
            send(data)
            receive()

    def in_c():
        c.stdin.write("\n")
        c.stdin.flush()
        return float(c.stdout.readline())
    c = subprocess.Popen([sys.argv[2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         text=True)
    medians = compare("send + receive, 64 bytes", "ns", {
        "C": in_c, "Python": nanoseconds(python, 20000)})
    goal("send + receive, 64 bytes: ns that Python has beyond C",
         medians["Python"] - medians["C"], "at most", 120)
    c.stdin.close()
    c.wait()


#
# Blocks: create, attach, close. By the clock: the resource tracker works, too.
#


def blocks():
    held = mmf.shared_memory.SharedMemory(create=True, size=65536)
    other = standard.SharedMemory(create=True, size=65536)

    def attach(kind, name):
        def run(times):
            for _ in range(times):
                kind(name).close()
        return nanoseconds(run, 300, time.perf_counter_ns)

    def create(kind):
        def run(times):
            for _ in range(times):
                block = kind(create=True, size=65536)
                block.close()
                block.unlink()
        return nanoseconds(run, 100, time.perf_counter_ns)
    medians = compare("attach + close", "ns", {
        "multiprocessing.shared_memory": attach(standard.SharedMemory, other.name),
        "mmf.shared_memory": attach(mmf.shared_memory.SharedMemory, held.name)})
    goal("attach + close: mmf.shared_memory",
         medians["mmf.shared_memory"] / medians["multiprocessing.shared_memory"],
         "at most", 1)
    compare("create + close", "ns", {
        "multiprocessing.shared_memory": create(standard.SharedMemory),
        "mmf.shared_memory": create(mmf.shared_memory.SharedMemory)})
    held.close()
    other.close()
    other.unlink()


def arrays():
    private = numpy.zeros(1 << 20)
    shared = numpy.frombuffer(mmf.Map("Array", 8 << 20), dtype=numpy.float64)
    shared[:] = 0

    def add(array):
        def run(times):
            for _ in range(times):
                array.__iadd__(1.0)
        return nanoseconds(run, 5)
    medians = compare("numpy: add to 1,048,576 doubles", "ns", {
        "an array of the process": add(private), "an array on a map": add(shared)})
    goal("numpy: add to 1,048,576 doubles: an array on a map",
         medians["an array on a map"] / medians["an array of the process"], "at most", 1.05)


#
# There and back between two processes, from an event loop.
#


def echo_queue():
    there = mmf.Queue.open_existing("There", role=mmf.Role.RECEIVE)
    back = mmf.Queue.open_existing("Back", role=mmf.Role.SEND)
    while (data := there.receive()) != b"end":
        back.send(data)


def echo_service():
    with mmf.Service.open_existing("Sums", role=mmf.Role.SERVER) as sums:
        for request in sums:
            data = bytes(request)
            request.answer(data)
            if data == b"end":
                break


def echo_pipe(pipe):
    while (data := pipe.recv_bytes()) != b"end":
        pipe.send_bytes(data)


def echo_mp_queue(there, back):
    while (data := there.get()) != b"end":
        back.put(data)


def round_trips():
    context = multiprocessing.get_context("fork")
    there, back = (mmf.Queue(name, 64, 64, mmf.Overflow.BLOCK) for name in ("There", "Back"))
    ours, theirs = context.Pipe()
    to, fro = context.Queue(), context.Queue()
    sums = mmf.Service("Sums", 64, 64, 4, role=mmf.Role.CLIENT)
    partners = [context.Process(target=echo_queue), context.Process(target=echo_service),
                context.Process(target=echo_pipe, args=(theirs,)),
                context.Process(target=echo_mp_queue, args=(to, fro))]
    for partner in partners:
        partner.start()
    data, times = b"x" * 64, 300

    def over_queue():
        start = time.perf_counter_ns()
        for _ in range(times):
            there.send(data)
            back.receive()
        return (time.perf_counter_ns() - start) / times / 1000

    async def loop(send, receive):
        start = time.perf_counter_ns()
        for _ in range(times):
            send()
            await receive()
        return (time.perf_counter_ns() - start) / times / 1000

    def over_asyncio():
        return asyncio.run(loop(lambda: there.send(data), back.receive_async))

    def over_pipe():
        async def receive():  # as one awaits a Pipe: its descriptor in the loop
            readable = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().add_reader(ours.fileno(), readable.set_result, None)
            await readable
            asyncio.get_running_loop().remove_reader(ours.fileno())
            return ours.recv_bytes()
        return asyncio.run(loop(lambda: ours.send_bytes(data), receive))

    def over_mp_queue():
        async def receive():  # it has no descriptor: a thread waits
            return await asyncio.to_thread(fro.get)
        return asyncio.run(loop(lambda: to.put(data), receive))
    def over_service():
        async def ask():
            start = time.perf_counter_ns()
            for _ in range(times):
                await sums.call_async(data)
            return (time.perf_counter_ns() - start) / times / 1000
        return asyncio.run(ask())
    title = "there and back, 64 bytes, two processes"
    medians = compare(title, "us", {
        "mmf.Queue, asyncio": over_asyncio, "multiprocessing.Pipe, asyncio": over_pipe,
        "multiprocessing.Queue, asyncio": over_mp_queue,
        "mmf.Queue, blocking": over_queue, "mmf.Service, asyncio": over_service})
    for other, limit in (("Pipe", 5), ("Queue", 20)):
        name = f"multiprocessing.{other}, asyncio"
        goal(f"{title}: {name}", medians[name] / medians["mmf.Queue, asyncio"], "at least",
             limit)
    sums.call(b"end")
    there.send(b"end")
    ours.send_bytes(b"end")
    to.put(b"end")
    for partner in partners:
        partner.join()


def main():
    os.environ["MMF_DIR"] = tempfile.mkdtemp(prefix="mmf-bench-", dir="/dev/shm")
    try:
        print(f"python: mmf {mmf.__version__}, Python {sys.version.split()[0]}, "
              f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; medians of "
              f"{ROUNDS} rounds")
        for measure in (send_and_receive, blocks, arrays, round_trips):
            measure()
    finally:
        shutil.rmtree(os.environ["MMF_DIR"])
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(figures, file, indent=1)
    print(f"\n{len(figures)} figures in {sys.argv[1]}")


if __name__ == "__main__":
    main()
