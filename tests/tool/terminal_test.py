"""terminal_test.py - what a person sees: pseudo-terminals, and screens of a fixed size."""
import getpass
import os
import re
import signal
import subprocess

from support import *


@not_on_windows("a console is no stream of bytes")
def test_reading_does_no_harm_to_a_terminal():
    create("Cat", "64")
    mmf("write", "Cat", stdin=b"one\ttwo\n\x1b[31m\x07\x9b\xc3\xa9\xff\x00three")
    terminal = Terminal("read", "Cat")
    assert terminal.finish() == 0
    seen = terminal.seen.replace(b"\r\n", b"\n")
    assert seen.startswith("one\ttwo\n\\x1b[31m\\x07\\x9bé\\xff\\x00three\n".encode()), seen
    assert b"40 more zero bytes" in seen, seen
    terminal = Terminal("read", "Cat", "--raw", "-l", "10")
    terminal.finish()
    assert terminal.seen == b"one\ttwo\r\n\x1b[", terminal.seen


@not_on_windows("a console is no stream of bytes")
def test_dump_has_colours_on_a_terminal():
    create("Cat", "16")
    terminal = Terminal("dump", "Cat")
    terminal.finish()
    assert b"\033[90m00 " in terminal.seen
    os.environ["NO_COLOR"] = "1"
    terminal = Terminal("dump", "Cat")
    terminal.finish()
    del os.environ["NO_COLOR"]
    assert b"\033" not in terminal.seen


KEPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "screens")


def blur(screen):
    """Numbers, times, this directory, its room and its user are other ones each time."""
    screen = screen.replace(os.environ["MMF_DIR"], "/dev/shm")
    screen = re.sub(r"resident, .*", "resident, ...", screen)
    screen = re.sub(r"\b%s\b" % getpass.getuser(), "root", screen)
    lines = [re.sub(r"(?:[0-9]+\.)?[0-9]+", lambda found: "N" * len(found[0]), line).rstrip()
             for line in screen.splitlines()]
    return "\n".join(lines).rstrip("\n") + "\n"


def is_kept(name, screen):
    """Compare with a kept screen, in which a run of N is a number; MMF_KEEP_SCREENS=1 keeps
    anew. How many digits a number has, and the blanks beside it, may differ."""
    path = os.path.join(KEPT, name)
    if os.environ.get("MMF_KEEP_SCREENS"):
        with open(path, "w") as file:
            file.write(blur(screen))
    with open(path) as file:
        kept = file.read()

    def loose(text):
        text = re.sub("\u2581+", "\u2581", text)
        text = re.sub(r"[ \t]+", " ", re.sub(r"N+[a-zA-Z]?(?![a-z])", "N", text))
        # Where a column of processes is cut depends on their numbers.
        text = re.sub("N(?: mmf)?(?:, N(?: mmf)?)*(?:,? ?[mf]*\u2026)?", "N", text)
        return re.sub(r"\S*\u2026", "\u2026", text)

    assert loose(blur(screen)) == loose(kept), "%s is\n%s\nnot\n%s" % (name, screen, kept)


def make_some_of_each():
    create("Cat", "10K")
    create("Frames-of-the-camera-on-the-left", "1MiB")
    create("Gate", "--kind", "mutex")
    create("Door", "--kind", "event", "--set")
    create("Slots", "--kind", "semaphore", "--initial", "2", "--maximum", "5")
    create("Jobs", "--kind", "queue", "--messages", "16")
    create("News-of-the-day", "--kind", "topic")
    mmf("send", "Jobs", "--lines", stdin=b"a\nb\nc\n")
    for _ in range(3):
        create("Shared-by-four", "100", "--or-open")


SIZES = ((80, 24), (60, 20), (160, 50))


@not_on_windows("there is another console: windows_test.py")
def test_the_table_fits_each_terminal():
    make_some_of_each()
    for columns, rows in SIZES:
        screen = Screen("%s ls; %s ls --long" % (SHELL_COMMAND, SHELL_COMMAND), columns, rows)
        shown = screen.expect("status 0")
        is_kept("ls-%dx%d" % (columns, rows), shown)
        screen.close()
        screens.remove(screen)


@not_on_windows("there is another console: windows_test.py")
def test_an_empty_list_has_its_headings_on_a_terminal():
    assert mmf("ls").out == ""
    terminal = Terminal("ls")
    terminal.finish()
    assert terminal.seen == b"NAME KIND SIZE HOLDERS AGE STATE\r\n", terminal.seen
    terminal = Terminal("ls", "--no-header")
    terminal.finish()
    assert terminal.seen == b"", terminal.seen


@not_on_windows("there is another console: windows_test.py")
def test_a_name_of_wide_letters_is_cut_by_columns():
    create("\u540d" * 40, "1")
    screen = Screen("%s ls" % SHELL_COMMAND, 60, 6)
    lines = screen.expect("status 0").splitlines()
    assert lines[1].startswith("\u540d") and "\u2026" in lines[1], lines
    assert lines[2].startswith("status"), lines


@not_on_windows("a console is no stream of bytes: windows_test.py")
def test_create_says_what_is_open_and_ctrl_c_closes():
    terminal = Terminal("create", "Cat", "16")
    terminal.expect("\"Cat\" is open; Ctrl-C closes it")
    assert names() == ["Cat"]
    terminal.send("\x03")
    status = terminal.finish()
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT
    assert ls("--orphaned") == []


@not_on_windows("the kernel does not tell who owns a mutex")
def test_lock_shows_the_owner_it_waits_for():
    owner = start("lock", "Gate", "--", "cat")
    wait_until(lambda: ls() and ls()[0]["owned"])
    terminal = Terminal("lock", "Gate", "--", "true")
    terminal.expect("waiting for \"Gate\": owned by %d (mmf)" % owner.pid)
    owner.stdin.close()
    owner.wait()
    assert terminal.finish() == 0


@not_on_windows("there is another shell")
def test_ctrl_c_reaches_the_command_alone():
    terminal = Terminal("run", "sh", "-c",
                        "trap 'echo caught; exit 3' INT; echo ready; while :; do sleep 0.05; done")
    terminal.expect("ready")
    terminal.send("\x03")
    terminal.expect("caught")
    assert os.WEXITSTATUS(terminal.finish()) == 3


@not_on_windows("there is one kind of console: windows_test.py")
def test_screens_need_a_terminal():
    create("Cat", "8")
    fails(USAGE, "this needs a terminal: mmf ls prints the same once", "top")
    terminal = Terminal(command=["/usr/bin/env", "TERM=nonsense", MMF, "top"])
    assert os.WEXITSTATUS(terminal.finish()) == USAGE
    assert b'unknown terminal "nonsense": export TERM=xterm' in terminal.seen


def test_watch_shows_what_changes():
    create("Cat", "40")
    mmf("write", "Cat", "Hello, Cat")
    screen = Screen("%s watch Cat --interval 50ms" % SHELL_COMMAND, 80, 8)
    shown = screen.expect("q quit  space pause")
    rows = shown.splitlines()
    assert rows[0] == "mmf watch Cat: %d bytes, every 50 ms" % whole(40), shown
    assert rows[1].startswith("00000000  48 65 6c 6c 6f 2c 20 43  61 74 00 "), shown
    assert rows[1].endswith(" Hello, Cat......"), shown
    assert rows[3].startswith("00000020  00 00 00 00 00 00 00 00 "), shown
    assert rows[7].startswith("0 changes   q quit  space pause"), shown
    mmf("write", "Cat", "J")
    screen.expect("Jello")
    screen.expect("1 changes")
    screen.keys("q")
    screen.expect("status 0")


def test_watch_shows_values_and_when_the_name_goes():
    pid = create("Cat", "4000")
    screen = Screen("%s watch Cat --type int32 -i 20ms" % SHELL_COMMAND, 60, 10)
    screen.expect("q quit")
    mmf("poke", "Cat", "-o", "4", "-77")
    assert screen.expect("-77").splitlines()[2] == "00000004  -77"
    screen.keys("NPage")
    assert screen.expect("00000020  0").splitlines()[1] == "00000020  0"
    screen.keys(*(["-l", "\033[F"] if WINDOWS else ["End"])) # what its console knows
    last = "%08x  0" % (whole(4000) - 4)
    assert screen.expect(last).splitlines()[8] == last
    screen.keys("Space")
    screen.expect("paused")
    screen.keys("Space")
    kill(pid)
    screen.expect("REMOVED: the last process closed it")
    screen.keys("q")
    screen.expect("status 1")


@not_on_windows("the kernel keeps less: windows_test.py")
def test_top_fits_each_terminal():
    make_some_of_each()
    for columns, rows in SIZES:
        screen = Screen("%s top --interval 50ms" % SHELL_COMMAND, columns, rows)
        screen.expect("q quit")
        for _ in range(4):
            screen.keys("Down")
        screen.expect("Frames-")
        wait_until(lambda: "mmf-%d/Jobs" % os.geteuid() in screen.show(), "the pane of Jobs")
        screen.expect("\u2581\u2581")
        is_kept("top-%dx%d" % (columns, rows), screen.show())
        screen.keys("?")
        screen.expect("Any key goes back")
        is_kept("top-help-%dx%d" % (columns, rows), screen.show())
        screen.keys("x")
        screen.expect("Frames-")
        screen.keys("q")
        screen.expect("status 0")
        screen.close()
        screens.remove(screen)


def rows_of(screen):
    """The names in the table of top, from the second line of the screen on."""
    return [line.split()[0] for line in screen.show().splitlines()[2:] if line.strip()]


def is_first(screen, name):
    wait_until(lambda: rows_of(screen)[:1] == [name], "%s at the top" % name)


@not_on_windows("the kernel keeps less: windows_test.py")
def test_top_is_a_live_table():
    create("Cat", "10K")
    create("Door", "--kind", "event", "--set")
    gate = create("Gate", "--kind", "mutex")
    screen = Screen("%s top --interval 100ms" % SHELL_COMMAND, 120, 20)
    screen.expect("Door")
    assert os.environ["MMF_DIR"] + "/mmf-" in screen.show()
    room = r"^mmf top  \S+  3 objects, \S+ resident, \S+ of \S+ free$"
    assert re.search(room, screen.show(), re.M), screen.show()
    owner = start("lock", "Gate", "--", "cat")
    screen.expect("owned by %d (mmf)" % owner.pid)
    screen.keys("<") # from the name to the last column, the state
    is_first(screen, "Gate")
    assert "State\u25bc" in screen.show()
    screen.keys("r")
    is_first(screen, "Cat")
    assert "State\u25b2" in screen.show()
    screen.keys(">")
    screen.expect("Name\u25b2")
    for _ in range(2):
        screen.keys(">")
    screen.expect("Size\u25bc")
    is_first(screen, "Cat")
    screen.keys("/")
    screen.keys("doo")
    screen.expect("filter: doo_")
    screen.keys("Enter")
    is_first(screen, "Door")
    screen.keys("/")
    screen.expect("filter: doo_")
    screen.keys("Escape")
    screen.expect("Cat")
    screen.keys("Up")
    screen.expect("  %d" % owner.pid)
    screen.expect("  %d" % gate)
    kill(gate)
    owner.kill()
    owner.wait()
    wait_until(lambda: "Gate" not in screen.show(), "the end of Gate")
    screen.keys("q")
    screen.expect("status 0")


def test_ctrl_c_gives_the_terminal_back():
    create("Cat", "8")
    for command in ("top", "watch Cat"):
        # Wine's console gives it back when the program has ended; on Linux it does itself.
        screen = Screen("%s %s; until stty -a | tr ' ' '\\n' | grep -x echo; do sleep 0.1; done"
                        .replace("'", '"') % (SHELL_COMMAND, command))
        screen.expect("q quit")
        screen.keys("C-c")
        shown = screen.expect("status")
        assert "echo" in shown.split(), shown
        screen.close()
        screens.remove(screen)


@not_on_windows("a console is no stream of bytes: windows_test.py")
def test_three_terminals():
    """With nothing but the tool: one creates, one writes, one watches; the first is
    killed, and nothing is left."""
    first = Terminal("create", "Cat", "64")
    first.expect("is open")
    third = Screen("%s watch Cat -i 50ms" % SHELL_COMMAND, 90, 8)
    third.expect("q quit")
    second = Terminal("write", "Cat", "Hello from the second")
    assert second.finish() == 0
    third.expect("Hello from the s")
    third.expect(" econd.")
    os.kill(first.pid, signal.SIGKILL)
    first.finish()
    assert mmf("ls", "--no-header").out == ""
    third.expect("REMOVED: the last process closed it")
    third.keys("q")


main("tool_terminal", globals())
