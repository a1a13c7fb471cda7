"""config_test.py - what is refused, with its place; and what the program exits with."""
from support import *

DONE, CONFIGURATION, USAGE, NO_SERVER, DENIED, TLS, NO_JETSTREAM, NO_STREAM, CHANNEL = range(9)
QUEUE = "[queue Jobs]\ndirection = out\nmessage-size = 64\ncapacity = 16\n"


def run(world, *arguments, machine="a"):
    return subprocess.run([BRIDGE, *arguments], capture_output=True, text=True,
                          timeout=DEADLINE,
                          env={**os.environ, "MMF_DIR": world.namespace(machine)})


def check(world, text, *arguments):
    path = world.write("x.ini", text)
    done = run(world, "check", path, *arguments)
    return done.returncode, done.stderr.replace(path, "x.ini"), done.stdout


def refused(world, line, text):
    """`text`, with a server, is wrong in that line, for that reason alone."""
    status, said, _ = check(world, "[server]\nserver = nats://127.0.0.1:4222\n" + text)
    assert status == CONFIGURATION, said
    assert said == "x.ini:%s\nmmf-bridge: 1 problem\n" % line, said


def test_what_is_right(world):
    status, said, out = check(world, "; a comment\n[bridge]\norigin = a\nlog = json\n[server]\n"
                              "server = nats://127.0.0.1:4222 ; another\n" + QUEUE +
                              "[topic News]\ndirection = both\n[latest Position of it]\n"
                              "direction = in\n")
    assert (status, said, out) == (DONE, "", "3 channels, no problems\n"), said


def test_a_file_that_cannot_be_read(world):
    done = run(world, "check", "/nonexistent")
    assert done.returncode == CONFIGURATION
    assert done.stderr.startswith("/nonexistent: it cannot be read: No such file"), done.stderr


def test_sections_and_keys(world):
    refused(world, "3: unknown section [map M]; expected [bridge], [server] or [KIND NAME], KIND "
            "being one of queue, topic, latest, service", "[map M]\nx = 1\n" + QUEUE)
    refused(world, "3: [queue] has no name; expected [queue NAME]", "[queue]\nx = 1\n" + QUEUE)
    refused(world, '3: unknown key "colour" in [server]; mmf-bridge --help lists the keys',
            "colour = red\n" + QUEUE)
    refused(world, '7: unknown key "colour" for a queue; mmf-bridge --help lists the keys',
            QUEUE + "colour = red\n")
    refused(world, '5: unknown key "mirror-domain" for a topic; mmf-bridge --help lists the keys',
            "[topic T]\ndirection = in\nmirror-domain = x\n")
    refused(world, "7: direction is set a second time; first in line 4", QUEUE + "direction = in\n")
    refused(world, "7: it is neither a section nor KEY = VALUE", QUEUE + "nonsense\n")
    refused(world, "7: the line is longer than 198 bytes", QUEUE + "channel = " + "x" * 400 + "\n")
    refused(world, '7: there is another section [queue Jobs]; give this one another title and '
            '"channel = Jobs"', QUEUE + "[queue Jobs]\nchannel = X\nremote = X\ndirection = in\nfrom = z\n")
    status, said, _ = check(world, "x = 1\n" + QUEUE, "--server", "nats://127.0.0.1:4222")
    assert status == CONFIGURATION and 'x.ini:1: "x" stands before the first section' in said, said


def test_values(world):
    refused(world, '7: batch: invalid value "many"; expected one like 1024', QUEUE + "batch = many\n")
    refused(world, '7: stream-bytes: invalid value "5 MB"; expected one like 64K or 512M',
            QUEUE + "stream-bytes = 5 MB\n")
    refused(world, "7: stream-bytes: 1K is outside 65536 to 1099511627776",
            QUEUE + "stream-bytes = 1K\n")
    refused(world, '3: wait: invalid value "soon"; expected one like 500ms, 10s or 5m',
            "wait = soon\n" + QUEUE)
    refused(world, '7: storage: invalid value "tape" (file, memory)', QUEUE + "storage = tape\n")


def test_what_hangs_together(world):
    refused(world, '3: [queue Jobs] has no direction; set "direction" to out or in',
            "[queue Jobs]\n")
    refused(world, "3: [queue Jobs]: a queue goes one way, since each message has one receiver; "
            "use two", "[queue Jobs]\ndirection = both\n")
    refused(world, "3: [queue Jobs]: message-size and capacity are needed together",
            "[queue Jobs]\ndirection = out\ncapacity = 16\n")
    refused(world, "3: [queue Jobs]: mirror-domain is for the direction in",
            "[queue Jobs]\ndirection = out\nmirror-domain = x\n")
    refused(world, "7: [queue Again] has the same local channel as [queue Jobs] in line 3: "
            "messages would go around in a circle",
            QUEUE + "[queue Again]\nchannel = Jobs\nremote = Other\ndirection = in\nfrom = z\n")
    refused(world, "7: [queue Again] has the same remote name as [queue Jobs] in line 3",
            QUEUE + "[queue Again]\nremote = Jobs\ndirection = in\nfrom = z\n")
    refused(world, '3: [queue Jobs] has no from; set "from" to the origins whose messages come',
            "[queue Jobs]\ndirection = in\n")
    refused(world, '5: [queue Jobs]: this host is the origin "a": messages would go around in a '
            'circle; set "origin" in [bridge]',
            "[bridge]\norigin = a\n[queue Jobs]\ndirection = in\nfrom = b, a\n")
    into = "[queue Jobs]\ndirection = in\nfrom = z\n"
    refused(world, "3: [queue Jobs]: shared is for the direction in",
            "[queue Jobs]\ndirection = out\nshared = yes\n")
    refused(world, "3: [queue Jobs]: shared and mirror-domain exclude each other: every mirror "
            "has all messages", into + "shared = yes\nmirror-domain = x\n")
    refused(world, '3: [queue Jobs]: take-over is of a shared queue; set "shared = yes", too',
            into + "take-over = 10s\n")
    refused(world, "7: take-over: 1s is outside 2000 to 86400000 ms",
            into + "shared = yes\ntake-over = 1s\n")
    topic = "[topic T]\ndirection = %s\n"
    for key in ("stream-age = 1h", "replay = all", "stream-bytes = 1M", "storage = memory"):
        refused(world, '3: [topic T]: %s is of a stored topic; set "stored = yes", too' %
                key.split()[0], topic % "in" + key + "\n")
    refused(world, "3: [topic T]: replay is for the direction in",
            topic % "out" + "stored = yes\nreplay = 5\n")
    refused(world, '6: replay: invalid value "some"; expected one like 1024',
            topic % "in" + "stored = yes\nreplay = some\n")
    refused(world, "6: replay: 20000 is outside 1 to 10000",
            topic % "in" + "stored = yes\nreplay = 20000\n")
    refused(world, ' user and password-file are needed together', "user = me\n" + QUEUE)
    refused(world, ' credentials: "/nonexistent" cannot be read: No such file or directory',
            "credentials = /nonexistent\n" + QUEUE)


def test_all_problems_at_once(world):
    status, said, _ = check(world, "[server]\nx = 1\n[queue Jobs]\n")
    assert status == CONFIGURATION
    assert said.splitlines() == [
        'x.ini:2: unknown key "x" in [server]; mmf-bridge --help lists the keys',
        'x.ini: no server is given; set "server" in [server]',
        'x.ini:3: [queue Jobs] has no direction; set "direction" to out or in',
        "mmf-bridge: 3 problems"], said


def test_arguments(world):
    assert run(world, "check", "--server", "nats://127.0.0.1:4222", "--queue",
               "Jobs,direction=out,message-size=64,capacity=16").returncode == DONE
    for arguments, line in (
            (["--nosuch", "1"], 'unknown option "nosuch"'),
            (["--server"], 'there is no value for option "server"'),
            (["one", "two"], 'unexpected argument "two"')):
        done = run(world, *arguments)
        assert done.returncode == USAGE and line in done.stderr, done.stderr
    done = run(world, "check", "--server", "nats://127.0.0.1:4222", "--queue", "Jobs,direction")
    assert done.returncode == CONFIGURATION
    assert 'queue: expected KEY=VALUE instead of "direction"' in done.stderr, done.stderr
    assert "--queue" not in run(world, "--help").stderr


#
# The server.
#


def exits(world, status, part, server, channels=QUEUE, *arguments):
    """The bridge says so, within the seconds that it waits for what may come."""
    path = world.write("y.ini", "[server]\nserver = %s\nwait = 5s\n%s" % (
        server if isinstance(server, str) else server.url, channels))
    done = run(world, path, *arguments)
    assert done.returncode == status and part in done.stderr, (done.returncode, done.stderr)
    return done.stderr


def test_no_server(world):
    url = "nats://127.0.0.1:%d" % free_port()
    said = exits(world, NO_SERVER, "%s: No server available for connection; trying again" % url,
                 url)
    assert len(said.splitlines()) == 2, said  # the reason is said once, and at the end


def test_a_server_that_comes_later(world):
    server = Server(world, "late")
    bridge = world.bridge("a", "[server]\nserver = %s\n%s" % (server.url, QUEUE), ready=False)
    bridge.expect("trying again")
    server.start()
    bridge.expect(" ready: ")


def test_a_server_without_jetstream(world):
    server = Server(world, "plain", jetstream=False).start()
    exits(world, NO_JETSTREAM, "has no JetStream for this account: enable it in the server's "
          "configuration (jetstream {})", server)
    world.bridge("a", "[server]\nserver = %s\n[topic T]\ndirection = out\nmessage-size = 64\n"
                 "capacity = 16" % server.url)  # which needs none


def test_wrong_credentials(world):
    server = Server(world, "locked", more='authorization { user: "me", password: "right" }').start()
    right, wrong = world.write("right", "right\n"), world.write("wrong", "wrong\n")
    exits(world, DENIED, "Authorization", server)
    exits(world, DENIED, "Authorization", server, QUEUE, "--user", "me", "--password-file", wrong)
    path = world.write("y.ini", "[server]\nserver = %s\nuser = me\npassword-file = %s\n%s" % (
        server.url, right, QUEUE))
    assert run(world, "check", "--connect", path).returncode == DONE


def test_tls(world):
    certificate = [os.path.join(world.directory, name) for name in ("key.pem", "cert.pem")]
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        certificate[0], "-out", certificate[1], "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
                       check=True, capture_output=True, timeout=DEADLINE)
    except FileNotFoundError as missing:
        raise Skip("openssl is needed") from missing
    server = Server(world, "tls", more='tls { cert_file: "%s", key_file: "%s" }' % (
        certificate[1], certificate[0])).start()
    exits(world, TLS, "", server, QUEUE, "--tls", "yes")  # its authority is not known
    path = world.write("y.ini", "[server]\nserver = %s\ntls-ca = %s\n%s" % (
        server.url, certificate[1], QUEUE))
    done = run(world, "check", "--connect", path)
    assert done.returncode == DONE, done.stderr
    plain = Server(world, "plain").start()
    exits(world, TLS, "", plain, QUEUE, "--tls", "yes")


def test_an_unknown_stream(world):
    server = Server(world, "one").start()
    into = "[queue Jobs]\ndirection = in\nfrom = z\nmessage-size = 64\ncapacity = 16\n"
    exits(world, NO_STREAM, "there is no stream MMF_Jobs_z on this server: the sending bridge makes "
          "it", server, into)
    path = world.write("z.ini", "[server]\nserver = %s\n%s" % (server.url, into))
    done = run(world, "check", "--connect", path)
    assert done.returncode == NO_STREAM and "no stream MMF_Jobs_z" in done.stderr, done.stderr
    path = world.write("t.ini", "[server]\nserver = %s\n[topic News]\ndirection = in\n"
                       "stored = yes\n" % server.url)
    done = run(world, "check", "--connect", path)
    assert done.returncode == NO_STREAM and (
        "there is no stream MMF-topic_News on this server: the sending bridge makes it\n"
        in done.stderr), done


def test_channels_here(world):
    server = Server(world, "one").start()
    exits(world, CHANNEL, 'queue "Jobs": no such queue: "Jobs"', server,
          "[queue Jobs]\ndirection = out\n")
    world.peer("a", "hold", "topic", "Jobs", 64, 16)
    exits(world, CHANNEL, 'queue "Jobs":', server, "[queue Jobs]\ndirection = out\n")
    world.peer("b", "hold", "queue", "Jobs", 128, 16)
    path = world.write("y.ini", "[server]\nserver = %s\n%s" % (server.url, QUEUE))
    done = run(world, path, machine="b")  # no retry helps
    assert done.returncode == CHANNEL and "128" in done.stderr and "64" in done.stderr, done.stderr


if __name__ == "__main__":
    main("bridge_config", globals())
