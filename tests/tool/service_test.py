"""service_test.py - call and serve, and what is shown of services."""
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from support import *

OTHER = windows_path(HELPER)
UPPER = [OTHER, "upper"] if WINDOWS else ["tr", "a-z", "A-Z"]
FAIL = ["cmd", "/c", "exit 3"] if WINDOWS else ["sh", "-c", "exit 3"]


def serve(name, *arguments):
    server = start("serve", name, *arguments)
    mmf("wait", "--exists", name, "-t", "60s")
    return server


def stop(server):
    """Ctrl-C; what it has said."""
    if WINDOWS:
        server.kill()
    else:
        server.send_signal(signal.SIGINT)
    server.wait(timeout=DEADLINE)
    assert WINDOWS or server.returncode == INTERRUPTED, server.returncode
    return text(server.stderr.read())


def call(*arguments, **more):
    return mmf("call", *arguments, "-t", "60s", **more)


def state():
    return [one for one in ls() if one["kind"] == "service"][0]


def test_requests_are_answered():
    server = serve("Upper", *UPPER)
    assert call("Upper", "hello").out == "HELLO\n"
    assert call("Upper", "one", "two", "three").out == "ONE\nTWO\nTHREE\n"
    assert call("Upper", stdin=b"all of\nthis\n").out == "ALL OF\nTHIS\n"
    assert call("Upper", "--lines", stdin=b"one\ntwo").out == "ONE\nTWO\n"
    assert call("Upper", "--raw", "a", "b").out == "AB"
    assert mmf("call", "-t", "60s", "Upper", "--", "-x").out == "-X\n"
    assert call("Upper", "").out == "" and call("Upper", stdin=b"").out == ""
    bytes_ = bytes(range(97)) + bytes(range(123, 256))
    assert call("Upper", "--raw", stdin=bytes_, raw=True).out == bytes_
    said = stop(server)
    assert said == "", said


def test_a_long_output_is_several_answers():
    create("Small", "--kind", "service", "--answer-size", "4", "--message-size", "8")
    serve("Small", *UPPER)
    assert call("Small", "abcdefgh", "--raw").out == "ABCDEFGH"
    assert call("Small", "a\nbb\nccc").out == "A\nBB\nCCC\n"
    if WINDOWS:
        return
    serve("Count", "sh", "-c", "read n; seq $n")
    out = "".join("%d\n" % i for i in range(1, 5001))
    assert len(out) > 5 * 4096
    assert call("Count", "5000", "3").out == out + "1\n2\n3\n"
    serve("Zeros", "sh", "-c", "read n; head -c $n /dev/zero")
    for size in (0, 4095, 4096, 4097, 8192, 30000):
        assert call("Zeros", "--raw", str(size), raw=True).out == bytes(size), size


# Until it is refused it says one word again and again, from the end of its parent on.
LEFT_BEHIND = ("(while kill -0 $$ 2>&-; do :; done; while echo more 2>&-; do :; done) & "
               "echo $!")


@not_on_windows("what a command has left behind ends with it")
def test_an_answer_ends_with_its_command():
    serve("Parent", "sh", "-c", LEFT_BEHIND)
    first, *more = call("Parent", "").out.splitlines()
    assert set(more) <= {"more"}, more
    wait_until(lambda: not is_alive(int(first)), "the end of what writes on")


@not_on_windows("each start takes its time")
def test_servers_share_the_work_of_many_clients():
    met = tempfile.mkdtemp() # no server goes on before each has a request
    servers = [serve("Double", "sh", "-c", "read n; : > %s/$PPID; until set -- %s/*; test $# = 3;"
                     "do sleep 0.01; done; echo $((2 * n)) $PPID" % (met, met)) for _ in range(3)]
    outputs = {}

    def client(first):
        outputs[first] = call("Double", "--lines", stdin="".join(
            "%d\n" % i for i in range(first, first + 20))).out.splitlines()

    threads = [threading.Thread(target=client, args=(100 * i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shutil.rmtree(met)
    pids = set()
    for first, lines in outputs.items():
        assert [int(line.split()[0]) for line in lines] == [
            2 * i for i in range(first, first + 20)], lines
        pids.update(int(line.split()[1]) for line in lines)
    assert len(outputs) == 6 and pids == {server.pid for server in servers}, pids
    settled(state, sent=120, received=120, depth=0, in_flight=0)


@not_on_windows("there is another shell")
def test_no_answer_is_lost_when_servers_are_killed():
    create("Double", "--kind", "service")
    command = ("serve", "Double", "sh", "-c", "read n; echo $((2 * n))")
    servers = [start(*command) for _ in range(3)]
    clients = [start("call", "Double", "--lines", "-t", "60s") for _ in range(3)]
    for kill_ in range(12):
        for client in clients:
            client.stdin.write(b"".join(b"%d\n" % n for n in range(5 * kill_, 5 * kill_ + 5)))
            client.stdin.flush()
        time.sleep(random.uniform(0, 0.02)) # any moment will do
        servers[kill_ % 3].kill()
        servers[kill_ % 3] = start(*command)
        for client in clients:
            for n in range(5 * kill_, 5 * kill_ + 5):
                assert client.stdout.readline() == b"%d\n" % (2 * n)
    for client in clients:
        assert finish(client).out == ""
    settled(state, sent=180, depth=0, in_flight=0)


def test_a_command_that_fails():
    server = serve("Broken", "--tries", "2", *FAIL)
    result = call("Broken", "x")
    assert result.out == "" and result.err == "", result
    server.kill()
    said = text(server.stderr.read())
    assert said.count("the command ended with status 3; the request is returned") == 1, said
    assert said.count("the command ended with status 3; the answer is empty") == 1, said
    assert "killed" not in said


@not_on_windows("there is another shell")
def test_a_request_is_tried_again():
    server = serve("Again", "sh", "-c", "test $MMF_SERVE_DELIVERIES = 3 && cat")
    assert call("Again", "third time").out == "third time\n"
    assert stop(server).count("the request is returned") == 2
    server = serve("Killed", "sh", "-c", "test $MMF_SERVE_DELIVERIES = 2 && cat || kill -9 $$")
    assert call("Killed", "second time").out == "second time\n"
    assert "the command was killed by signal 9" in stop(server)


@not_on_windows("there is another shell")
def test_a_killed_server_s_request_goes_to_another_one():
    with tempfile.TemporaryDirectory() as directory:
        fifo = os.path.join(directory, "fifo")
        os.mkfifo(fifo)
        first = serve("Work", "sh", "-c", "trap 'echo ended > %s; exit' TERM; echo $$ > %s; "
                      "while :; do sleep 0.05; done" % (fifo, fifo))
        client = start("call", "Work", "hello", stdin=subprocess.DEVNULL)
        with open(fifo) as file:
            command = int(file.read())
        assert state()["in_flight"] == 1 and state()["depth"] == 0, state()
        first.kill()
        with open(fifo) as file:
            assert file.read() == "ended\n" # so it got SIGTERM
        serve("Work", "sh", "-c", "echo $MMF_SERVE_DELIVERIES; cat")
        assert finish(client).out == "2\nhello\n"
        wait_until(lambda: not is_alive(command), "the command's end")


@not_on_windows("there is another shell")
def test_a_stopped_server_returns_its_request():
    """By Ctrl-C, which reaches the command, too; and by a signal to the server alone."""
    for ending in ("\x03", None):
        with tempfile.TemporaryDirectory() as directory:
            fifo = os.path.join(directory, "fifo")
            os.mkfifo(fifo)
            first = Terminal("serve", "Work", "sh", "-c", "echo > %s; exec sleep 60" % fifo)
            first.expect("serving \"Work\"; Ctrl-C ends it")
            client = start("call", "Work", "hello", stdin=subprocess.DEVNULL)
            with open(fifo) as file:
                file.read()
            if ending is not None:
                first.send(ending)
            else:
                os.kill(first.pid, signal.SIGTERM)
            assert os.WTERMSIG(first.finish()) == (signal.SIGINT if ending else signal.SIGTERM)
            second = serve("Work", "cat")
            assert finish(client).out == "hello\n"
            stop(second)


@not_on_windows("a console is no stream of bytes")
def test_ctrl_c_ends_a_server_at_any_moment():
    """Also while its command is about to begin."""
    for i in range(40):
        server = Terminal("serve", "Work", "sleep", "1000")
        server.expect("serving")
        client = start("call", "Work", "--lines")
        wait_until(lambda: state()["senders"] == 1, "the client")
        client.stdin.write(b"x\n")
        client.stdin.flush()
        time.sleep(i * 0.00003)
        server.send("\x03")
        assert os.WTERMSIG(server.finish()) == signal.SIGINT
        client.kill()
        client.wait()


def test_a_call_that_is_given_up_is_taken_back():
    create("Jobs", "--kind", "service")
    fails(TIMED_OUT, "timed out: no answer from \"Jobs\", which has no server", "call", "Jobs",
          "x", "-t", "50ms")
    found = state()
    assert (found["sent"], found["depth"], found["dropped"], found["in_flight"]) == (1, 0, 1, 0)
    assert "0 of 64, 1 sent, some given up" in mmf("ls").out
    assert "1 called, 0 answered, 1 given up" in mmf("stat", "Jobs").out
    client = start("call", "Jobs", "y")
    wait_until(lambda: state()["depth"] == 1, "the request")
    client.kill()
    client.wait()
    server = serve("Jobs", *UPPER)
    assert call("Jobs", "z").out == "Z\n"
    # A server has finished it, or the next client has taken it back.
    settled(state, sent=3, depth=0, in_flight=0)
    stop(server)


@not_on_windows("there is another shell")
def test_no_command_runs_for_a_dead_client():
    create("Jobs", "--kind", "service")
    with tempfile.NamedTemporaryFile(mode="r") as file:
        client = start("call", "Jobs", "of the dead")
        wait_until(lambda: state()["depth"] == 1, "the request")
        client.kill()
        client.wait()
        server = start("serve", "Jobs", "--count", "2", "sh", "-c", "tee -a " + file.name)
        wait_until(lambda: state()["received"] == 1, "the end of the request")
        assert call("Jobs", "of the living").out == "of the living\n"
        finish(server)
        assert file.read() == "of the living"


def test_what_is_wrong_is_said():
    create("Cat", "8")
    create("Jobs", "--kind", "service", "--message-size", "4")
    for command in (["call"], ["serve", "--existing"]):
        fails(NO_OBJECT, "Dog", *command, "Dog", "true")
        fails(WRONG_KIND, "Cat", *command, "Cat", "true")
    for command in (["send", "Jobs", "x"], ["recv", "Jobs"], ["tail", "Jobs"],
                    ["send", "--create", "Jobs", "x"]):
        fails(WRONG_KIND, "\"Jobs\" is a service: mmf call sends requests to it", *command)
    fails(USAGE, "request of 5 bytes is too long: \"Jobs\" takes at most 4", "call", "Jobs", "12345")
    fails(USAGE, "is too long: \"Jobs\" takes at most 4 bytes; --lines", "call", "Jobs",
          stdin=b"12345")
    fails(USAGE, "give no MESSAGE with it", "call", "Jobs", "x", "--lines")
    fails(USAGE, "missing command; usage: mmf serve NAME CMD...", "serve", "Jobs")
    assert mmf("serve", "Jobs", "-t", "50ms", *UPPER, status=TIMED_OUT).out == ""
    fails(USAGE, "use a number from 1 to 255", "serve", "Jobs", "--tries", "0", *UPPER)
    for option in ("--overflow=block", "--set"):
        fails(USAGE, "is not for a service", "create", "S", "--kind", "service", option)
    for kind in ("queue", "topic", "latest", "mutex"):
        fails(USAGE, "--answer-size is not for a " + kind, "create", "S", "--kind", kind,
              "--answer-size", "8")
    fails(USAGE, "invalid --answer-size 0", "create", "S", "-k", "service", "--answer-size", "0")
    fails(EXISTS, "exists already", "create", "Jobs", "--kind", "service", "--for", "0")


def test_a_command_that_cannot_run_ends_the_server():
    create("Jobs", "--kind", "service")
    client = start("call", "Jobs", "x", stdin=subprocess.DEVNULL)
    result = mmf("serve", "Jobs", "no such", status=127)
    assert "cannot run \"no such\"" in result.err, result
    server = start("serve", "Jobs", "--count", "1", *UPPER)
    assert finish(client).out.replace("\r", "") == "X\n"
    finish(server)


@not_on_windows("a console is no stream of bytes")
def test_a_terminal_is_not_garbled():
    serve("Red", "sh", "-c", "printf '\\033[31mred\\n\\tand \\377\\n'; cat")
    terminal = Terminal("call", "Red", "x\x07")
    assert terminal.finish() == 0
    assert terminal.seen.replace(b"\r\n", b"\n") == b"\\x1b[31mred\n\tand \\xff\nx\\x07\n", terminal.seen


def test_what_is_shown_of_a_service():
    server = serve("Upper", *UPPER)
    call("Upper", "one", "two")
    settled(state, message_size=4096, answer_size=4096, capacity=64, sent=2, received=2,
            in_flight=0, max_calls=4)
    out = mmf("ls").out
    assert "Upper" in out and " service " in out and "0 of 64, 2 sent" in out, out
    assert mmf("ls", "--kind", "service", "-n").out == "Upper\n"
    out = mmf("stat", "Upper").out
    assert "2 called, 2 answered, 0 given up, 0 redelivered" in out, out
    assert "0 of 64 clients, 1 of 64 servers" in out, out
    if not WINDOWS:
        screen = Screen("%s top" % SHELL_COMMAND, 80, 24)
        screen.expect("0 of 64, 2 sent")
        screen.keys("q")
        screen.expect("status 0")
    out = mmf("metrics").out
    assert 'mmf_channel_received_total{name="Upper",kind="service"' in out, out
    assert 'mmf_channel_in_flight{name="Upper",kind="service"' in out, out
    assert "is a service in use" in mmf("doctor", "Upper").out
    assert "an object of each kind was created" in mmf("doctor", "--all").out
    stop(server)


main("tool_service", globals())
