"""mirrors_test.py - a queue whose stream is mirrored: mirrors that lack messages, or stand still,
and several bridges that make one. gate.py holds up one request, so the order is certain."""
from support import *


MIRRORED = "[queue Jobs]\ndirection = in\nfrom = a\nmirror-domain = a"


def start_mirror(world):
    """Two servers with domains of their own, and eight messages at b."""
    port = free_port()
    a = Server(world, "a", "a", 'leafnodes { listen: "127.0.0.1:%d" }' % port).start()
    b = Server(world, "b", "b", 'leafnodes { reconnect: 1, remotes: [ { url: '
               '"nats-leaf://127.0.0.1:%d" } ] }' % port).start()
    world.hold("abd", "queue", "Jobs", 64, 64)
    # What is published a second time has another place in the stream.
    world.bridge("a", sections(a, "a", "[queue Jobs]\ndirection = out\nbatch = 1").replace(
        "ack-wait = 1s", "ack-wait = 10m"))
    for i in range(1, 9):
        world.mmf("a", "send", "Jobs", "job %d" % i)
    return a, b


def make_gap(world, a, b):
    """The mirror lacks messages 9 to 12 of 16, which its original has."""
    for i in range(9, 17):
        world.mmf("a", "send", "Jobs", "job %d" % i)
    wait_until(lambda: stream_info(b, "MMF_Jobs_a")["state"]["last_seq"] == 16, "the mirror")
    request(b, "$JS.API.STREAM.PURGE.MMF_Jobs_a", '{"seq": 13}')
    assert stream_info(b, "MMF_Jobs_a")["state"]["first_seq"] == 13
    assert stream_info(a, "MMF_Jobs_a")["state"]["first_seq"] == 1


JOBS = ["job %d" % i for i in range(1, 17)]


def test_a_mirror_with_a_gap_is_made_again(world):
    a, b = start_mirror(world)
    into = world.bridge("b", sections(b, "b", MIRRORED))
    assert receive(world, "b", "Jobs", 8) == JOBS[:8]
    into.kill()
    make_gap(world, a, b)
    into = world.bridge("b", sections(b, "b", MIRRORED, metrics(world, "b")), ready=False)
    into.expect("the mirror lacks messages of a from number 9 to 12: it is made again")
    assert receive(world, "b", "Jobs", 8) == JOBS[8:]
    world.mmf("a", "send", "Jobs", "after it")
    assert receive(world, "b", "Jobs", 1) == ["after it"]
    wait_until(lambda: lost(world, "b") == 0, "the count of what is lost")
    assert stream_info(b, "MMF_Jobs_a")["state"]["first_seq"] == 1


def test_a_gap_of_the_original_is_lost_once(world):
    """The mirror need not be made again."""
    a, b = start_mirror(world)
    into = world.bridge("b", sections(b, "b", MIRRORED))
    assert receive(world, "b", "Jobs", 8) == JOBS[:8]
    into.kill()
    make_gap(world, a, b)
    request(a, "$JS.API.STREAM.PURGE.MMF_Jobs_a", '{"seq": 13}')
    into = world.bridge("b", sections(b, "b", MIRRORED, metrics(world, "b")), ready=False)
    into.expect("4 messages of a are missing in the stream")
    assert receive(world, "b", "Jobs", 4) == JOBS[12:]
    wait_until(lambda: lost(world, "b") == 4, "the count of what is lost")
    assert not any("it is made again" in line for line in into.lines)


# What a bridge asks to delete a mirror, to make one, and to read it.
DELETE, MAKE, READ = r"STREAM\.DELETE", r"STREAM\.CREATE\.MMF_Jobs", r"CONSUMER\..*CREATE"


def read_a_gap_twice(world, what):
    """The mirror that the bridge makes again is purged before it is read: servers were seen to
    make one like that. Its original has all messages."""
    a, b = start_mirror(world)
    into = world.bridge("b", sections(b, "b", MIRRORED))
    assert receive(world, "b", "Jobs", 8) == JOBS[:8]
    into.kill()
    make_gap(world, a, b)
    request(b, "$JS.API.STREAM.PURGE.MMF_Jobs_a", what)
    gate = world.gate(b)
    gate.hold(DELETE)
    into = world.bridge("b", sections(gate, "b", MIRRORED, metrics(world, "b")), ready=False,
                        within=FAST)
    gate.wait()
    gate.hold(READ)
    gate.wait()
    wait_until(lambda: stream_info(b, "MMF_Jobs_a")["state"]["messages"] == 16, "the mirror")
    request(b, "$JS.API.STREAM.PURGE.MMF_Jobs_a", what)
    gate.release()
    assert receive(world, "b", "Jobs", 8) == JOBS[8:]
    wait_until(lambda: lost(world, "b") == 0, "the count of what is lost")
    return into


def test_a_mirror_with_a_gap_is_made_again_until_it_has_none(world):
    read_a_gap_twice(world, '{"seq": 13}')


def test_a_mirror_that_lacks_the_last_messages_is_made_again(world):
    """No later message shows it."""
    into = read_a_gap_twice(world, "")
    into.expect_said("the mirror is past message 1 of its stream, and does not have it or give it",
                     times=2)


def start_readers(world):
    """Of one mirror: b, and d, each with a gate; then the mirror has a gap."""
    a, b = start_mirror(world)
    gates = [world.gate(b), world.gate(b)]
    readers = [world.bridge(machine, sections(gate, machine, MIRRORED))
               for machine, gate in zip("bd", gates)]
    for machine in "bd":
        assert receive(world, machine, "Jobs", 8) == JOBS[:8]
    for reader, gate in zip(readers, gates):
        reader.kill()
        gate.subjects.clear()
    make_gap(world, a, b)
    return b, gates


def start_reader(world, machine, gate):
    return world.bridge(machine, sections(gate, machine, MIRRORED, metrics(world, machine)),
                        ready=False)


def finish_readers(world, readers, machines="bd"):
    """These have not had what was missing."""
    for machine in machines:
        assert receive(world, machine, "Jobs", 8) == JOBS[8:]
    world.mmf("a", "send", "Jobs", "after it")
    for machine in "bd":
        assert receive(world, machine, "Jobs", 1) == ["after it"]
        wait_until(lambda: lost(world, machine) == 0, "the count of what is lost")
    wait_until(lambda: any("it is made again" in line for reader in readers
                           for line in list(reader.lines)), "a word of it")


def test_two_readers_of_one_mirror(world):
    """Both see the gap."""
    _, gates = start_readers(world)
    finish_readers(world, [start_reader(world, *pair) for pair in zip("bd", gates)])


def test_a_late_reader_leaves_the_new_mirror(world):
    """It sees the gap, and is held up until the other one has made the mirror again."""
    server, (one, other) = start_readers(world)
    other.hold(DELETE + r"|^mmf\.turn\.")
    late = start_reader(world, "d", other)
    other.wait()
    early = start_reader(world, "b", one)
    early.expect("it is made again")
    wait_until(lambda: one.count("STREAM.DELETE"), "the deletion")
    wait_for_mirror(server)
    made = stream_info(server, "MMF_Jobs_a")["created"]
    other.release()
    finish_readers(world, [early, late])
    assert stream_info(server, "MMF_Jobs_a")["created"] == made
    assert other.count("STREAM.DELETE") == 0, other.subjects


def wait_for_turns(gate):
    """The reader is refused its turn, again and again."""
    refused = gate.count("mmf.turn.")
    wait_until(lambda: gate.count("mmf.turn.") >= refused + 5, "waiting for its turn")


def test_a_mirror_is_made_by_one_reader_at_a_time(world):
    """One is held up when it deletes the mirror, the other one as it makes it."""
    server, (one, other) = start_readers(world)
    made = stream_info(server, "MMF_Jobs_a")["created"]
    other.hold(DELETE)
    first = start_reader(world, "d", other)
    other.wait()
    second = start_reader(world, "b", one)
    second.expect("it is made again")
    wait_for_turns(one)
    info = stream_info(server, "MMF_Jobs_a")
    assert info["created"] == made, (made, info, one.subjects, other.subjects)
    other.hold(MAKE)
    other.wait()
    wait_for_turns(one)
    assert one.count("STREAM.DELETE") == one.count("STREAM.CREATE.MMF_Jobs") == 0, one.subjects
    other.release()
    finish_readers(world, [first, second])


#
# A bridge that has its turn, and is killed, or late.
#

TURNS = "MMF-turns_b"


def shorten_turns(server):
    """They end by themselves, in the stream's own time; here, after two seconds."""
    config = stream_info(server, TURNS)["config"]
    assert config["max_age"] == 15 * 10 ** 9, config
    config["max_age"] = config["duplicate_window"] = 2 * 10 ** 9
    done = request(server, "$JS.API.STREAM.UPDATE." + TURNS, json.dumps(config))
    assert done["config"]["max_age"] == 2 * 10 ** 9, done


def hold_turn(world, what):
    """Two readers: one has the turn, and is held up when it asks this; the other one waits."""
    server, (one, other) = start_readers(world)
    other.hold(what)
    first = start_reader(world, "d", other)
    other.wait()
    second = start_reader(world, "b", one)
    wait_for_turns(one)
    return server, (one, other), [first, second]


def kill_in_turn(world, what):
    server, (one, other), (first, second) = hold_turn(world, what)
    shorten_turns(server)
    first.kill()
    assert receive(world, "b", "Jobs", 8) == JOBS[8:]
    world.bridge("d", sections(server, "d", MIRRORED, metrics(world, "d")))
    finish_readers(world, [first, second], "d")
    assert other.count("STREAM.CREATE.MMF_Jobs") == (what is MAKE)


def test_a_reader_that_is_killed_before_it_deletes_a_mirror(world):
    """Its turn ends by itself, and the other reader makes the mirror."""
    kill_in_turn(world, DELETE)


def test_a_reader_that_is_killed_before_it_makes_a_mirror(world):
    """Then there is none."""
    kill_in_turn(world, MAKE)


def turn(server):
    """The sequence of the turn that a reader has; None: no reader has one."""
    found = request(server, "$JS.API.STREAM.MSG.GET." + TURNS,
                    json.dumps({"last_by_subj": "mmf.turn.b.MMF_Jobs_a"}))
    return found["message"]["seq"] if "message" in found else None


def end_turn(server):
    """As its time does."""
    request(server, "$JS.API.STREAM.MSG.DELETE." + TURNS, json.dumps({"seq": turn(server)}))


def wait_for_mirror(server):
    wait_until(lambda: stream_info(server, "MMF_Jobs_a").get("state", {}).get("messages") == 16,
               "the new mirror")


def test_a_late_reader_does_not_make_the_mirror_twice(world):
    """It has deleted it, and its turn ends before it makes one: the other one's stays."""
    server, (one, other), readers = hold_turn(world, MAKE)
    end_turn(server)
    wait_for_mirror(server)
    made = stream_info(server, "MMF_Jobs_a")["created"]
    other.release()
    finish_readers(world, readers)
    assert stream_info(server, "MMF_Jobs_a")["created"] == made
    assert one.count("STREAM.DELETE") == 0 and other.count("STREAM.DELETE") == 1


def test_a_late_reader_does_not_end_the_turn_of_another(world):
    """Both delete the mirror, one after the other, and both go on."""
    server, (one, other), readers = hold_turn(world, DELETE)
    one.hold(DELETE)
    end_turn(server)
    one.wait()
    taken = turn(server)
    other.release()
    assert receive(world, "d", "Jobs", 8) == JOBS[8:]
    assert taken is not None and turn(server) == taken
    one.release()
    finish_readers(world, readers, "b")
    assert turn(server) is None and one.count("STREAM.DELETE") == other.count("STREAM.DELETE") == 1


#
# A mirror that stands still.
#


def test_a_mirror_that_stands_still_is_made_again(world):
    """Its original is not where it looks for it. It may be late, so this takes half a minute
    of the bridge's time; it is said earlier."""
    a, b = start_mirror(world)
    request(b, "$JS.API.STREAM.CREATE.MMF_Jobs_a", json.dumps(
        {"name": "MMF_Jobs_a", "retention": "limits", "storage": "file", "max_consumers": -1,
         "max_msgs": -1, "max_bytes": -1, "discard": "old", "num_replicas": 1,
         "mirror": {"name": "MMF_Jobs_a", "external": {"api": "$JS.nowhere.API"}}}))
    made = stream_info(b, "MMF_Jobs_a")["created"]
    into = world.bridge("b", sections(b, "b", MIRRORED, metrics(world, "b")), within=FAST)
    into.expect("message 1 of the stream is not in its mirror, or does not come: waiting")
    assert stream_info(b, "MMF_Jobs_a")["created"] == made
    into.expect("the mirror stands still before message 1 of its stream: it is made again")
    assert receive(world, "b", "Jobs", 8) == JOBS[:8]
    wait_until(lambda: counter(world, "b", "messages") == 8, "the count of messages")
    assert lost(world, "b") == 0 and stream_info(b, "MMF_Jobs_a")["created"] != made


if __name__ == "__main__":
    main("bridge_mirrors", globals())
