"""arguments_test.py - wrong arguments get one line that says what is right."""
import os
import resource
import subprocess

from support import *

COMMANDS = mmf("help", "--list").out.split()[:-1]
if WINDOWS:
    COMMANDS = COMMANDS[::4] # each start takes a tenth of a second


def test_help_is_there_for_all():
    out = mmf("--help").out
    assert mmf("help").out == out and mmf("-h").out == out
    for command in COMMANDS:
        assert "\n  %s " % command in out, command
        text = mmf(command, "--help").out
        assert text == mmf("help", command).out == mmf(command, "-h").out
        assert "usage: mmf %s" % command in text and "\nexample: mmf %s" % command in text
        for option in mmf("help", "--list", command).out.split():
            assert option.rstrip("=") in text, (command, option)
    assert mmf(status=USAGE).out == out
    assert mmf("--version").out.startswith("mmf ")


def test_unknown_commands_and_options():
    for wrong, meant in (("lss", "ls"), ("creat", "create"), ("dcotor", "doctor"),
                         ("wiat", "wait"), ("Watch", "watch"), ("serve1", "serve"),
                         ("frobnicate", None), ("x", None), ("", None)):
        say = "do you mean mmf %s?" % meant if meant else "mmf help lists them"
        fails(USAGE, "unknown command \"%s\"; %s" % (wrong, say), wrong)
    fails(USAGE, "unknown command \"x\"", "help", "x")
    fails(USAGE, "unexpected argument \"ls\"; usage: mmf help [COMMAND]", "help", "ls", "ls")
    for command in COMMANDS:
        result = fails(USAGE, "unknown option \"--nonsense\" (--help",
                       command, "--nonsense")
        for option in mmf("help", "--list", command).out.split():
            assert option.rstrip("=") in result.err, (command, option)
        fails(USAGE, "unknown option \"-Z\"", command, "-Z")
    fails(USAGE, "--offset needs a value: --offset N", "read", "Cat", "--offset")
    fails(USAGE, "--offset needs a value", "read", "Cat", "-o")
    fails(USAGE, "--json takes no value", "ls", "--json=yes")


@not_on_windows("there is another shell: windows_test.py")
def test_two_dashes_are_needed_only_before_a_dash():
    mmf("lock", "Gate", "sh", "-c", "exit 7", status=7)
    assert mmf("lock", "-t", "5s", "Gate", "--mode", "600", "echo", "-n", "-t", "x").out == "-t x"
    assert mmf("lock", "Gate", "--", "echo", "--", "-h").out == "-- -h\n"
    assert mmf("lock", "--", "-Gate", "echo", "hi").out == "hi\n"
    assert mmf("lock", "--", "-Gate", "--", "echo", "-n", "x").out == "x"
    assert mmf("run", "echo", "-n", "x").out == "x"
    assert mmf("create", "Cat", "8", "echo", "-n", "hi").out == "hi"
    assert mmf("create", "Door", "-k", "event", "--", "echo", "hi").out == "hi\n"
    create_dash = mmf("create", "--background", "--", "--Cat", "8")
    held.append(int(create_dash.out))
    mmf("write", "--", "--Cat", "-x")
    assert mmf("read", "-s", "--", "--Cat").out == "-x"
    assert mmf("ls", "-n", "--", "--*").out == "--Cat\n"
    fails(USAGE, "unknown option \"--Cat\"", "read", "--Cat")
    fails(USAGE, "missing command; usage: mmf lock", "lock", "--", "-Gate")


def test_other_names_of_commands():
    create("Cat", "8")
    assert mmf("list", "-n", "C*").out == "Cat\n"
    assert "name  Cat" in mmf("info", "Cat").out
    assert "0 orphaned removed" in mmf("rm").out
    assert "also:  mmf list" in mmf("help", "list").out


def test_colors_are_asked_for():
    create("Cat", "8")
    def has_colors(*arguments, **env):
        return "\033[" in mmf("dump", "Cat", *arguments, env=env).out
    assert not has_colors() and has_colors("--color") and has_colors("--color=always")
    assert has_colors(CLICOLOR_FORCE="1") and not has_colors(CLICOLOR_FORCE="0")
    assert not has_colors(CLICOLOR_FORCE="1", NO_COLOR="1")
    assert has_colors(CLICOLOR_FORCE="1", NO_COLOR="")
    assert not has_colors("--color=never", CLICOLOR_FORCE="1")
    assert not has_colors("--color=auto") and has_colors("--color", NO_COLOR="1")
    if not WINDOWS:
        terminal = Terminal("dump", "Cat", "--color=auto")
        terminal.finish()
        assert b"\033[" in terminal.seen
        assert "\033[32mgood" in mmf("doctor", "--all", "--color").out


def test_what_is_missing_or_unexpected():
    for command, usage in (("stat", "NAME..."), ("create", "NAME [SIZE]"),
                           ("read", "NAME"), ("write", "NAME [TEXT]"), ("dump", "NAME"),
                           ("peek", "NAME"), ("poke", "NAME VALUE..."), ("watch", "NAME"),
                           ("send", "NAME [TEXT]"), ("recv", "NAME"), ("tail", "NAME"),
                           ("call", "NAME [MESSAGE...]"), ("serve", "NAME CMD..."),
                           ("lock", "NAME CMD..."), ("signal", "NAME"), ("wait", "NAME...")):
        fails(USAGE, "missing argument; usage: mmf %s %s" % (command, usage),
              command)
    for command in ("read", "dump", "peek", "watch", "signal"):
        fails(USAGE, "unexpected argument \"b\"; usage: mmf " + command, command, "a", "b")
    for command in ("top", "bench"):
        fails(USAGE, "unexpected argument \"b\"", command, "b")
    fails(USAGE, "missing command; usage: mmf lock", "lock", "M")
    fails(USAGE, "missing command; usage: mmf run", "run")
    fails(USAGE, "missing command after --", "lock", "M", "--")
    fails(USAGE, "missing argument", "poke", "Cat")


def test_names():
    for command in ("stat", "read", "write", "dump", "peek", "watch", "signal", "wait",
                    "doctor"):
        fails(USAGE, "a name has at least one character", command, "")
        fails(USAGE, "may be followed by a backslash", command, "a\\b")
        if not WINDOWS: # where command lines are shorter than the longest name
            fails(USAGE, "name too long: 3501 bytes, at most 3500", command,
                  "n" * 3501)
        fails(USAGE, "a name has at least one character", command, "Global\\")
    fails(USAGE, "may be followed by a backslash", "create", "a\\b", "1")
    for command in ("stat", "read", "dump", "peek", "watch"):
        fails(NO_OBJECT, "Cat", command, "Cat")
    fails(NO_OBJECT, "Cat", "write", "Cat", "x")
    fails(NO_OBJECT, "Cat", "poke", "Cat", "1")
    fails(NO_OBJECT, "Cat", "wait", "Cat")
    fails(NO_OBJECT, "Cat", "signal", "Cat")
    create("n" * 3500, "1")


def test_sizes_and_offsets():
    for size in ("x", "", "-1", "10Q", "10Kx", "1.5K", "K", "0x", "10 K", " 10", "10KIB "):
        fails(USAGE, "invalid size \"%s\": use 10000, 0x2710, 10K or 4MiB" % size,
              "create", "Cat", size)
    fails(USAGE, "is too large: at most 8E - 1", "create", "Cat", "9E")
    fails(USAGE, "is too large: at most 8E - 1", "create", "Cat", "99999999999999999999")
    fails(USAGE, "invalid size 0: a map has at least one byte", "create", "Cat", "0")
    fails(USAGE, "missing size; usage: mmf create Cat 10000", "create", "Cat")
    for size, wanted in (("10", 10), ("10B", 10), ("0x10", 16), ("1K", 1024), ("1k", 1024),
                         ("1KB", 1024), ("1KiB", 1024), ("1kib", 1024), ("1M", 1 << 20),
                         ("1MiB", 1 << 20)):
        create("Cat", size)
        assert ls()[0]["size"] == whole(wanted), size
        kill(held.pop(), signal.SIGTERM)
    create("Cat", "8")
    for command in ("read", "dump", "watch", "peek"):
        fails(USAGE, "invalid --offset \"x\": use 10000", command, "Cat", "--offset", "x")
        fails(USAGE, "offset 9000 is past the end: \"Cat\" has %d bytes" % whole(8),
              command, "Cat", "--offset", "9000")
    for command in ("read", "dump", "watch"):
        fails(USAGE, "9000 bytes from offset 4 are past the end: \"Cat\" has %d" % whole(8), command,
              "Cat", "-o", "4", "-l", "9000")
    fails(USAGE, "8 bytes from offset %d are past the end" % (whole(8) - 7), "peek", "Cat", "-o",
          str(whole(8) - 7), "-c", "2")
    fails(USAGE, "nothing to watch after offset", "watch", "Cat", "-o", str(whole(8)))
    fails(USAGE, "use a number from 1 to", "peek", "Cat", "-c", "0")
    fails(USAGE, "use a number from 1 to", "peek", "Cat", "-c", "9223372036854775807")
    fails(USAGE, "exclude each other", "watch", "Cat", "-c", "1", "-l", "1")


def test_types_times_modes_and_kinds():
    create("Cat", "8")
    for command in ("peek", "watch"):
        fails(USAGE, "unknown type \"int\" (boolean, byte", command, "Cat", "--type", "int")
    fails(USAGE, "unknown type \"int\"", "poke", "Cat", "--type", "int", "1")
    for time in ("x", "", "-1", "5y", "1e999", "nan", "5 s"):
        fails(USAGE, "invalid --timeout \"%s\": use 250ms, 2s, 1.5m or 1h" % time, "wait", "Cat",
              "--timeout", time)
    fails(USAGE, "is too long: at most 24d", "wait", "Cat", "--timeout", "25d")
    fails(USAGE, "--interval is at least 1ms", "watch", "Cat", "-i", "0")
    for mode in ("x", "", "800", "1777", "0", "-600", "600x"):
        fails(USAGE, "invalid --mode \"%s\": use three octal digits" % mode, "create", "Dog", "1",
              "--mode", mode)
    fails(USAGE, "unknown kind \"mop\" (map, mutex", "ls", "--kind", "mop")
    fails(USAGE, "unknown kind \"mop\" (map, mutex", "create", "Dog", "--kind", "mop")
    fails(USAGE, "unknown access \"rw\" (read-write", "create", "Dog", "1", "--access", "rw")
    fails(USAGE, "unexpected argument \"1\": a mutex has no size", "create", "Dog", "1", "--kind", "mutex")
    for kind, option in (("map", "--manual"), ("map", "--initial=1"), ("mutex", "--set"),
                         ("mutex", "--delay"), ("event", "--maximum=1"),
                         ("semaphore", "--access=read")):
        size = ["1"] if kind == "map" else []
        fails(USAGE, "is not for a " + kind, "create", "Dog", *size, "--kind", kind,
              option)
    fails(USAGE, "use a number from 0 to 3", "create", "Dog", "--kind", "semaphore",
          "--maximum", "3", "--initial", "4")
    fails(USAGE, "the command says how long", "create", "Dog", "1", "--hold", "--", "true")
    fails(USAGE, "unknown --color \"blue\" (auto, always, never)", "dump", "Cat", "--color=blue")
    fails(USAGE, "unknown column \"colour\" (name, kind", "top", "--sort", "colour")
    for option in ("--sort", "--output", "-o"):
        fails(USAGE, "unknown column \"colour\" (name, kind", "ls", option, "colour")
    fails(USAGE, "unknown column \"\" (name", "ls", "-o", "name,,size")
    fails(USAGE, "--json and --names contradict each other", "ls", "-j", "-n")
    fails(USAGE, "--long and --output contradict each other", "ls", "-l", "-o", "name")
    fails(USAGE, "--time is at least 100ms", "bench", "--time", "1ms")
    assert names() == ["Cat"]


@not_on_windows("names are in the kernel, not in a directory")
def test_the_namespace_must_be_safe():
    fails(USAGE, "it must be an absolute path", "ls", env={"MMF_DIR": "x"})
    fails(USAGE, "is missing: mount a tmpfs", "create", "Cat", "1",
          env={"MMF_DIR": "/nowhere"})
    os.chmod(os.environ["MMF_DIR"], 0o777)
    fails(DENIED, "chmod +t", "ls")
    os.chmod(os.environ["MMF_DIR"], 0o700)


def test_a_reader_that_leaves_is_no_error():
    for i in range(10 if WINDOWS else 30):
        create("a rather long name, so that there is something to write %d" % i, "1")
    create("Cat", "4MiB")
    for command in ("ls", "ls --json", "read Cat", "dump Cat --all", "peek Cat -c 100000",
                    "help"):
        for ignored in (False, True):
            done = subprocess.run(
                ["bash", "-c", "%s%s %s | head -c 1 > /dev/null; echo ${PIPESTATUS[0]}"
                 % ("trap '' PIPE; " if ignored else "", SHELL_COMMAND, command)],
                capture_output=True, text=True, timeout=DEADLINE)
            assert done.stderr == "", (command, ignored, done)
            assert done.stdout in ("0\n", "141\n"), (command, ignored, done)


def test_a_full_disk_is_an_error():
    create("Cat", "64K")
    for command in ("ls", "ls --json", "read Cat", "dump Cat --all", "help"):
        done = subprocess.run(["bash", "-c", "%s %s > /dev/full" % (SHELL_COMMAND, command)],
                              capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == FAILED, (command, done)
        assert "standard output: No space left on device" in done.stderr, (command, done)


def test_no_memory_is_said():
    create("Cat", "8")
    fails(NO_SPACE, "Dog" if WINDOWS else "bytes", "create", "Dog", "1000T")


main("tool_arguments", globals())
