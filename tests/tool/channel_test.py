"""channel_test.py - send, recv, tail, and what is shown of channels."""
import json
import os
import re
import signal
import subprocess

from support import *


def test_a_queue_s_messages_are_taken_once():
    create("Jobs", "--kind", "queue", "--messages", "4", "--message-size", "8")
    mmf("send", "Jobs", "one")
    mmf("send", "Jobs", stdin=b"t\0o")
    entry, = ls()
    assert entry["kind"] == "queue" and entry["depth"] == 2 and entry["sent"] == 2
    assert entry["message_size"] == 8 and entry["capacity"] == 4
    assert "2 of 4, 2 sent" in mmf("ls").out
    assert mmf("recv", "Jobs").out == "one\n"
    assert mmf("recv", "Jobs", "--raw", raw=True).out == b"t\0o"
    fails(TIMED_OUT, "timed out", "recv", "Jobs", "-t", "50ms")
    assert "2 sent, 2 received" in mmf("stat", "Jobs").out


def test_a_full_queue_waits_or_fails():
    create("Jobs", "--kind", "queue", "--messages", "2")
    mmf("send", "Jobs", "--lines", stdin=b"a\nb\n")
    fails(TIMED_OUT, "timed out: \"Jobs\" is full", "send", "Jobs", "c", "-t", "50ms")
    sender = start("send", "Jobs", "c")
    assert mmf("recv", "Jobs", "-c", "3").out == "a\nb\nc\n"
    finish(sender)
    create("Fast", "--kind", "queue", "--messages", "2", "--overflow", "fail")
    mmf("send", "Fast", "--lines", stdin=b"a\nb\n")
    fails(FAILED, "", "send", "Fast", "c")


def test_the_oldest_may_be_dropped():
    create("News", "--kind", "topic", "--messages", "2", "--overflow", "drop-oldest")
    mmf("send", "News", "--lines", stdin=b"a\nb\nc\nd\n")
    assert mmf("tail", "News", "--replay", "2", "-c", "2").out == "c\nd\n"


def test_all_followers_of_a_topic_see_all():
    create("News", "--kind", "topic")
    followers = [start("tail", "News", "-c", "3") for _ in range(3)]
    wait_until(lambda: ls()[0]["receivers"] == 3, "three subscribers")
    for message in ("one", "two", "three"):
        mmf("send", "News", message)
    for follower in followers:
        assert finish(follower).out == "one\ntwo\nthree\n"


def test_a_latest_value_is_followed():
    create("Price", "--kind", "latest", "--message-size", "16")
    fails(TIMED_OUT, "", "recv", "Price", "-t", "50ms")
    mmf("send", "Price", "41")
    mmf("send", "Price", "42")
    assert mmf("recv", "Price").out == "42\n"
    follower = start("tail", "Price", "--number")
    assert follower.stdout.readline().endswith(b"\t42\n")
    mmf("send", "Price", "43")
    assert follower.stdout.readline().endswith(b"\t43\n")
    follower.send_signal(signal.SIGINT)
    follower.wait()
    assert follower.returncode == INTERRUPTED
    assert "2 versions" not in mmf("ls").out


CONSUMER = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
take = int(sys.argv[3])
options = (ctypes.c_byte * 256)()
queue = ctypes.c_void_p()
if library.mmf_queue_open_existing(sys.argv[2].encode(), None, ctypes.byref(queue)) < 0:
    sys.exit("open")
message = (ctypes.c_byte * 256)()
for _ in range(take):
    if library.mmf_queue_take(queue, 60000, ctypes.byref(message)) != 0:
        sys.exit("take")
print("ready", flush=True)
sys.stdin.read()
"""


@not_on_windows("the library is loaded by another Python")
def test_a_stuck_queue_shows_what_is_in_it():
    library = os.path.join(os.path.dirname(MMF), "..", "..", "src", "libmmf.so")
    if "libasan" in subprocess.run(["ldd", MMF], capture_output=True, text=True).stdout:
        raise Skip("a sanitizer needs to be loaded first")
    create("Jobs", "--kind", "queue", "--messages", "8", "--message-size", "16")
    out = mmf("queue", "Jobs").out
    assert "     waiting  0 of 8\n" in out and "oldest" not in out, out
    mmf("send", "Jobs", "--lines", stdin=b"one\nthree\nfive\nseven\n")

    def consume(count):
        consumer = subprocess.Popen(["/usr/bin/env", "python3", "-c", CONSUMER, library, "Jobs",
                                     str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(consumer)
        assert consumer.stdout.readline() == b"ready\n"
        return consumer

    first, second = consume(2), consume(1)
    out = mmf("queue", "Jobs").out
    assert "     waiting  1 of 8\n" in out, out
    for consumer, count in ((first, 2), (second, 1)):
        assert re.search(r"   in flight  %d with %d python3?\S*, for up to \d+s\n"
                         % (count, consumer.pid), out), out
    assert re.search(r"      oldest  number \d+, in flight, delivered 1 times\n", out), out
    head, *rows = mmf("queue", "Jobs", "--browse").out.splitlines()
    assert head.split() == "NUMBER STATE BYTES SINCE DELIVERIES PROCESS TEXT".split()
    assert len(rows) == 4 and " in flight " in rows[0] and " waiting " in rows[3], rows
    assert [row.split()[-1] for row in rows] == ["one", "three", "five", "seven"], rows
    assert mmf("tail", "Jobs", "--browse").out == "one\nthree\nfive\nseven\n"
    found = json.loads(mmf("queue", "Jobs", "-j").out)
    assert found["waiting"] == 1 and found["in_flight"] == 3 and found["capacity"] == 8
    assert [one["length"] for one in found["messages"]] == [3, 5, 4, 5], found
    assert [one["pid"] for one in found["messages"]] == [first.pid, first.pid, second.pid, None]
    first.kill()
    first.wait()
    third = consume(3)
    found = json.loads(mmf("queue", "Jobs", "-j").out)
    assert sorted(one["deliveries"] for one in found["messages"]) == [1, 1, 2, 2], found
    assert found["redelivered"] == 2, found
    assert "2 of 4 sent, at most 2 of one message" in mmf("queue", "Jobs").out
    assert mmf("stat", "Jobs").out.count("in flight  4 taken") == 1
    assert ls()[0]["in_flight"] == 4 and ls()[0]["sent"] == 4
    second.kill()
    third.kill()
    create("Cat", "8")
    create("News", "--kind", "topic")
    fails(WRONG_KIND, "Cat", "queue", "Cat")
    fails(WRONG_KIND, "News", "queue", "News")
    fails(NO_OBJECT, "Dog", "queue", "Dog")


def test_a_queue_s_messages_are_shown_and_not_taken():
    create("Jobs", "--kind", "queue", "--message-size", "200")
    assert mmf("tail", "Jobs", "--browse").out == ""
    long = bytes(range(200))
    for message in (b"one", b"", "zw\u00f6lf\t\n".encode(), long):
        mmf("send", "Jobs", stdin=message)
    for _ in range(2):
        out = mmf("tail", "Jobs", "--browse", raw=True).out
        assert out == b"one\n\nzw\xc3\xb6lf\t\n\n" + long + b"\n", out
    numbers = [line.split("\t")[0] for line in mmf(
        "tail", "Jobs", "-b", "-c", "2", "-n").out.splitlines()]
    assert len(numbers) == 2 and int(numbers[1]) == int(numbers[0]) + 1, numbers
    found = json.loads(mmf("queue", "Jobs", "-j").out)["messages"]
    assert [one["hex"] for one in found] == [
        "6f6e65", "", "7a77c3b66c66090a", long[:64].hex()], found
    rows = mmf("queue", "Jobs", "--browse").out.splitlines()
    assert rows[1].endswith(" one") and rows[3].endswith(" zw\u00f6lf\\t\\n"), rows
    assert rows[4].endswith("=>?..."), rows
    entry, = ls()
    assert entry["depth"] == 4 and entry["received"] == entry["receivers"] == 0, entry
    for option in ("--replay=1", "--timeout=1s"):
        fails(USAGE, "--browse shows what is there and ends", "tail", "Jobs", "-b", option)
    create("News", "--kind", "topic")
    fails(WRONG_KIND, "News", "tail", "News", "--browse")
    if not WINDOWS:
        terminal = Terminal("tail", "Jobs", "--browse", "-c", "3")
        assert terminal.finish() == 0
        assert terminal.seen == "one\r\n\r\nzw\u00f6lf\\t\\n\r\n".encode(), terminal.seen


def test_send_makes_a_queue_and_stays_until_it_is_empty():
    sender = start("send", "--create", "Jobs", "first")
    mmf("wait", "--exists", "Jobs")
    settled(lambda: ls()[0], sent=1)
    second = mmf("send", "--create", "Jobs", "second")
    assert second.err == ""
    assert sender.poll() is None
    assert mmf("recv", "Jobs", "--count", "2").out == "first\nsecond\n"
    finish(sender)
    assert ls("--orphaned") == []
    result = mmf("send", "-c", "Jobs", "lost", "-t", "50ms", status=TIMED_OUT)
    assert "timed out: messages that were not received are gone" in result.err, result
    sender = start("send", "--create", "Large", "x" * 3000)
    mmf("wait", "--exists", "Large")
    assert ls()[0]["message_size"] == 3000
    assert mmf("recv", "Large").out == "x" * 3000 + "\n"
    finish(sender)
    create("News", "--kind", "topic")
    mmf("send", "--create", "News", "to no subscriber")
    create("Cat", "8")
    fails(WRONG_KIND, "Cat", "send", "--create", "Cat", "x")


def test_what_is_wrong_is_said():
    create("Cat", "8")
    create("Jobs", "--kind", "queue", "--message-size", "4")
    for command in (["send", "Cat", "x"], ["recv", "Cat"], ["tail", "Cat"]):
        fails(WRONG_KIND, "Cat", *command)
    for command in (["send", "Dog", "x"], ["recv", "Dog"], ["tail", "Dog"]):
        fails(NO_OBJECT, "Dog", *command)
    fails(WRONG_KIND, "is a queue, and tail would take messages from its consumers; --browse", "tail", "Jobs")
    fails(USAGE, "message of 5 bytes is too long: \"Jobs\" takes at most 4", "send", "Jobs", "12345")
    fails(USAGE, "is too long: \"Jobs\" takes at most 4 bytes", "send", "Jobs", stdin=b"12345")
    fails(USAGE, "give no TEXT with it", "send", "Jobs", "x", "--lines")
    fails(USAGE, "unknown overflow \"x\" (block, fail, drop-oldest", "create", "Q",
          "--kind", "queue", "--overflow", "x")
    fails(USAGE, "invalid --message-size 0", "create", "Q", "--kind", "queue", "--message-size", "0")
    fails(USAGE, "--messages is not for a map", "create", "Q", "8", "--messages", "8")
    fails(USAGE, "--set is not for a queue", "create", "Q", "--kind", "queue", "--set")
    fails(EXISTS, "exists already", "create", "Jobs", "--kind", "queue", "--for", "0")


@not_on_windows("nothing is ever orphaned")
def test_an_orphaned_one_is_shown_and_left():
    kill(create("Jobs", "--kind", "queue"))
    for _ in range(2):
        entry, = ls("--orphaned")
        assert entry["status"] == "orphaned" and "sent" not in entry, entry
        assert "orphaned: no process has it open" in mmf("stat", "Jobs").out
    mmf("gc")


@not_on_windows("a console is no stream of bytes")
def test_a_terminal_is_not_garbled():
    create("Jobs", "--kind", "queue")
    mmf("send", "Jobs", stdin=b"\x1b[31mred\n")
    terminal = Terminal("recv", "Jobs")
    assert terminal.finish() == 0
    assert terminal.seen == b"\\x1b[31mred\\n\r\n", terminal.seen


def test_top_shows_rates():
    create("Jobs", "--kind", "queue")
    screen = Screen("%s top --interval 200ms" % SHELL_COMMAND, 120, 14)
    screen.expect("0 of 64, 0 sent")
    mmf("send", "Jobs", "--lines", stdin=b"".join(b"%d\n" % i for i in range(20)))
    screen.expect("20 of 64, 20 sent")
    row = [line for line in screen.show().splitlines() if line.startswith("Jobs")][0]
    assert " 20 " in row, row
    screen.keys("q")
    screen.expect("status 0")


main("tool_channel", globals())
