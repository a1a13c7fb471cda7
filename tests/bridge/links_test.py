"""links_test.py - what goes across, and how the bridge is operated; no process is
killed at random."""
import base64
import glob
import re
import struct

from support import *


def account_of(world, machine=""):
    return os.path.join(world.directory, "account" + machine)


def missing(world, count, machine=""):
    return report(account_of(world, machine), count)["missing"]


def wait_for_all(world, count):
    wait_until(lambda: missing(world, count) == 0, "the last message")
    return report(account_of(world), count)


def take(world, machine, name, count, *slow):
    return world.peer(machine, "take", name, count, account_of(world), *slow)


CLEAN = {"missing": 0, "twice": 0, "disordered": 0, "damaged": 0, "redelivered": 0,
         "ranges": []}


def start_two(world, channels_a, channels_b, more="", wait=True, within=()):
    """A server, and a bridge on each of two machines."""
    server = Server(world, "one").start()
    bridges = [world.bridge(machine, sections(server, machine, channels, more), ready=False,
                            within=within)
               for machine, channels in (("a", channels_a), ("b", channels_b))]
    for bridge in bridges if wait else []:
        bridge.expect(" ready: ")
    return (server, *bridges)


def memory(process):
    with open("/proc/%d/status" % process.process.pid, encoding="utf-8") as file:
        return int(re.search(r"RssAnon:\s+(\d+)", file.read()).group(1)) << 10


def processor_seconds(process):
    with open("/proc/%d/stat" % process.process.pid, encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


#
# Queues.
#


def test_a_queue_goes_across(world):
    count = 20000
    world.hold("ab", "queue", "Jobs", 4096, 256)
    start_two(world, "[queue Jobs]\ndirection = out", "[queue Jobs]\ndirection = in\nfrom = a")
    take(world, "b", "Jobs", count)
    world.peer("a", "send", "Jobs", count, 64)
    assert wait_for_all(world, count) == CLEAN


def test_the_bridge_makes_the_channels(world):
    sizes = "\nmessage-size = 1K\ncapacity = 64\nspsc = yes"
    start_two(world, "[queue Jobs]\ndirection = out" + sizes,
              "[queue Orders]\ndirection = in\nfrom = a\nremote = Jobs" + sizes)
    take(world, "b", "Orders", 2000)
    world.peer("a", "send", "Jobs", 2000, 1024)
    assert wait_for_all(world, 2000) == CLEAN


def test_odd_names(world):
    name = "Jobs of Müller & co. *>"
    world.hold("ab", "queue", name, 64, 16)
    start_two(world, "[queue %s]\ndirection = out" % name,
              "[queue %s]\ndirection = in\nfrom = a" % name)
    world.mmf("a", "send", name, "hello")
    assert receive(world, "b", name, 1) == ["hello"]


def test_two_origins_and_a_local_producer(world):
    """Each origin's messages come in their order, beside those of a program here."""
    world.hold("abc", "queue", "Jobs", 64, 64)
    server, _, _ = start_two(world, "[queue Jobs]\ndirection = out",
                             "[queue Jobs]\ndirection = in\nfrom = a, c", wait=False)
    world.bridge("c", sections(server, "c", "[queue Jobs]\ndirection = out"))
    for i in range(10):
        for machine in "abc":
            world.mmf(machine, "send", "Jobs", "%s%d" % (machine, i))
    came = receive(world, "b", "Jobs", 30)
    for machine in "abc":
        assert [line for line in came if line[0] == machine] == [
            "%s%d" % (machine, i) for i in range(10)], came


def test_a_full_queue_reaches_back_to_the_sender(world):
    """Without a consumer everything fills up, and nothing grows; then all of it comes."""
    count = 20000
    world.hold("ab", "queue", "Jobs", 512, 64)
    server, out, into = start_two(
        world, "[queue Jobs]\ndirection = out\nstream-bytes = 256K\nbatch = 16",
        "[queue Jobs]\ndirection = in\nfrom = a")
    world.peer("a", "send", "Jobs", count, 512)

    out.expect("is full: waiting")
    before = memory(out), memory(into)
    time.sleep(1.5)  # it only gives memory the time to grow
    after = memory(out), memory(into)
    assert stream_info(server, "MMF_Jobs_a")["state"]["bytes"] <= 256 << 10
    assert all(b - a < 4 << 20 for a, b in zip(before, after)), (before, after)
    assert missing(world, count) == count
    take(world, "b", "Jobs", count)
    assert wait_for_all(world, count) == CLEAN


def test_a_message_that_does_not_fit_is_parked(world):
    world.hold("a", "queue", "Jobs", 4096, 16)
    world.hold("b", "queue", "Jobs", 8, 16)
    server, _, into = start_two(world, "[queue Jobs]\ndirection = out",
                                "[queue Jobs]\ndirection = in\nfrom = a")
    for text in ("one", "much longer than eight", "two"):
        world.mmf("a", "send", "Jobs", text)
    assert receive(world, "b", "Jobs", 2) == ["one", "two"]
    line = into.expect("parked in stream MMF_parked")
    assert "has 22 bytes, and the queue takes 8" in line, line
    wait_until(lambda: stream_info(server, "MMF_parked").get("state", {}).get("messages") == 1,
               "the parked message")


def test_everything_is_stopped_and_started(world):
    """In the middle of it; the queues live on."""
    count = 30000
    world.hold("ab", "queue", "Jobs", 256, 256)
    server, out, into = start_two(world, "[queue Jobs]\ndirection = out",
                                  "[queue Jobs]\ndirection = in\nfrom = a")
    take(world, "b", "Jobs", count, 20)
    world.peer("a", "send", "Jobs", count, 64)
    for how in (signal.SIGTERM, signal.SIGKILL):
        before = missing(world, count)
        wait_until(lambda: missing(world, count) < before, "another message")
        for process in (out, into, server):
            process.kill(how)
        server.start()
        out = world.bridge("a", sections(server, "a", "[queue Jobs]\ndirection = out"))
        into = world.bridge("b", sections(server, "b", "[queue Jobs]\ndirection = in\nfrom = a"))
    found = wait_for_all(world, count)
    assert found == CLEAN, found


def test_the_clock_jumps(world):
    """Forth and back by hours and years, with messages on their way; and no server for a
    while. Only the log has another time."""
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not library:
        raise Skip("faketime is needed")
    clock = world.write("clock", "+0")
    faked = ("env", "LD_PRELOAD=" + library[0], "FAKETIME_TIMESTAMP_FILE=" + clock,
             "FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1")
    count = 40000
    world.hold("ab", "queue", "Jobs", 256, 256)
    server = Server(world, "one").start()
    bridges = [world.bridge(machine, sections(server, machine, channels), within=faked)
               for machine, channels in (("a", "[queue Jobs]\ndirection = out"),
                                         ("b", "[queue Jobs]\ndirection = in\nfrom = a"))]
    take(world, "b", "Jobs", count, 100)
    for turn, jump in enumerate(("+1h", "-1h", "+3650d", "-1d", "+0"), 1):
        sender = world.peer("a", "send", "Jobs", turn * count // 5, 64)
        os.replace(world.write("next", jump), clock)
        if "3650" in jump:
            server.kill()
            for bridge in bridges:
                year = bridge.expect("the connection to the server is lost")[:4]
                assert int(year) >= time.gmtime().tm_year + 9, year
            server.start()
        wait_until(lambda: missing(world, count) <= count - turn * count // 5,
                   "these messages")
        sender.kill()
    assert wait_for_all(world, count) == CLEAN


def test_a_second_bridge_waits_for_its_turn(world):
    """Two that publish as one origin would number different messages alike."""
    world.hold("ab", "queue", "Jobs", 64, 16)
    server, out, _ = start_two(world, "[queue Jobs]\ndirection = out",
                               "[queue Jobs]\ndirection = in\nfrom = a")
    second = world.bridge("a", sections(server, "a", "[queue Jobs]\ndirection = out"),
                          ready=False)
    second.expect("another bridge of this machine publishes to stream MMF_Jobs_a")
    world.mmf("a", "send", "Jobs", "one")
    out.kill()
    second.expect(" ready: ")
    world.mmf("a", "send", "Jobs", "two")
    assert receive(world, "b", "Jobs", 2) == ["one", "two"]


def set_mode(world, machine, mode):
    os.chmod(os.path.join(world.namespace(machine), "mmf.Jobs"), mode)


def test_a_queue_of_another_user(world):
    """A bridge may do what its user may. Of two users' bridges one at a time publishes."""
    stranger = "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"
    if os.getuid() != 0 or subprocess.run([*stranger, "true"], timeout=DEADLINE).returncode != 0:
        raise Skip("another user is needed: run as root")
    for path, mode in ((world.directory, 0o755), (world.namespaces, 0o755),
                       (world.namespace("a"), 0o1777), (world.namespace("b"), 0o1777)):
        os.chmod(path, mode)
    server = Server(world, "one").start()
    name = "Global\\Jobs"
    configs = [sections(server, "a", "[queue %s]\ndirection = out" % name),
               sections(server, "b", "[queue %s]\ndirection = in\nfrom = a" % name)]
    for machine, config in zip("ab", configs):
        world.hold(machine, "queue", name, 64, 16)
        for mode in (0o600, 0o644):
            set_mode(world, machine, mode)
            bridge = world.bridge(machine, config, ready=False, within=stranger)
            bridge.expect("/mmf.Jobs belongs to user root (0) and is not accessible to us "
                          "(mode %o)" % mode)
            assert bridge.wait() == 8, bridge.lines
        set_mode(world, machine, 0o666)
    first = world.bridge("a", configs[0], within=stranger)
    world.bridge("b", configs[1], within=stranger)
    world.mmf("a", "send", name, "one")
    assert receive(world, "b", name, 1) == ["one"]
    second = world.bridge("a", configs[0], ready=False)
    second.expect("another bridge of this machine publishes to stream MMF_Global=5CJobs_a")
    first.kill()
    second.expect(" ready: ")
    world.mmf("a", "send", name, "two")
    assert receive(world, "b", name, 1) == ["two"]


def test_two_hosts_with_one_origin(world):
    """It is noticed, and said."""
    world.hold("ac", "queue", "Jobs", 64, 16)
    server = Server(world, "one").start()
    config = sections(server, "a", "[queue Jobs]\ndirection = out")
    bridges = [world.bridge(machine, config) for machine in "ac"]
    for count, machine in enumerate("aca", 1):
        world.mmf(machine, "send", "Jobs", "from " + machine)
        wait_until(lambda: stream_info(server, "MMF_Jobs_a")["state"]["last_seq"] == count,
                   "message %d in the stream" % count)
    bridges[0].expect("went on from 1 to 3: another host has the same origin")


def test_the_receiving_queue_dies(world):
    """What was not released by then comes again into a new one: at least once."""
    sizes = "\nmessage-size = 64\ncapacity = 64"
    server, _, into = start_two(world, "[queue Jobs]\ndirection = out" + sizes,
                                "[queue Jobs]\ndirection = in\nfrom = a" + sizes)
    for i in range(20):
        world.mmf("a", "send", "Jobs", "job %d" % i)
    assert receive(world, "b", "Jobs", 5) == ["job %d" % i for i in range(5)]
    into.kill()
    world.mmf("b", "gc")
    world.bridge("b", sections(server, "b", "[queue Jobs]\ndirection = in\nfrom = a" + sizes))
    came = receive(world, "b", "Jobs", 15)
    while came[-1] != "job 19":
        came += receive(world, "b", "Jobs", 1)
    numbers = [int(line.split()[1]) for line in came]
    assert numbers == list(range(numbers[0], 20)) and numbers[0] <= 5, numbers


def test_a_stream_of_others_is_refused(world):
    server = Server(world, "one").start()
    request(server, "$JS.API.STREAM.CREATE.MMF_Jobs_a", json.dumps(
        {"name": "MMF_Jobs_a", "subjects": ["mmf.q.Jobs.*"], "retention": "limits",
         "storage": "memory", "max_consumers": -1, "max_msgs": -1, "max_bytes": -1,
         "discard": "new", "num_replicas": 1}))
    request(server, "mmf.q.Jobs.a", "something else")
    world.hold("b", "queue", "Jobs", 64, 16)
    process = world.bridge("b", sections(server, "b", "[queue Jobs]\ndirection = in\nfrom = a"))
    process.expect("message 1 of stream MMF_Jobs_a: it is not a message of mmf-bridge")


def test_messages_that_are_missing_are_counted(world):
    """The stream is purged by hand: it is said, and the others come."""
    world.hold("ab", "queue", "Jobs", 64, 64)
    server, _, into = start_two(world, "[queue Jobs]\ndirection = out\nbatch = 1",
                                "[queue Jobs]\ndirection = in\nfrom = a")
    world.mmf("a", "send", "Jobs", "job 1")
    assert receive(world, "b", "Jobs", 1) == ["job 1"]
    into.kill()
    for i in range(2, 9):
        world.mmf("a", "send", "Jobs", "job %d" % i)
    wait_until(lambda: stream_info(server, "MMF_Jobs_a")["state"]["last_seq"] == 8, "the stream")
    request(server, "$JS.API.STREAM.PURGE.MMF_Jobs_a", '{"seq": 6}')
    into = world.bridge("b", sections(server, "b", "[queue Jobs]\ndirection = in\nfrom = a",
                                      metrics(world, "b")), ready=False)
    into.expect("4 messages of a are missing in the stream: it was purged or damaged")
    assert receive(world, "b", "Jobs", 3) == ["job 6", "job 7", "job 8"]
    wait_until(lambda: lost(world, "b") == 4, "the count of what is lost")


# What a bridge asks when its consumer has ended.
READ = r"CONSUMER\..*CREATE"


def lose_stream(gate, server, stream):
    """Its consumer ends with it, and the next one is held up."""
    gate.hold(READ)
    assert request(server, "$JS.API.STREAM.DELETE." + stream)["success"]
    gate.wait()


def lose_found_stream(gate, server, stream):
    """Its consumer ends before it, and the next one is held up."""
    gate.hold(READ)
    for name in request(server, "$JS.API.CONSUMER.NAMES." + stream)["consumers"]:
        request(server, "$JS.API.CONSUMER.DELETE.%s.%s" % (stream, name))
    gate.wait()
    assert request(server, "$JS.API.STREAM.DELETE." + stream)["success"]


def make_jobs_anew(world, into, lose):
    """While machine b reads the stream: what it asks next is held up until it is there again."""
    world.hold("ab", "queue", "Jobs", 64, 64)
    out = "[queue Jobs]\ndirection = out\nbatch = 1"
    server = Server(world, "one").start()
    a = world.bridge("a", sections(server, "a", out))
    gate = world.gate(server)
    world.bridge("b", sections(gate, "b", into))
    for i in range(1, 9):
        world.mmf("a", "send", "Jobs", "job %d" % i)
    assert receive(world, "b", "Jobs", 8) == ["job %d" % i for i in range(1, 9)]
    wait_until(lambda: gate.count("$JS.ACK") >= 8 or "shared" not in into, "acknowledgements")
    a.kill()
    lose(gate, server, "MMF_Jobs_a")
    world.bridge("a", sections(server, "a", out))
    for i in range(9, 13):
        world.mmf("a", "send", "Jobs", "job %d" % i)
    wait_until(lambda: stream_info(server, "MMF_Jobs_a")["state"]["last_seq"] == 4, "the stream")
    gate.release()
    came = receive(world, "b", "Jobs", 4)
    assert sorted(came, key=len) == ["job %d" % i for i in range(9, 13)], came


def test_a_stream_that_is_made_anew_is_read_from_its_beginning(world):
    make_jobs_anew(world, "[queue Jobs]\ndirection = in\nfrom = a", lose_stream)


def test_a_stream_that_is_made_anew_before_it_is_read_again(world):
    """Its reader had found it, and its next consumer is another stream's."""
    make_jobs_anew(world, "[queue Jobs]\ndirection = in\nfrom = a", lose_found_stream)


def test_a_shared_stream_that_is_made_anew_before_it_is_read_again(world):
    """Messages of the same sequences were acknowledged, and these are others."""
    make_jobs_anew(world, "[queue Jobs]\ndirection = in\nfrom = a\nshared = yes",
                   lose_found_stream)


#
# Damaged envelopes. envelope.h has the bytes.
#


def envelope(kind=5, count=2, origin=b"a", source=5, first=1, version=1, magic=b"mmf"):
    head = magic + struct.pack("<BBBHII16sQQ", version, kind, 0, len(origin), count, 64,
                               b"identity of 16 b", source, first) + origin
    return head + b"".join(struct.pack("<IIQ", 5, 0, 7 + i) + b"job %d" % i for i in range(2))


def damaged():
    """What is wrong, and the bytes."""
    good = envelope()
    lengths = len(good) - 2 * 21
    yield "it is not of a queue", envelope(kind=6)
    yield "it is of another version of mmf-bridge", envelope(version=2)
    yield "it is not a message of mmf-bridge", envelope(magic=b"mmg")
    yield "it is not a message of mmf-bridge", b""
    for count in (0, 1, 3, 1 << 31, (1 << 32) - 1):
        yield "it is damaged", envelope(count=count)
    yield "it is damaged", envelope(source=0)
    yield "it is damaged", envelope(first=(1 << 64) - 1)
    yield "it is damaged", good + b"x"
    for size in range(1, len(good)):
        yield "it is " + ("damaged" if size >= 48 else "not a message of mmf-bridge"), good[:size]
    for place in (0, 1, 2, 3, 6, 7, 8, 9, 10, 11, *range(lengths, lengths + 4),
                  *range(lengths + 21, lengths + 25)):
        for bit in range(8):
            flipped = bytearray(good)
            flipped[place] ^= 1 << bit
            yield ("it is of another version of mmf-bridge" if place == 3 else
                   "it is not a message of mmf-bridge" if place < 3 else "it is damaged"), \
                bytes(flipped)


def make_stream(server, name, subject):
    request(server, "$JS.API.STREAM.CREATE." + name, json.dumps(
        {"name": name, "subjects": [subject], "retention": "limits", "storage": "memory",
         "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "discard": "new",
         "num_replicas": 1}))


def test_damaged_envelopes(world):
    """Each is named and parked, and nothing of it is in the queue; then comes a good one."""
    cases = list(damaged())
    server = Server(world, "one").start()
    make_stream(server, "MMF_Jobs_a", "mmf.q.Jobs.a")
    publish(server, "mmf.q.Jobs.a", [payload for _, payload in cases] + [envelope()])
    world.hold("b", "queue", "Jobs", 64, 64)
    bridge = world.bridge("b", sections(server, "b", SHARED), ready=False)
    for number, (what, payload) in enumerate(cases, 1):
        line = bridge.expect("message %d of stream MMF_Jobs_a" % number)
        assert ": %s: parked in stream MMF_parked" % what in line, (line, payload)
    assert receive(world, "b", "Jobs", 2) == ["job 0", "job 1"]
    stat = json.loads(world.mmf("b", "stat", "--json", "Jobs"))["objects"][0]
    assert stat["sent"] == 2 and len(cases) > 200, (stat, len(cases))
    wait_until(lambda: stream_info(server, "MMF_parked")["state"]["messages"] == len(cases),
               "all of them in the stream of parked ones")


def test_damaged_envelopes_of_a_whole_stream(world):
    """It stands still in front of one, says so, and leaves it in the stream."""
    kinds = {"kind": ("it is not of a queue", envelope(kind=6)),
             "version": ("it is of another version of mmf-bridge", envelope(version=2)),
             "short": ("it is damaged", envelope()[:-1]),
             "own": ("it is of this host's own origin, and would go around in a circle",
                     envelope(origin=b"b"))}
    server = Server(world, "one").start()
    config = ""
    for name, (_, payload) in kinds.items():
        make_stream(server, "MMF_%s_a" % name, "mmf.q.%s.a" % name)
        publish(server, "mmf.q.%s.a" % name, [payload])
        world.hold("b", "queue", name, 64, 64)
        config += "[queue %s]\ndirection = in\nfrom = a\n" % name
    bridge = world.bridge("b", sections(server, "b", config, metrics(world, "b")))
    for name, (what, _) in kinds.items():
        wait_until(lambda: any("message 1 of stream MMF_%s_a: %s; trying again" % (name, what)
                               in line for line in bridge.lines), what)
        wait_until(lambda: counter(world, "b", "failures", '"%s"' % name) > 0, "the count")
        assert json.loads(world.mmf("b", "stat", "--json", name))["objects"][0]["sent"] == 0
        assert stream_info(server, "MMF_%s_a" % name)["state"]["messages"] == 1


def test_damaged_messages_of_a_topic(world):
    """One is dropped, and named; what comes later is sent."""
    server = Server(world, "one").start()
    bridge = world.bridge("b", sections(
        server, "b", "[topic News]\ndirection = in\nmessage-size = 64\ncapacity = 16"))
    for what, payload in (("it is not of a topic", envelope()),
                          ("it is damaged", envelope(kind=6)[:-1]),
                          ("it is of another version of mmf-bridge", envelope(6, version=9))):
        publish(server, "mmf.t.News", [payload])
        bridge.expect("a message of subject mmf.t.News: %s; trying again" % what)
        bridge.expect("it works again")
    tail = world.start(MMF, "tail", "News", "--count", "2", machine="b")
    wait_until(lambda: json.loads(world.mmf("b", "stat", "--json", "News"))
               ["objects"][0]["receivers"] == 1, "the subscriber")
    publish(server, "mmf.t.News", [envelope(kind=6)])
    tail.expect("job 0")
    tail.expect("job 1")


#
# Queues that machines share.
#

SHARED = "[queue Jobs]\ndirection = in\nfrom = a\nshared = yes\ntake-over = 2s"


def share(world, more, size=64, capacity=64):
    """A server, a sending bridge, and two machines that share its messages."""
    world.hold("abc", "queue", "Jobs", size, capacity)
    server, _, b = start_two(world, "[queue Jobs]\ndirection = out\n" + more, SHARED)
    return server, b, world.bridge("c", sections(server, "c", SHARED))


def test_two_machines_share_a_queue(world):
    """Each message goes to one of them; the stream, of 256 KiB, is purged by both."""
    count = 5000
    server, _, _ = share(world, "stream-bytes = 256K\nbatch = 16", 512)
    for machine in "bc":  # so slowly that each has its share
        world.peer(machine, "take", "Jobs", count, account_of(world, machine), 1000)
    world.peer("a", "send", "Jobs", count, 512)

    def came():
        return [count - missing(world, count, machine) for machine in "bc"]

    wait_until(lambda: sum(came()) >= count, "the last message")
    assert sum(came()) == count and min(came()) > count // 20, came()
    state = stream_info(server, "MMF_Jobs_a")["state"]
    assert state["bytes"] <= 256 << 10 and state["last_seq"] >= count // 16, state


def test_what_a_dead_machine_had_goes_to_another(world):
    server, b, c = share(world, "batch = 1")
    b.kill(signal.SIGTERM)
    for i in range(5):
        world.mmf("a", "send", "Jobs", "job %d" % i)
    assert receive(world, "c", "Jobs", 2) == ["job 0", "job 1"]
    wait_until(lambda: request(server, "$JS.API.CONSUMER.INFO.MMF_Jobs_a.mmf-shared")
               ["num_ack_pending"] == 3, "the acknowledgement of what was released")
    time.sleep(2.5)  # longer than take-over: only a machine that is silent loses what it has
    assert request(server, "$JS.API.CONSUMER.INFO.MMF_Jobs_a.mmf-shared")[
        "num_redelivered"] == 0
    c.kill()
    b = world.bridge("b", sections(server, "b", SHARED))
    assert sorted(receive(world, "b", "Jobs", 3)) == ["job 2", "job 3", "job 4"]
    b.expect("1 messages of a, from number 3, may come a second time (message 3 of stream "
             "MMF_Jobs_a, which a bridge had before)")


def test_what_a_consumer_keeps_is_not_acknowledged(world):
    """However far the queue has gone on meanwhile; all others are."""
    server, b, _ = share(world, "batch = 1", capacity=16)
    b.kill(signal.SIGTERM)
    keeper = world.peer("c", "keep", "Jobs")
    world.mmf("a", "send", "Jobs", "kept")
    keeper.expect("it is taken")
    count = 100
    for i in range(count):
        world.mmf("a", "send", "Jobs", "job %d" % i)
        assert receive(world, "c", "Jobs", 1) == ["job %d" % i]

    def info():
        return request(server, "$JS.API.CONSUMER.INFO.MMF_Jobs_a.mmf-shared")

    wait_until(lambda: info()["num_ack_pending"] == 1, "the acknowledgement of the others")
    assert info()["ack_floor"]["stream_seq"] == 0
    keeper.kill()
    assert receive(world, "c", "Jobs", 1) == ["kept"]
    wait_until(lambda: info()["ack_floor"]["stream_seq"] == count + 1, "all acknowledgements")


def test_a_shared_queue_is_shared_by_all(world):
    """A reader of all messages would purge what another machine has."""
    server, _, _ = share(world, "")
    world.hold("d", "queue", "Jobs", 64, 64)
    alone = world.bridge("d", sections(
        server, "d", "[queue Jobs]\ndirection = in\nfrom = a"), ready=False)
    alone.expect('machines share stream MMF_Jobs_a: set "shared = yes" here as well, or '
                 "remove its consumer mmf-shared")
    assert alone.wait() == 1


def test_a_damaged_message_of_a_shared_queue_is_parked(world):
    """The others go on."""
    server, b, _ = share(world, "")
    request(server, "mmf.q.Jobs.a", "something else")
    world.mmf("a", "send", "Jobs", "after it")
    wait_until(lambda: stream_info(server, "MMF_parked").get("state", {}).get("messages") == 1,
               "the parked message")
    wait_until(lambda: json.loads(world.mmf("b", "stat", "--json", "Jobs"))["objects"][0]["sent"] +
               json.loads(world.mmf("c", "stat", "--json", "Jobs"))["objects"][0]["sent"] == 1,
               "the message after it")


#
# Topics and latest values.
#


def test_a_topic_goes_both_ways_and_does_not_come_back(world):
    channels = "[topic News]\ndirection = both\nmessage-size = 64\ncapacity = 64"
    _, a, b = start_two(world, channels, channels)
    tails = [world.start(MMF, "tail", "News", "--count", "4", machine=machine)
             for machine in "ab"]
    for machine in "ab":
        wait_until(lambda: json.loads(world.mmf(machine, "stat", "--json", "News"))
                   ["objects"][0]["receivers"] == 2, "a subscriber")
    for i in range(2):
        world.mmf("a", "send", "News", "a%d" % i)
        tails[1].expect("a%d" % i)
        world.mmf("b", "send", "News", "b%d" % i)
        tails[0].expect("b%d" % i)
    for tail in tails:
        tail.wait()
        assert tail.lines == ["a0", "b0", "a1", "b1"], tail.lines


STORED_OUT = ("[topic News]\ndirection = out\nstored = yes\nbatch = 1\nmessage-size = 64\n"
              "capacity = 64\n")
STORED_IN = "[topic News]\ndirection = in\nstored = yes\nmessage-size = 64\ncapacity = 64\n"


def subscribe(world, machine, count):
    """A subscriber that has joined; the bridge itself may be one as well."""
    before = json.loads(world.mmf(machine, "stat", "--json", "News"))["objects"][0]["receivers"]
    tail = world.start(MMF, "tail", "News", "--count", str(count), machine=machine)
    wait_until(lambda: json.loads(world.mmf(machine, "stat", "--json", "News"))
               ["objects"][0]["receivers"] > before, "a subscriber")
    return tail


def came(tail):
    tail.wait()
    return tail.lines


def send_news(world, server, first, last, machine="a"):
    before = stream_info(server, "MMF-topic_News")["state"]["last_seq"]
    for i in range(first, last + 1):
        world.mmf(machine, "send", "News", "news %d" % i)
    wait_until(lambda: stream_info(server, "MMF-topic_News")["state"]["last_seq"] ==
               before + last - first + 1, "the messages in the stream")


def news(first, last):
    return ["news %d" % i for i in range(first, last + 1)]


def noted_position(server, next_one, origin="b"):
    """Until the receiving side has noted it: a kill later repeats nothing."""
    subject = "mmf.position.News." + origin

    def position():
        found = request(server, "$JS.API.STREAM.MSG.GET.MMF_positions",
                        json.dumps({"last_by_subj": subject}))
        return base64.b64decode(found["message"]["data"]).split()[1:2] if "message" in found else []

    wait_until(lambda: position() == [b"%d" % next_one], "position %d" % next_one)


def test_a_stored_topic_is_replayed(world):
    """From its beginning, from now, or from so many messages back; and then from what the
    machine had, also if its bridge was killed."""
    server = Server(world, "one").start()
    world.bridge("a", sections(server, "a", STORED_OUT))
    send_news(world, server, 1, 8)
    world.hold("bcde", "topic", "News", 64, 64)
    wanted = {"b": ("replay = all", 1), "c": ("replay = new", 9), "d": ("replay = 3", 6),
              "e": ("replay = 100", 1)}
    tails = {machine: subscribe(world, machine, 10 - first)
             for machine, (_, first) in wanted.items()}
    bridges = {machine: world.bridge(machine, sections(server, machine, STORED_IN + replay))
               for machine, (replay, _) in wanted.items()}
    send_news(world, server, 9, 9)
    for machine, (_, first) in wanted.items():
        assert came(tails[machine]) == news(first, 9), (machine, tails[machine].lines)
    noted_position(server, 10)
    bridges["b"].kill()
    send_news(world, server, 10, 12)
    tail = subscribe(world, "b", 3)
    world.bridge("b", sections(server, "b", STORED_IN + "replay = all"))
    assert came(tail) == news(10, 12)


def test_what_a_stored_topic_has_dropped_is_lost(world):
    """Messages that its limits removed before they came, and those alone, are counted."""
    server = Server(world, "one").start()
    a = world.bridge("a", sections(server, "a", STORED_OUT))
    world.hold("b", "topic", "News", 64, 64)
    tail = subscribe(world, "b", 2)
    b = world.bridge("b", sections(server, "b", STORED_IN))
    send_news(world, server, 1, 2)
    assert came(tail) == news(1, 2)
    noted_position(server, 3)
    b.kill()
    send_news(world, server, 3, 9)
    request(server, "$JS.API.STREAM.PURGE.MMF-topic_News", '{"seq": 8}')
    tail = subscribe(world, "b", 2)
    b = world.bridge("b", sections(server, "b", STORED_IN, metrics(world, "b")), ready=False)
    b.expect("messages 3 to 7 of stream MMF-topic_News are gone: its limits were reached before "
             "they came here")
    b.expect("5 messages of a were lost")
    assert came(tail) == news(8, 9)
    wait_until(lambda: lost(world, "b") == 5, "the count of what is lost")
    # Of another process, whose first messages are gone: at least so many.
    noted_position(server, 10)
    b.kill()
    a.kill()
    world.bridge("a", sections(server, "a", STORED_OUT))
    send_news(world, server, 10, 13)
    request(server, "$JS.API.STREAM.PURGE.MMF-topic_News", '{"seq": 13}')
    tail = subscribe(world, "b", 1)
    world.bridge("b", sections(server, "b", STORED_IN, metrics(world, "b")))
    assert came(tail) == news(13, 13)
    wait_until(lambda: lost(world, "b") == 3, "the count of what is lost")


def test_a_stored_topic_has_limits(world):
    """Its stream drops the oldest, by bytes and by age; a stream made anew is read from its
    beginning."""
    server = Server(world, "one").start()
    a = world.bridge("a", sections(server, "a", STORED_OUT.replace(
        "stored = yes", "stored = yes\nstream-bytes = 64K\nstream-age = 2h\nstorage = memory")))
    config = stream_info(server, "MMF-topic_News")["config"]
    assert (config["max_bytes"], config["max_age"], config["storage"], config["discard"]) == (
        65536, 7200 * 10 ** 9, "memory", "old"), config
    world.hold("b", "topic", "News", 64, 64)
    b = world.bridge("b", sections(server, "b", STORED_IN))
    tail = subscribe(world, "b", 1)
    send_news(world, server, 1, 1)
    assert came(tail) == news(1, 1)
    noted_position(server, 2)
    b.kill()
    request(server, "$JS.API.STREAM.DELETE.MMF-topic_News")
    a.kill()
    world.bridge("a", sections(server, "a", STORED_OUT))
    send_news(world, server, 2, 4)
    tail = subscribe(world, "b", 3)
    b = world.bridge("b", sections(server, "b", STORED_IN), ready=False)
    b.expect("stream MMF-topic_News was made anew: it is read from its beginning")
    assert came(tail) == news(2, 4)


def make_news_anew(world, before, lose):
    """While machine b reads the stream: what it asks next is held up until it is there again."""
    server = Server(world, "one").start()
    a = world.bridge("a", sections(server, "a", STORED_OUT))
    world.hold("b", "topic", "News", 64, 64)
    gate = world.gate(server)
    b = world.bridge("b", sections(gate, "b", STORED_IN))
    tail = subscribe(world, "b", before + 2)
    if before:
        send_news(world, server, 1, before)
        noted_position(server, before + 1)
    a.kill()
    lose(gate, server, "MMF-topic_News")
    world.bridge("a", sections(server, "a", STORED_OUT))
    send_news(world, server, before + 1, before + 2)
    gate.release()
    b.expect("stream MMF-topic_News was made anew: it is read from its beginning")
    assert came(tail) == news(1, before + 2)


def test_a_stored_topic_that_is_made_anew_is_read_from_its_beginning(world):
    make_news_anew(world, 3, lose_stream)


def test_a_stored_topic_that_is_made_anew_before_it_is_read_again(world):
    """Its reader had found it, and its next consumer is another stream's."""
    make_news_anew(world, 3, lose_found_stream)


def test_an_empty_stored_topic_that_is_made_anew(world):
    """Where it began was noted: what comes now is new all the same."""
    make_news_anew(world, 0, lose_found_stream)


def test_a_stored_topic_survives_the_server(world):
    """Both ways, without echo; what is sent without a server comes later."""
    server = Server(world, "one").start()
    both = STORED_OUT.replace("direction = out", "direction = both")
    for machine in "ab":
        world.bridge(machine, sections(server, machine, both))
    tails = [subscribe(world, machine, 6) for machine in "ab"]
    send_news(world, server, 1, 2)
    wait_until(lambda: all(len(tail.lines) == 2 for tail in tails), "the first two")
    send_news(world, server, 3, 4, "b")
    wait_until(lambda: all(len(tail.lines) == 4 for tail in tails), "the first four")
    server.kill()
    world.mmf("a", "send", "News", "news 5")
    server.start()
    wait_until(lambda: all(len(tail.lines) == 5 for tail in tails), "the fifth")
    world.mmf("b", "send", "News", "news 6")
    for tail in tails:
        assert came(tail) == news(1, 6), tail.lines


def test_a_damaged_message_of_a_stored_topic_is_skipped(world):
    server = Server(world, "one").start()
    make_stream(server, "MMF-topic_News", "mmf.t.News")
    publish(server, "mmf.t.News", [envelope(), envelope(kind=6)[:-1], envelope(kind=6)])
    world.hold("b", "topic", "News", 64, 64)
    tail = subscribe(world, "b", 2)
    b = world.bridge("b", sections(server, "b", STORED_IN + "replay = all"), ready=False)
    b.expect("message 1 of stream MMF-topic_News: it is not of a topic: skipped")
    b.expect("message 2 of stream MMF-topic_News: it is damaged: skipped")
    assert came(tail) == ["job 0", "job 1"]
    world.hold("c", "topic", "News", 64, 64)
    tail = subscribe(world, "c", 1)
    world.bridge("c", sections(server, "c", STORED_IN + "replay = 1"))
    assert came(tail) == ["job 1"]  # the second half of one message of NATS


def test_a_latest_value_goes_both_ways(world):
    channels = "[latest Position]\ndirection = both\nmessage-size = 64"
    _, a, b = start_two(world, channels, channels)

    def value(machine):
        return world.mmf(machine, "recv", "Position").strip()

    for machine, other, text in (("a", "b", "1"), ("b", "a", "2"), ("a", "b", "3"), ("a", "b", "4")):
        world.mmf(machine, "send", "Position", text)
        wait_until(lambda: value(other) == text, "the value %s at %s" % (text, other))
    assert value("a") == value("b") == "4"


def test_a_latest_value_survives_its_bucket(world):
    """It was deleted by hand: the value is put again, once, and the next ones are not taken for
    older ones, though their revisions are lower."""
    channels = "[latest Position]\ndirection = both\nmessage-size = 64"
    server, a, b = start_two(world, channels, channels, within=FAST)

    def set_value(machine, other, text):
        world.mmf(machine, "send", "Position", text)
        wait_until(lambda: world.mmf(other, "recv", "Position").strip() == text,
                   "the value %s at %s" % (text, other))

    def last_revision():
        return stream_info(server, "KV_MMF_latest").get("state", {}).get("last_seq")

    for i in range(1, 6):
        set_value("a", "b", "%d" % i)
    assert last_revision() == 5
    assert request(server, "$JS.API.STREAM.DELETE.KV_MMF_latest")["success"]
    for bridge in (a, b):
        bridge.expect("bucket MMF_latest was deleted: it is opened again")
    wait_until(lambda: last_revision() == 1, "the value in another bucket")
    world.bridge("c", sections(server, "c", channels), within=FAST)
    wait_until(lambda: world.mmf("c", "recv", "Position").strip() == "5", "the value at c")
    set_value("b", "a", "6")
    set_value("a", "b", "7")
    assert last_revision() == 3
    # Without waiting until that is noticed, on a machine where only the bridge has the channel.
    world.bridge("d", sections(server, "d", channels.replace("both", "out")), within=FAST)
    set_value("d", "a", "8")
    assert request(server, "$JS.API.STREAM.DELETE.KV_MMF_latest")["success"]
    set_value("d", "a", "9")
    wait_until(lambda: world.mmf("c", "recv", "Position").strip() == "9", "the value at c")


def test_a_newer_value_of_another_host_survives_a_restart(world):
    channels = "[latest Position]\ndirection = both"
    world.hold("ab", "latest", "Position", 64, 0)
    server, a, _ = start_two(world, channels, channels)

    def value(machine):
        return world.mmf(machine, "recv", "Position").strip()

    world.mmf("a", "send", "Position", "old")
    wait_until(lambda: value("b") == "old", "the first value")
    a.kill()
    world.mmf("b", "send", "Position", "new")
    wait_until(lambda: stream_info(server, "KV_MMF_latest")["state"]["last_seq"] == 2,
               "the second value")
    world.bridge("a", sections(server, "a", channels))
    wait_until(lambda: value("a") == "new", "the second value at a")
    assert value("b") == "new"


def expect_answer(world, text, answer):
    """In the end: the workers notice one after the other what has changed."""
    wait_until(lambda: call(world, "a", text) == answer, "the answer " + answer)


def test_a_service_on_another_machine(world):
    """Requests are answered there; where no machine serves, clients see no server."""
    world.hold("a", "service", "Sums", 64, 16)
    server = Server(world, "one").start()
    out = world.bridge("a", sections(server, "a", "[service Sums]\ndirection = out"), ready=False)
    out.expect("no machine serves it (subject mmf.s.Sums): a client here sees no server")
    there = world.peer("b", "serve", "Sums")
    into = world.bridge("b", sections(server, "b", "[service Sums]\ndirection = in"))
    out.expect(" ready: ")
    for i in range(20):
        assert call(world, "a", "1 + %d" % i) == "1 + %d by %d" % (i, there.process.pid)
    there.kill()
    into.expect('service "Sums" has no server here; trying again')
    expect_answer(world, "2", "MMF_E_PEER_CLOSED")
    again = world.peer("b", "serve", "Sums")
    expect_answer(world, "3", "3 by %d" % again.process.pid)
    into.kill()
    expect_answer(world, "4", "MMF_E_PEER_CLOSED")


def test_a_request_survives_the_bridge(world):
    """At least once: another bridge takes the request over."""
    world.hold("a", "service", "Sums", 64, 16)
    there = world.peer("b", "serve", "Sums")
    server = Server(world, "one").start()
    into = world.bridge("b", sections(server, "b", "[service Sums]\ndirection = in"))
    config = sections(server, "a", "[service Sums]\ndirection = out\nworkers = 1")
    out = world.bridge("a", config)
    there.process.send_signal(signal.SIGSTOP)
    client = world.start(PEER, "call", "Sums", "5", "60000", machine="a")
    wait_until(lambda: json.loads(world.mmf("b", "stat", "--json", "Sums"))["objects"][0]
               ["sent"] == 1, "the request at b")
    world.bridge("a", config)
    out.kill()
    there.process.send_signal(signal.SIGCONT)
    client.expect("5 by %d" % there.process.pid)
    assert into.is_running()


def test_many_channels_in_one_process(world):
    sizes = "\nmessage-size = 64\ncapacity = 64\n"
    a = b = ""
    for i in range(8):
        way, back = ("out", "in") if i % 2 else ("in", "out")
        a += "[queue Q%d]\ndirection = %s%s" % (i, way, sizes)
        b += "[queue Q%d]\ndirection = %s%s" % (i, back, sizes)
        a, b = (a, b + "from = a\n") if i % 2 else (a + "from = b\n", b)
    a += "[latest L]\ndirection = out\nmessage-size = 64\n"
    b += "[latest L]\ndirection = in\nmessage-size = 64\n"
    start_two(world, a, b)
    for i in range(8):
        source, target = ("a", "b") if i % 2 else ("b", "a")
        world.mmf(source, "send", "Q%d" % i, "through %d" % i)
        assert receive(world, target, "Q%d" % i, 1) == ["through %d" % i]
    world.mmf("a", "send", "L", "value")
    wait_until(lambda: world.mmf("b", "recv", "L").strip() == "value", "the value")


#
# Operating it.
#


def test_readiness_metrics_and_json(world):
    server = Server(world, "one").start()
    metrics = os.path.join(world.directory, "metrics")
    path = os.path.join(world.directory, "notify")
    config = world.write("a.ini", sections(
        server, "a", "[queue Jobs]\ndirection = out\nmessage-size = 64\ncapacity = 16",
        "log = json\nmetrics = %s\nmetrics-every = 100ms" % metrics))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(DEADLINE)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            bridge = world.start(BRIDGE, config, machine="a")
        finally:
            del os.environ["NOTIFY_SOCKET"]
        assert notify.recv(1000).startswith(b"READY=1\n")
        world.mmf("a", "send", "Jobs", "hello")
        line = 'mmf_bridge_messages_total{kind="queue",channel="Jobs",direction="out",origin=""} 1\n'
        wait_until(lambda: os.path.exists(metrics) and
                   line in open(metrics, encoding="utf-8").read(), line)
        text = open(metrics, encoding="utf-8").read()
        assert text.endswith("# EOF\n") and "mmf_bridge_connected 1\n" in text, text
        assert bridge.kill(signal.SIGTERM) == 0
        assert notify.recv(1000) == b"STOPPING=1"
    for line in bridge.lines:
        assert {"time", "level", "message"} <= set(json.loads(line)), line


# With Debian's modules: how many families have samples.
PARSER = """
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = text_string_to_metric_families(open(sys.argv[1], encoding="utf-8").read())
print(sum(1 for family in families if family.samples))
"""


def test_the_metrics_are_openmetrics(world):
    metrics = os.path.join(world.directory, "metrics")
    server = Server(world, "one").start()  # and one bridge: the file is its own
    world.bridge("a", sections(
        server, "a", "[queue Jobs]\ndirection = out\nmessage-size = 64\ncapacity = 16",
        "metrics = %s" % metrics))
    wait_until(lambda: os.path.exists(metrics), "the file")
    done = subprocess.run(["/usr/bin/python3", "-c", PARSER, metrics], capture_output=True,
                          text=True, timeout=DEADLINE)
    if "No module named" in done.stderr:
        raise Skip("python3-prometheus-client is needed")
    assert done.returncode == 0 and int(done.stdout) == 14, done


def test_an_idle_bridge_takes_no_processor_time(world):
    sizes = "\nmessage-size = 64\ncapacity = 16\n"
    _, a, b = start_two(
        world, "[queue Q]\ndirection = out%s[topic T]\ndirection = both%s[latest L]\n"
        "direction = both\nmessage-size = 64" % (sizes, sizes),
        "[queue Q]\ndirection = in\nfrom = a%s[topic T]\ndirection = both%s[latest L]\n"
        "direction = both\nmessage-size = 64" % (sizes, sizes))
    before = processor_seconds(a) + processor_seconds(b)
    time.sleep(5)
    used = processor_seconds(a) + processor_seconds(b) - before
    print("FIGURES: two idle bridges with three channels each: %.1f ms of processor time in "
          "5 s" % (1000 * used))
    assert used < 0.1, used


if __name__ == "__main__":
    main("bridge_links", globals())
