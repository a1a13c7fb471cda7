"""windows_test.py - what is another thing on Windows: what the kernel keeps, its sessions,
other commands, the console."""
import json
import os
import re
import subprocess
import tempfile

from support import *

HERE, OTHER = windows_path(MMF), windows_path(HELPER)


def other_program(*arguments):
    """A program that knows nothing of mmf."""
    process = subprocess.Popen([WINE, HELPER, *arguments], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    started.append(process)
    return process


#
# What is listed.
#


def test_what_the_kernel_keeps_is_listed():
    pid = create("Cat", "10000")
    entry, = ls()
    assert entry["name"] == "Cat" and entry["kind"] == "map" and entry["status"] == "in use"
    assert entry["size"] == 12288 and entry["holder_count"] == 1 and entry["holders"] == []
    assert re.fullmatch(r"(\\Sessions\\\d+)?\\BaseNamedObjects\\Cat", entry["path"]), entry
    for member in ("resident", "created", "age_ms", "mode", "owner_uid", "creator_pid",
                   "creator_command", "access", "file"):
        assert entry[member] is None, member
    second = create("Cat", "10000", "--or-open")
    assert ls()[0]["holder_count"] == 2
    kill(second)
    kill(pid)
    assert ls() == []


def test_the_table_and_stat():
    create("Cat", "10K")
    head, row = mmf("ls", "Cat").out.splitlines()
    assert head.split() == "NAME KIND SIZE HOLDERS AGE STATE".split()
    assert row.split() == ["Cat", "map", "12K", "1", "handle"], row
    assert row.index("1 handle") == head.index("HOLDERS") and row == row.rstrip()
    assert mmf("ls", "--no-header", "Cat").out.split() == row.split()
    assert " 12288 " in mmf("ls", "--bytes", "Cat").out
    out = mmf("stat", "Cat").out
    assert "size  12288 bytes (12K)\n" in out and "holders  1 handle\n" in out, out
    assert re.search(r"in kernel  (\\Sessions\\\d+)?\\BaseNamedObjects\\Cat\n", out), out
    assert "created" not in out and "mode" not in out, out
    fails(NO_OBJECT, "no such object: \"Dog\"", "stat", "Dog")


def test_a_channel_knows_its_maker():
    pid = create("Jobs", "--kind", "queue", "--messages", "4")
    entry, = ls()
    assert entry["kind"] == "queue" and entry["creator_pid"] == pid, entry
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["created"]), entry
    assert 0 <= entry["age_ms"] < 1000 * DEADLINE and entry["mode"] is None, entry
    assert re.search(r"created  [-0-9]+ [:0-9]+, \d+s ago, by %d\n" % pid,
                     mmf("stat", "Jobs").out)
    assert re.search(r" \d+s +0 of 4, 0 sent", mmf("ls", "Jobs").out)


def test_objects_of_other_programs_are_listed():
    owner = other_program("own", "Gate")
    assert int(owner.stdout.readline()) > 0
    entry, = ls()
    assert entry["kind"] == "mutex" and entry["owned"] and entry["taken"] == 1, entry
    fails(TIMED_OUT, "is still owned", "lock", "Gate", "-t", "50ms", "--",
          "cmd", "/c", "exit")
    owner.stdin.close()
    owner.wait()
    assert ls() == []


def test_names_are_unicode():
    for name in ("ünï☃", "a b/c.d", "*?[x]", "Global\\Hen", "two  blanks \"quoted\""):
        pid = create(name, "1")
        assert names() == [name]
        assert mmf("ls", "-n", name.replace("*", "[*]").replace("[x]", "[[]x]")).out.strip() \
            == name.replace("\\\"", "\"")
        assert json.loads(mmf("stat", name, "--json").out)["objects"][0]["name"] == name
        kill(pid)


def test_patterns_choose_as_a_shell_does():
    for name in ("Cat", "Cow", "C-3", "Dog"):
        create(name, "1")
    for pattern, wanted in (("C*", "C-3 Cat Cow"), ("C?t", "Cat"), ("[CD]o[wg]", "Cow Dog"),
                            ("C[!a]*", "C-3 Cow"), ("C[0-9-]?", "C-3"), ("*o*", "Cow Dog"),
                            ("Cat?", ""), ("[C", ""), ("C**t", "Cat"), ("cat", "")):
        shown = mmf("ls", "--names", pattern, status=DONE if wanted else NO_OBJECT).out
        ours = [line for line in shown.splitlines() if "__wine" not in line.lower()]
        assert " ".join(ours) == wanted, pattern


#
# Bytes.
#


def test_what_does_not_fit_is_not_written():
    create("Cat", "4096")
    mmf("write", "Cat", "12345678")
    fails(USAGE, "9 bytes do not fit after offset 4088", "write", "Cat", "-o", "4088",
          "123456789")
    fails(USAGE, "9 bytes do not fit", "write", "Cat", "-o", "4088", "--string", "abcdefgh")
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 4097)
        file.seek(0)
        done = subprocess.run([*COMMAND, "write", "Cat"], stdin=file, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    assert done.returncode == USAGE and b"4097 bytes do not fit" in done.stderr, done
    assert mmf("read", "Cat", "-l", "9", raw=True).out == b"12345678\0"
    fails(USAGE, "standard input is too long: 4096 bytes", "write", "Cat", stdin=b"y" * 4097)


def test_bytes_are_not_lines():
    create("Cat", "4096")
    data = b"\r\n\x1a\n\r\0" + bytes(range(256))
    mmf("write", "Cat", stdin=data)
    assert mmf("read", "Cat", "-l", str(len(data)), raw=True).out == data
    assert mmf("ls", raw=True).out.count(b"\r") == 0


def test_a_map_of_a_file():
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"in a file")
        file.flush()
        pid = create("Cat", "--file", windows_path(file.name))
        mmf("write", "Cat", "IN")
        kill(pid)
        assert open(file.name, "rb").read(9) == b"IN a file"


#
# Commands.
#


def test_create_runs_a_command_while_it_holds():
    result = mmf("create", "Cat", "8", "--", "cmd", "/c",
                 "%s write Cat hi && %s read Cat --string && exit 7" % (HERE, HERE), status=7)
    assert result.out == "hi", result
    assert ls() == []


def test_arguments_reach_the_command_as_they_are():
    words = ["a b", "c\"d", "e\\", "\\\"f\\\\", "", "*", "--json", "x\ty", "\\\\g h\\\\", "\"i j\""]
    out = mmf("lock", "Gate", "--", OTHER, "echo", *words).out.replace("\r", "")
    assert out == "".join("[%s]\n" % word for word in words), out
    result = mmf("lock", "Gate", "--", HERE, "stat", "ünï", status=NO_OBJECT)
    assert "no such object: \"ünï\"" in result.err, result


def test_lock_passes_the_status_on():
    mmf("lock", "Gate", "--", "cmd", "/c", "exit 9", status=9)
    fails(127, "cannot run \"no such\": File not found", "lock", "Gate", "--", "no such")
    with tempfile.NamedTemporaryFile(suffix=".exe") as file:
        file.write(b"no program" * 100)
        file.flush()
        fails(126, "cannot run", "lock", "Gate", "--", windows_path(file.name))
    fails(NO_OBJECT, "Gate", "lock", "Gate", "--existing", "--", "cmd", "/c", "exit")
    assert ls() == []


def test_lock_says_when_it_was_abandoned():
    create("Gate", "--kind", "mutex")
    echo = ["cmd", "/c", "echo abandoned: %MMF_LOCK_ABANDONED%."]
    crashed = mmf("lock", "Gate", "--", OTHER, "crash", status=0xC0000005 & 0xff)
    assert "the command was ended by 0xC0000005 (access violation)" in crashed.err, crashed
    result = mmf("lock", "Gate", "--", *echo)
    assert "abandoned: 1." in result.out and "was abandoned" in result.err, result
    assert "abandoned: 1." not in mmf("lock", "Gate", "--", *echo).out


def test_a_killed_locker_is_noticed_and_takes_its_command_along():
    create("Gate", "--kind", "mutex")
    locker = start("lock", "Gate", "--", OTHER, "stay")
    command = int(locker.stdout.readline())
    fails(TIMED_OUT, "is still owned", "lock", "Gate", "-t", "50ms", "--",
          "cmd", "/c", "exit")
    assert is_alive(command)
    locker.kill()
    assert "was abandoned" in mmf("wait", "Gate").err
    wait_until(lambda: not is_alive(command), "the end of the command")


def test_lock_runs_one_at_a_time():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "visits")
        lockers = [start("lock", "Gate", "--", OTHER, "visit", windows_path(path))
                   for _ in range(5)]
        for locker in lockers:
            finish(locker)
        assert open(path).read() == "in\nout\n" * 5
    assert ls() == []


def test_run_has_nothing_to_offer():
    fails(FAILED, "Windows keeps names in its kernel, one set for each session", "run", "cmd")


def test_gc_finds_nothing_orphaned():
    kill(create("Cat", "8"))
    create("Dog", "8")
    assert re.fullmatch(r"0 orphaned removed, 0 freed; \d+ in use\n", mmf("gc").out)
    done = json.loads(mmf("gc", "--json", "-n").out)
    assert done["removed"] == 0 and done["orphaned"] == [] and done["in_use"] >= 1


#
# Doctor and bench.
#


def test_doctor_checks_sessions_and_privileges():
    out = mmf("doctor", "--all").out
    for part in (r"this process is in session \d+: its names are in \\",
                 r"may list and make names in (\\Sessions\\\d+)?\\BaseNamedObjects",
                 r"SeCreateGlobalPrivilege", r"\d+ names are in use", r"of memory available",
                 r"Windows \d+\.\d+, build \d+", r"this is Wine \d+\.\d+",
                 r"\d+ good, \d+ notes, \d+ warnings, 0 problems"):
        assert re.search(part, out), (part, out)
    found = json.loads(mmf("doctor", "--json").out)["findings"]
    assert {"session", "directory", "privilege", "names", "memory", "version", "Wine"} <= \
        {one["check"] for one in found}
    for one in found:
        assert set(one) == {"check", "level", "what", "why", "fix"}, one
        assert one["level"] != "problem", one


def test_doctor_says_why_a_name_can_be_opened_or_not():
    create("Cat", "8")
    create("Global\\Hen", "8")
    out = mmf("doctor", "Cat").out
    assert "is a map in use" in out and "holders: 1 handle" in out, out
    assert "this process can open \"Cat\"" in out, out
    out = mmf("doctor", "cat", status=NO_OBJECT).out
    assert "no such object: \"cat\" in session" in out and "visible to this session only" in out, out
    assert "there is \"Cat\"" in out, out
    out = mmf("doctor", "Hen", status=NO_OBJECT).out
    assert "there is \"Global\\Hen\"" in out, out


def test_bench_compares_and_leaves_nothing():
    found = json.loads(mmf("bench", "--time", "300ms", "--json").out)["benchmarks"]
    assert len(found) == 10
    for one in found:
        assert one["mmf_ns"] > 0 and one["raw_ns"] > 0, one
    assert ls() == []


#
# The console.
#


def test_screens_need_a_console():
    create("Cat", "8")
    fails(USAGE, "this needs a terminal: mmf ls prints the same once", "top")


def test_top_is_a_live_table():
    create("Cat", "10K")
    create("Door", "--kind", "event", "--set")
    gate = create("Gate", "--kind", "mutex")
    screen = Screen("%s top --interval 100ms" % SHELL_COMMAND, 120, 16)
    screen.expect("Gate")
    shown = screen.expect("/ filter")
    title, head, *rows = shown.splitlines()
    assert re.fullmatch(r"mmf top  \d\d:\d\d:\d\d  \d+ objects", title.rstrip()), shown
    assert head.split()[0][:4] == "Name" and head.split()[1:4] == ["Kind", "Size", "Holders"], shown
    assert rows[0].split() == ["Cat", "map", "12K", "1", "handle"], shown
    assert rows[1].split() == ["Door", "event", "1", "handle", "set,", "auto", "reset"], shown
    assert rows[-1].startswith("q quit  ? help  < > sort  / filter"), shown
    assert "\\BaseNamedObjects\\Cat" in shown
    screen.keys("Down")
    screen.expect("\\BaseNamedObjects\\Door")
    screen.keys(">")
    wait_until(lambda: re.search(r"Name +Kind\S +Size", screen.show()), "sorting")
    owner = start("lock", "Gate", "--", OTHER, "stay")
    screen.expect("owned by a hidden")
    screen.keys("/")
    screen.keys("gax")
    screen.keys("BSpace")
    screen.expect("filter: ga_")
    screen.keys("Enter")
    wait_until(lambda: "Door" not in screen.show(), "filtering")
    owner.kill()
    owner.wait()
    kill(gate)
    wait_until(lambda: "Gate " not in screen.show(), "the end of Gate")
    screen.keys("q")
    screen.expect("status 0")


def test_three_consoles():
    """With nothing but the tool: one creates, one writes, one watches; the first has
    Ctrl-C, and nothing is left."""
    first = Screen("%s create Cat 64" % SHELL_COMMAND)
    first.expect("\"Cat\" is open; Ctrl-C closes it")
    third = Screen("%s watch Cat -i 50ms" % SHELL_COMMAND, 90, 8)
    third.expect("q quit")
    second = Screen("%s write Cat \"Hello from the second\"" % SHELL_COMMAND)
    second.expect("status 0")
    third.expect("Hello from the s")
    third.expect(" econd.")
    first.keys("C-c")
    first.expect("status %d" % INTERRUPTED)
    third.expect("REMOVED: the last process closed it")
    third.keys("q")
    third.expect("status 1")
    assert ls() == []


def test_ctrl_c_ends_a_wait_and_closes():
    create("Door", "--kind", "event")
    create("Gate", "--kind", "mutex")
    holders = lambda: {entry["name"]: entry["holder_count"] for entry in ls()}
    command = "lock Gate -- %s sleep" % OTHER.replace("\\", "/")
    for command, ready, said in (("wait Door", "", ""),
                                 (command, "\\d", "the command was ended by 0xC000013A (Ctrl-C)")):
        screen = Screen("%s %s" % (SHELL_COMMAND, command))
        wait_until(lambda: sum(holders().values()) == 3 and re.search(ready, screen.show()),
                   "the third handle")
        screen.keys("C-c")
        screen.expect(said)
        screen.expect("status %d" % INTERRUPTED)
        wait_until(lambda: sum(holders().values()) == 2, "two handles")
        screen.close()
        screens.remove(screen)


#
# What is not run here at all.
#

for suite, reason in (
        ("completion", "there is no bash"),
        ("house", "nothing is ever orphaned, names are not files: doctor and gc are above"),
        ("man", "the examples are for another shell"),
        ("many", "there is no other user to become, and no limit of descriptors")):
    globals()["test_" + suite] = not_on_windows(reason)(None)

main("tool_windows", globals())
