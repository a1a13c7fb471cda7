"""failures_test.py - each call of the NATS library that the bridge makes fails once at each of
its places (preload.c): it says what failed, goes on, and loses nothing."""
from mirrors_test import JOBS, MIRRORED, make_gap, shorten_turns, start_mirror
from support import *

SIZE, ROUNDS = 4096, 6
HOLD = [(kind, name) for kind, names in (("queue", ("Whole", "Shared")), ("topic", ("Live", "Kept")),
                                         ("latest", ("Value",)), ("service", ("Sums",)))
        for name in names]
STREAM = "stream-bytes = 64K\nbatch = 1"
# The section of each link: on machine a, and on b.
LINKS = {
    "queue Whole": ("direction = out\n" + STREAM, "direction = in\nfrom = a"),
    "queue Shared": ("direction = out\n" + STREAM,
                     "direction = in\nfrom = a\nshared = yes\ntake-over = 2s"),
    "topic Live": ("direction = out", "direction = in"),
    "topic Kept": ("direction = out\nstored = yes\nbatch = 1",
                   "direction = in\nstored = yes\nreplay = all"),
    "latest Value": ("direction = out", "direction = in"),
    "service Sums": ("direction = out\nworkers = 1", "direction = in\nworkers = 1"),
}
# The bridge's functions that need not say what failed, since it has no consequence: they ask
# again soon, or what they send may be lost.
SILENT = {"answer", "compare_mirror", "tidy", "is_gone", "note_position", "server_delete_message"}


class Failing:
    """A bridge with one link, started again where it ends since it cannot begin."""

    def __init__(self, world, machine, server, title, text, how):
        self.world, self.machine, self.title = world, machine, title
        self.lines, self.bridge = [], None
        name = os.path.join(world.directory, machine + title.replace(" ", ""))
        self.command = (*FAST, "BRIDGE_FAILING=" + name, "BRIDGE_FAILS=" + how, BRIDGE,
                        world.write(name + ".ini", sections(
                            server, machine, "[%s]\n%s" % (title, text))))
        self.start()

    def start(self):
        self.bridge = self.world.start(*self.command, machine=self.machine)

    def is_ready(self):
        if not self.bridge.is_running():
            self.bridge.reader.join(DEADLINE)
            assert self.bridge.process.returncode == 1 and any(
                "the configuration of the server: " in line for line in self.bridge.lines), (
                    self.bridge.process.returncode, self.bridge.lines)
            self.lines += self.bridge.lines
            self.start()
        return any(" ready: " in line for line in self.bridge.lines)

    def finish(self):
        assert self.bridge.is_running(), self.bridge.lines
        status = self.bridge.kill(signal.SIGTERM)
        assert status == 0, (self.title, self.machine, status, self.bridge.lines)
        self.lines += self.bridge.lines

    def failed(self):
        return [line.split()[1] for line in self.lines if line.startswith("FAILING")]


def start_links(world, how):
    for machine in "ab":
        world.peer(machine, "hold", *(word for kind, name in HOLD
                                      for word in (kind, name, SIZE, 64)))
    server = Server(world, "one").start()
    world.peer("b", "serve", "Sums")
    links = [Failing(world, machine, server, title, texts[i], how)
             for title, texts in LINKS.items() for i, machine in enumerate("ab")]
    for link in links:  # each may need others
        wait_until(lambda: [one.is_ready() for one in links] and link.is_ready(),
                   "%s on %s is ready" % (link.title, link.machine))
    return server, links


def listen(world, *command):
    return world.start(MMF, *command, machine="b")


def fail_everywhere(world, how, least):
    server, links = start_links(world, how)
    whole, shared = (listen(world, "recv", name, "--count", "1000", "--timeout", "1h")
                     for name in ("Whole", "Shared"))
    live, kept = listen(world, "tail", "Live"), listen(world, "tail", "Kept")
    for name in ("Live", "Kept"):
        wait_until(lambda: json.loads(world.mmf("b", "stat", "--json", name))["objects"][0]
                   ["receivers"] == 1, "the subscriber of " + name)
    texts = ["%d %s" % (i, "x" * 4000) for i in range(ROUNDS)]
    for text in texts:
        for name in ("Whole", "Shared", "Kept", "Value"):
            world.mmf("a", "send", name, text)

        def comes_live():
            world.mmf("a", "send", "Live", text)
            return text in live.lines

        wait_until(comes_live, "a message of the live topic")
        wait_until(lambda: call(world, "a", text[:9]).startswith(text[:9]), "an answer")
        wait_until(lambda: all(text in process.lines for process in (whole, shared, kept)),
                   "the messages")
        wait_until(lambda: world.mmf("b", "recv", "Value").strip() == text, "the value")
    for link in links:
        link.finish()
    assert whole.lines == texts, [line[:9] for line in whole.lines]
    assert set(shared.lines) == set(texts), [line[:9] for line in shared.lines]
    seen = -1  # of the stored topic: in order, and some once more
    for number in [int(line.split()[0]) for line in kept.lines]:
        assert number <= seen + 1, [line[:9] for line in kept.lines]
        seen = max(seen, number)
    for link in links if how == "error" else ():  # the same problem is said once
        check_said(link)
    count = sum(len(link.failed()) for link in links)
    print("FIGURES: %s: %d calls failed: %s" % (how, count, ", ".join(
        "%s %s %d" % (link.title, link.machine, len(link.failed())) for link in links)))
    assert count >= least, count


def functions_at(addresses):
    """Of the bridge, the inlined ones, too."""
    done = subprocess.run(["addr2line", "-f", "-i", "-e", BRIDGE, *addresses.split(",")], check=True, text=True,
                          capture_output=True, timeout=DEADLINE)
    return set(done.stdout.split())


def check_said(link):
    """What failed is said before the next call fails."""
    failing, said = None, ""
    for line in link.lines + ["FAILING"]:
        words = line.split(None, 3)
        if words[0] != "FAILING":
            said += line
        elif len(words) == 1 or not functions_at(words[2]) & SILENT:
            assert failing is None or failing[3] in said, (
                link.title, link.machine, failing, functions_at(failing[2]), link.lines)
            failing, said = words, ""


def fail_at_a_mirror(world, how, least):
    """A link that makes it again, since it has a gap."""
    a, b = start_mirror(world)
    into = world.bridge("b", sections(b, "b", MIRRORED))
    assert receive(world, "b", "Jobs", 8) == JOBS[:8]
    into.kill()
    make_gap(world, a, b)
    shorten_turns(b)
    link = Failing(world, "b", b, *MIRRORED.strip("[").split("]\n"), how)
    wait_until(link.is_ready, "the reader of the mirror is ready")
    assert receive(world, "b", "Jobs", 8) == JOBS[8:]
    world.mmf("a", "send", "Jobs", "after it")
    assert receive(world, "b", "Jobs", 1) == ["after it"]
    link.finish()
    if how == "error":
        check_said(link)
    assert not any("are missing" in line for line in link.lines), link.lines
    print("FIGURES: %s: %d calls failed at a mirror" % (how, len(link.failed())))
    assert len(link.failed()) >= least, link.failed()


def test_calls_that_fail(world):
    fail_everywhere(world, "error", 120)


def test_requests_that_are_lost(world):
    fail_everywhere(world, "timeout", 30)


def test_answers_that_are_lost(world):
    fail_everywhere(world, "late", 30)


def test_calls_that_fail_at_a_mirror(world):
    fail_at_a_mirror(world, "error", 20)


def test_requests_that_are_lost_at_a_mirror(world):
    fail_at_a_mirror(world, "timeout", 10)


def test_answers_that_are_lost_at_a_mirror(world):
    fail_at_a_mirror(world, "late", 10)


if __name__ == "__main__":
    main("bridge_failures", globals())
