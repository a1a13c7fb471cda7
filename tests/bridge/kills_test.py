"""kills_test.py - every process between two queues is killed at random, again and again; then
every message is accounted for: none twice, none missing, in order.

MMF_TEST_LONG=1: 1,000 kills and 2 million messages over two servers. MMF_TEST_KILLS,
MMF_TEST_MESSAGES and MMF_TEST_SEED choose otherwise.
"""
import random
import threading

from cable import Cable, Impossible
from link import Link
from support import *

LONG = os.environ.get("MMF_TEST_LONG") == "1"
KILLS = int(os.environ.get("MMF_TEST_KILLS", "1000" if LONG else "40"))
MESSAGES = int(os.environ.get("MMF_TEST_MESSAGES", "2000000" if LONG else "150000"))
SEED = int(os.environ.get("MMF_TEST_SEED", random.randrange(1 << 30)))
VICTIMS = os.environ.get("MMF_TEST_VICTIMS")  # "in,out,server b": these alone
SIZE, PAUSE = 64, 0.5  # bytes; seconds between two kills, at most


class Run:
    """Processes by their names, each of which can be killed and started again."""

    def __init__(self, world, count, kills):
        self.world, self.count, self.kills = world, count, kills
        self.random = random.Random(SEED)
        self.starts, self.processes, self.times = {}, {}, {}
        self.account = os.path.join(world.directory, "account")
        self.faults, self.complaints = [], []

    def add(self, name, start, process=None):
        self.starts[name] = start
        self.processes[name] = process or start()

    def kill(self, name):
        """SIGKILL, and another one in its place."""
        self.times[name] = self.times.get(name, 0) + 1
        if isinstance(self.processes[name], (Link, Cable)):
            self.processes[name].cut()
            return
        process = self.processes[name]
        if not isinstance(process, Server) and not process.is_running():
            self.faults.append("%s ended by itself: %s\n%s" % (
                name, process.process.returncode, "\n".join(process.lines[-20:])))
        process.kill()
        self.note_complaints(process)
        self.processes[name] = self.starts[name]()

    def note_complaints(self, process):
        """A bridge says itself when the server has lost something."""
        if not isinstance(process, Server):
            self.complaints += [line for line in process.lines
                                if "are missing" in line or "gone back" in line]

    def report(self):
        return report(self.account, self.count)

    def kill_at_random(self):
        """While messages are on their way; answers when all kills are done. A mirror needs
        seconds to go on after a kill of a server, so servers and links are killed less
        often."""
        victims = VICTIMS.split(",") if VICTIMS else sorted(self.starts)
        weights = [1 if isinstance(self.processes[name], (Server, Link, Cable)) else
                   8 if LONG else 3 for name in victims]
        while sum(self.times.values()) < self.kills:
            time.sleep(self.random.uniform(0, PAUSE))
            self.kill(self.random.choices(victims, weights)[0])
            if sum(self.times.values()) % 100 == 0:
                print("%d kills, %s" % (sum(self.times.values()), self.report()), flush=True)

    def wait_for_the_last(self):
        """As long as messages come: a busy machine only takes longer."""
        last = None
        while True:
            missing = self.report()["missing"]
            if missing == 0:
                return
            if missing != last:
                last, end = missing, time.monotonic() + DEADLINE
            if time.monotonic() > end:
                self.show_streams()
                raise AssertionError("%d messages do not come" % missing)
            time.sleep(0.1)

    def show_streams(self):
        print(self.report())
        print("\n".join(self.complaints))
        for machine in "ab":
            print(machine, self.world.mmf(machine, "queue", "Jobs"),
                  self.world.mmf(machine, "queue", "Jobs", "--browse")[:600])
        for name, process in self.processes.items():
            if not isinstance(process, (Server, Link, Cable)):
                print(name, process.process.pid, process.is_running(),
                      "\n".join(process.lines[-12:]))
            if isinstance(process, Server) and not process.within:
                info = stream_info(process, "MMF_Jobs_a")
                print(name, info.get("state"), info.get("mirror"), info.get("error"))

    def finish(self, name):
        begin = time.monotonic()
        self.wait_for_the_last()
        found = self.report()
        print("FIGURES: %s: %d messages, %d kills (%s), seed %d, the rest %.0f s: %d twice, "
              "%d missing, %d out of order, %d damaged; %d redelivered by the queue; the mirror "
              "was made again %d times" % (
                  name, self.count, sum(self.times.values()),
                  ", ".join("%s %d" % item for item in sorted(self.times.items())), SEED,
                  time.monotonic() - begin, found["twice"], found["missing"],
                  found["disordered"], found["damaged"], found["redelivered"],
                  sum("made again" in line for process in self.world.processes
                      for line in process.lines)))
        assert not self.faults, "\n".join(self.faults)
        found.pop("redelivered")
        found.pop("ranges")
        assert found == {"missing": 0, "twice": 0, "disordered": 0, "damaged": 0}, found


CONFIG = """[bridge]
origin = %s
[server]
server = %s
ack-wait = 1s
[queue Jobs]
direction = %s
%s
"""


def add_peers(run, world):
    world.hold("ab", "queue", "Jobs", 256, 1024)
    run.add("consumer", lambda: world.peer("b", "take", "Jobs", run.count, run.account))
    # So slowly that messages come as long as processes are killed.
    pause = 1000 * run.kills * (PAUSE / 2 + 0.2) / (run.count / 4096)
    run.add("sender", lambda: world.peer("a", "send", "Jobs", run.count, SIZE, int(pause)))


def add_bridges(run, world, one, other, more_in=""):
    """Those that are killed need not be ready before the next kill."""
    run.add("out", lambda: world.bridge(
        "a", CONFIG % ("a", one.url, "out", "stream-bytes = 16M"), ready=False,
        within=one.within))
    run.add("in", lambda: world.bridge(
        "b", CONFIG % ("b", other.url, "in", "from = a\n" + more_in), ready=False,
        within=other.within))


def test_one_server(world):
    run = Run(world, MESSAGES // 3, KILLS // 2)
    server = Server(world, "one").start()
    add_peers(run, world)
    add_bridges(run, world, server, server)
    run.add("server", server.start, server)
    run.kill_at_random()
    run.finish("one server")


def start_two_servers(world, run, **link):
    """Two servers with domains of their own, a leaf node's connection over `link`."""
    leaf_port = free_port()
    a = Server(world, "a", "a", "leafnodes { listen: \"127.0.0.1:%d\" }" % leaf_port)
    way = Link(leaf_port, **link)
    world.closers.append(way.close)
    b = Server(world, "b", "b", "leafnodes { reconnect: 1, remotes: [ { url: "
               "\"nats-leaf://127.0.0.1:%d\" } ] }" % way.port)
    a.start()
    b.start()
    run.add("link", None, way)
    run.add("server a", a.start, a)
    run.add("server b", b.start, b)
    return a, b


def test_two_servers(world):
    run = Run(world, MESSAGES, KILLS)
    add_peers(run, world)
    a, b = start_two_servers(world, run, delay=0.005, stall=0.2, often=0.01)
    add_bridges(run, world, a, b, "mirror-domain = a")
    run.kill_at_random()
    run.finish("two servers, a link with delay and stalls")


class Workers(Run):
    """Two machines that share the messages; a whole one can be killed as well."""

    def __init__(self, world, count, kills, server):
        super().__init__(world, count, kills)
        self.server, self.holders = server, {}
        # So slowly that each machine has messages as long as processes are killed.
        self.slow = int(1e6 * kills * (PAUSE / 2 + 0.2) / (count / 2))
        for machine in "bc":
            self.add("machine " + machine, None, server)
            self.start_machine(machine)

    def start_machine(self, machine):
        self.holders[machine] = self.world.peer(machine, "hold", "queue", "Jobs", 256, 1024)
        self.add("consumer " + machine, lambda: self.world.peer(
            machine, "take", "Jobs", self.count, self.account + machine, self.slow))
        self.add("in " + machine, lambda: self.world.bridge(
            machine, CONFIG % (machine, self.server.url, "in", "from = a\nshared = yes\n"
                               "take-over = 2s"), ready=False))

    def kill(self, name):
        if not name.startswith("machine"):
            super().kill(name)
            return
        self.times[name] = self.times.get(name, 0) + 1
        machine = name[-1]
        victims = [self.processes["in " + machine], self.holders[machine],
                   self.processes["consumer " + machine]]
        for process in victims:
            process.process.send_signal(signal.SIGKILL)
        for process in victims:
            process.wait()
        self.start_machine(machine)

    def report(self):
        """Of both accounts together."""
        came, damaged, within = bytearray(self.count), 0, 0
        for machine in "bc":
            (twice, _, wrong, redelivered), sequences = read_account(
                self.account + machine, self.count)
            damaged += wrong
            within += max(0, twice - redelivered)  # a queue's own redelivery counts as well
            for i, sequence in enumerate(sequences):
                came[i] += sequence != 0
        missing = came.count(0)
        return {"missing": missing, "damaged": damaged,
                "repeated": sum(came) - (self.count - missing) + within}

    def may_repeat(self):
        """As many as the bridges have said may come a second time."""
        return sum(int(line.split(": ", 1)[1].split()[0]) for process in self.world.processes
                   for line in process.lines if "may come a second time" in line)

    def finish(self, name):
        self.wait_for_the_last()
        found, said = self.report(), self.may_repeat()
        print("FIGURES: %s: %d messages, %d kills (%s), seed %d: %d missing, %d damaged, %d came "
              "twice; the bridges had said so of %d" % (
                  name, self.count, sum(self.times.values()),
                  ", ".join("%s %d" % item for item in sorted(self.times.items())), SEED,
                  found["missing"], found["damaged"], found["repeated"], said))
        assert not self.faults, "\n".join(self.faults)
        assert found["missing"] == found["damaged"] == 0, found
        # A server that was killed may have forgotten what it gave.
        wait_until(lambda: found["repeated"] <= self.may_repeat() or self.times.get("server"),
                   "saying so of %d" % found["repeated"])


def test_workers_on_two_machines(world):
    """At least once: none is missing, and what came twice was said before."""
    server = Server(world, "one").start()
    world.peer("a", "hold", "queue", "Jobs", 256, 1024)
    run = Workers(world, MESSAGES // 5, KILLS // 2, server)
    run.add("sender", lambda: world.peer("a", "send", "Jobs", run.count, SIZE))
    run.add("out", lambda: world.bridge(
        "a", CONFIG % ("a", server.url, "out", "stream-bytes = 4M\nbatch = 64"), ready=False))
    run.add("server", server.start, server)
    run.kill_at_random()
    run.finish("workers on two machines")


STORED = """[bridge]
origin = %s
[server]
server = %s
ack-wait = 1s
[topic News]
direction = %s
stored = yes
message-size = 64
capacity = 64
overflow = block
batch = 8
%s
"""


def test_a_stored_topic(world):
    """The receiving bridge and the server are killed: each message comes, in order; those at
    the time of a kill may come once more."""
    count = min(100 * KILLS // 2, 4000)  # as many lines are kept
    run = Run(world, count, KILLS // 2)
    server = Server(world, "one").start()
    world.bridge("a", STORED % ("a", server.url, "out", ""))
    run.add("in", lambda: world.bridge("b", STORED % ("b", server.url, "in", "replay = all"),
                                       ready=False))
    wait_until(lambda: "News" in world.mmf("b", "ls"), "the topic")
    tail = world.start(MMF, "tail", "News", machine="b")
    wait_until(lambda: json.loads(world.mmf("b", "stat", "--json", "News"))
               ["objects"][0]["receivers"] == 1, "the subscriber")
    run.add("server", server.start, server)
    sender = world.start(MMF, "send", "News", "--lines", machine="a")

    def send():
        for i in range(count):
            sender.process.stdin.write("%d\n" % i)
            if i % 10 == 9:
                sender.process.stdin.flush()
                time.sleep(10 * run.kills * (PAUSE / 2 + 0.2) / count)
        sender.process.stdin.close()

    thread = threading.Thread(target=send)
    thread.start()
    run.kill_at_random()
    thread.join()
    wait_until(lambda: tail.lines[-1:] == [str(count - 1)], "the last message")
    seen, repeats = -1, 0
    for number in map(int, tail.lines):
        assert number <= seen + 1, "after %d came %d" % (seen, number)
        repeats += number <= seen
        seen = max(seen, number)
    print("FIGURES: a stored topic: %d messages, %d kills (%s), seed %d: 0 missing, in order, %d came "
          "once more" % (count, sum(run.times.values()), ", ".join(
              "%s %d" % item for item in sorted(run.times.items())), SEED, repeats))
    assert not run.faults, "\n".join(run.faults)


def test_two_networks(world):
    """The servers are in network namespaces, and packets between them are late and lost."""
    try:
        cable = Cable(delay=0.01, jitter=0.005, loss=0.01, seed=SEED)
    except Impossible as reason:
        raise Skip("no device for a network of its own can be made here, so packets are neither "
                   "late nor lost: " + str(reason)) from reason
    world.closers.append(cable.close)
    run = Run(world, MESSAGES if LONG else MESSAGES // 3, KILLS if LONG else KILLS // 2)
    add_peers(run, world)
    a = Server(world, "a", "a", "leafnodes { listen: \"%s:7422\" }" % cable.addresses[0],
               cable.within(0))
    b = Server(world, "b", "b", "ping_interval: \"2s\"\nleafnodes { reconnect: 1, remotes: [ { "
               "url: \"nats-leaf://%s:7422\" } ] }" % cable.addresses[0], cable.within(1))
    run.add("server a", a.start, a.start())
    run.add("server b", b.start, b.start())
    run.add("cable", None, cable)
    add_bridges(run, world, a, b, "mirror-domain = a")
    run.kill_at_random()
    run.finish("two networks")
    print("FIGURES: the cable: %s" % cable)
    assert cable.carried > cable.lost > 0, "the messages went another way"


if __name__ == "__main__":
    print("seed %d" % SEED)
    main("bridge_kills", globals(), 36000 if LONG else 800)
