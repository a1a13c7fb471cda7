"""maps_test.py - ls, stat, create, read, write, dump, peek, poke."""
import json
import os
import re
import signal
import subprocess
import time

from support import *


@not_on_windows("the kernel keeps less: windows_test.py")
def test_what_is_created_is_listed_and_goes_with_its_holder():
    pid = create("Cat", "10K")
    entry, = ls()
    assert entry["name"] == "Cat" and entry["kind"] == "map"
    assert entry["status"] == "in use" and entry["size"] == 10240
    assert entry["mode"] == "0600" and entry["file"] is None
    assert entry["holder_count"] == 1
    holder, = entry["holders"]
    assert holder["pid"] == pid and holder["command"] == "mmf"
    assert holder["uid"] == os.geteuid() and not holder["stopped"]
    kill(pid)
    assert ls() == []


@not_on_windows("there are no such signals")
def test_a_name_ends_in_order_too():
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        kill(create("Cat", "10K"), how)
        assert os.listdir(os.path.join(os.environ["MMF_DIR"], "mmf-%d" % os.geteuid())) == []


@not_on_windows("the kernel keeps less: windows_test.py")
def test_the_table_is_for_people():
    pid = create("Cat", "10K")
    head, row = mmf("ls").out.splitlines()
    assert head.split() == "NAME KIND SIZE HOLDERS AGE STATE".split()
    assert row.split()[:5] == ["Cat", "map", "10K", str(pid), "mmf"], row
    again = mmf("ls", "--no-header").out.splitlines()
    assert [line.split()[:5] for line in again] == [row.split()[:5]] # it is older by now
    assert " 10240 " in mmf("ls", "--bytes").out
    assert mmf("ls", "--names").out == "Cat\n"
    head, row = mmf("ls", "--long").out.splitlines()
    assert head.split() == ("NAME KIND OWNER SIZE RESIDENT HOLDERS AGE MODE STATUS STATE "
                            "CREATOR").split()
    assert "rw-------" in row and " in use" in row and row.endswith("%d mmf" % pid)
    assert mmf("ls", "-o", "size,NAME").out == "SIZE NAME\n 10K Cat\n"
    assert mmf("ls", "-o", "+mode").out.splitlines()[0].split()[-2:] == ["STATE", "MODE"]


@not_on_windows("the kernel keeps less: windows_test.py")
def test_columns_come_where_they_matter():
    heads = lambda *arguments: mmf("ls", *arguments).out.splitlines()[0].split()
    create("Global\\Hen", "1", "--mode", "640")
    assert heads() == "NAME KIND SIZE HOLDERS AGE MODE STATE".split()
    kill(create("Cat", "1"))
    assert heads("--orphaned") == "NAME KIND SIZE HOLDERS AGE MODE STATUS STATE".split()
    assert heads() == "NAME KIND SIZE HOLDERS AGE MODE STATE".split()


def test_rows_are_sorted_as_asked():
    for name, size in (("Cat", "5000"), ("Cow", "70K"), ("Ant", "20K")):
        create(name, size)
    names_by = lambda by: mmf("ls", "--no-header", "-o", "name", "--sort", by, "C*",
                              "Ant").out.split()
    assert names_by("size") == ["Cat", "Ant", "Cow"]
    assert names_by("-size") == ["Cow", "Ant", "Cat"]
    assert names_by("+name") == ["Ant", "Cat", "Cow"]
    assert names_by("kind") == ["Ant", "Cat", "Cow"]


def test_a_pattern_that_matches_nothing_is_said():
    create("Cat", "1")
    for look in ([], ["-n"], ["-l"]):
        result = mmf("ls", "X*", *look, status=NO_OBJECT)
        assert result.out == "" and "no object matches \"X*\"" in result.err, result
    result = mmf("ls", "-j", "X*", "Y", status=NO_OBJECT)
    assert json.loads(result.out) == {"objects": []} and "or the other patterns" in result.err
    assert mmf("ls", "X*", "C*", "-n").out == "Cat\n"


@not_on_windows("nothing is ever orphaned")
def test_rm_removes_what_is_orphaned_by_name():
    orphans = [create("Cat", "1MiB"), create("Cow", "4K")]
    pid = create("Dog", "8")
    for orphan in orphans: # a create later than that could remove them
        kill(orphan)
    assert "1 orphaned to remove, 1M to free\n" in mmf("rm", "-n", "Cat").out
    result = mmf("rm", "Cat", "Dog", "Ant", status=BUSY)
    assert "1 orphaned removed, 1M freed\n" in result.out, result
    assert "\"Dog\" is in use: %d mmf" % pid in result.err, result
    assert "no such object: \"Ant\"" in result.err, result
    assert [entry["name"] for entry in ls("--orphaned")] == ["Cow", "Dog"]
    done = json.loads(mmf("gc", "Cow", "--json").out)
    assert done["removed"] == 1 and done["orphaned"][0]["name"] == "Cow"


def test_patterns_kinds_and_scopes_choose():
    create("Cat", "1")
    create("Cow", "1")
    create("Global\\Hen", "1")
    create("Gate", "--kind", "mutex")
    assert names() == ["Cat", "Cow", "Gate", "Global\\Hen"]
    assert mmf("ls", "-n", "C*").out == "Cat\nCow\n"
    assert mmf("ls", "-n", "Cat", "*Hen").out == "Cat\nGlobal\\Hen\n"
    assert names("--kind", "mutex") == ["Gate"]
    assert names("--global") == ["Global\\Hen"]
    assert names("--local") == ["Cat", "Cow", "Gate"]


@not_on_windows("nothing is ever orphaned")
def test_orphaned_objects_are_shown_or_removed():
    kill(create("Cat", "4MiB"))
    entry, = ls("--orphaned")
    assert entry["status"] == "orphaned" and entry["holders"] == []
    assert ls() == [] and ls("--orphaned") == []


@not_on_windows("the kernel keeps less: windows_test.py")
def test_stat_shows_all():
    pid = create("Cat", "4MiB", "--mode", "640", "--access", "read")
    out = mmf("stat", "Cat").out
    for part in ("4194304 bytes (4M)", "in use", "rw-r-----", "%d " % pid,
                 os.environ["MMF_DIR"], "access  read\n"):
        assert part in out, out
    assert json.loads(mmf("stat", "--json", "Cat", "Local\\Cat").out)["objects"][1]["name"] \
        == "Cat"
    fails(NO_OBJECT, "no such object: \"Dog\"", "stat", "Dog")


def test_sync_objects_show_their_state():
    create("Gate", "--kind", "mutex")
    create("Door", "--kind", "event", "--manual", "--set")
    create("Slots", "--kind", "semaphore", "--initial", "2", "--maximum", "5")
    door, gate, slots = ls()
    assert door["set"] and door["manual_reset"] and not door["waiters"]
    assert not gate["owned"] and gate["owner_pid"] is None
    assert slots["count"] == 2 and slots["maximum"] == 5
    table = mmf("ls").out
    for part in ("set, manual reset", "free", "2 of 5 left"):
        assert part in table, table
    out = mmf("stat", "Slots").out
    assert "2 of 5 left" in out, out


def test_writing_and_reading():
    create("Cat", "16")
    mmf("write", "Cat", "Hello")
    assert mmf("read", "Cat", raw=True).out == b"Hello" + bytes(whole(16) - 5)
    mmf("write", "Cat", "--offset", "14", stdin=b"\xff\x00")
    assert mmf("read", "Cat", "-l", "16", raw=True).out == b"Hello" + bytes(9) + b"\xff\0"
    assert mmf("read", "Cat", "-o", "1", "-l", "3").out == "ell"
    assert mmf("read", "Cat", "--string").out == "Hello"
    mmf("write", "Cat", "Hi", "--string")
    assert mmf("read", "Cat", "-l", "5", raw=True).out == b"Hi\0lo"
    mmf("write", "Cat", "Hi", "--fill")
    assert mmf("read", "Cat", raw=True).out == b"Hi" + bytes(whole(16) - 2)
    mmf("write", "Cat", "--offset", str(whole(16)), stdin=b"")


@not_on_windows("a map has whole pages: windows_test.py")
def test_what_does_not_fit_is_not_written():
    create("Cat", "8")
    mmf("write", "Cat", "12345678")
    fails(USAGE, "9 bytes do not fit after offset 0", "write", "Cat", "123456789")
    fails(USAGE, "2 bytes do not fit after offset 7", "write", "Cat", "--offset", "7", "ab")
    fails(USAGE, "9 bytes do not fit", "write", "Cat", "--string", "abcdefgh")
    fails(USAGE, "offset 9 is past the end", "write", "Cat", "--offset", "9", "a")
    path = os.path.join(os.environ["MMF_DIR"], "nine")
    with open(path, "wb") as file:
        file.write(b"123456789")
    with open(path) as file:
        done = subprocess.run([MMF, "write", "Cat"], stdin=file, capture_output=True)
    assert done.returncode == USAGE and b"9 bytes do not fit" in done.stderr, done
    os.unlink(path)
    assert mmf("read", "Cat").out == "12345678"
    fails(USAGE, "standard input is too long: 8 bytes", "write", "Cat", stdin=b"abcdefghi")


def test_large_input_goes_through():
    create("Cat", "3MiB")
    data = os.urandom(3 << 20)
    mmf("write", "Cat", stdin=data)
    assert mmf("read", "Cat", raw=True).out == data


def test_dump_prints_as_hexdump_does():
    create("Cat", "100")
    mmf("write", "Cat", "The quick brown \n\x01\x7fé")
    part = ["-l", "100"] if WINDOWS else []
    assert mmf("dump", "Cat", *part).out == (
        "00000000  54 68 65 20 71 75 69 63  6b 20 62 72 6f 77 6e 20  |The quick brown |\n"
        "00000010  0a 01 7f c3 a9 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
        "00000020  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
        "*\n"
        "00000060  00 00 00 00                                       |....|\n"
        "00000064\n")
    assert mmf("dump", "Cat", "--all", *part).out.count("\n") == 8
    assert mmf("dump", "Cat", "-o", "4", "-l", "5").out.startswith(
        "00000004  71 75 69 63 6b ")
    assert "\033[90m00 " in mmf("dump", "Cat", "--color=always").out


def test_every_type_is_peeked_and_poked():
    create("Cat", "64")
    for kind, value, size in (("boolean", "true", 1), ("byte", "255", 1),
                              ("sbyte", "-128", 1), ("char", "é", 2), ("char", "€", 2),
                              ("int16", "-32768", 2), ("uint16", "65535", 2),
                              ("int32", "-2147483648", 4), ("uint32", "4294967295", 4),
                              ("int64", "-9223372036854775808", 8),
                              ("uint64", "18446744073709551615", 8),
                              ("single", "0.1", 4), ("double", "0.1", 8),
                              ("double", "-inf", 8), ("single", "nan", 4),
                              ("decimal", "-79228162514264337593543950335", 16),
                              ("decimal", "0.0000000000000000000000000001", 16),
                              ("decimal", "12.30", 16)):
        mmf("poke", "Cat", "-t", kind, "-o", "3", value, value)
        out = mmf("peek", "Cat", "-t", kind, "-o", "3", "-c", "2").out
        assert out == value + "\n" + value + "\n", (kind, out)
        one = mmf("peek", "Cat", "-t", kind, "-o", str(3 + size)).out
        assert one == value + "\n", (kind, one)
    for alias, kind in (("u8", "byte"), ("i8", "sbyte"), ("u16", "uint16"), ("i16", "int16"),
                        ("u32", "uint32"), ("i32", "int32"), ("u64", "uint64"),
                        ("i64", "int64"), ("f32", "single"), ("f64", "double"),
                        ("bool", "boolean"), ("float", "single")):
        found = json.loads(mmf("peek", "Cat", "-t", alias, "-j").out)
        assert found["type"] == kind, (alias, found)
    mmf("poke", "Cat", "-t", "u8", "255")
    assert mmf("peek", "Cat", "-t", "i8").out == "-1\n"
    mmf("poke", "Cat", "0x7fffffff", "-5")
    assert json.loads(mmf("peek", "Cat", "--count", "2", "--json").out) == {
        "type": "int32", "offset": 0, "values": [2147483647, -5]}
    mmf("poke", "Cat", "-t", "boolean", "true", "false")
    assert json.loads(mmf("peek", "Cat", "-t", "boolean", "-c", "2", "--json").out)[
        "values"] == [True, False]


def test_an_invalid_value_changes_nothing():
    create("Cat", "8")
    mmf("poke", "Cat", "1", "2")
    for kind, value in (("int32", "2147483648"), ("int32", "x"), ("int32", ""),
                        ("byte", "256"), ("byte", "-1"), ("sbyte", "128"),
                        ("uint64", "18446744073709551616"), ("boolean", "2"),
                        ("char", "ab"), ("char", ""), ("char", "\U0001f600"),
                        ("double", "1.5x"), ("double", "1e999"),
                        ("decimal", "79228162514264337593543950336"), ("decimal", "."),
                        ("decimal", "1.2.3")):
        fails(USAGE, "invalid value \"%s\" for %s: use" % (value, kind), "poke", "Cat", "-t", kind, value)
    fails(USAGE, "invalid value \"x\" for int32", "poke", "Cat", "3", "x")
    many = ["3"] * (whole(8) // 4 + 1)
    fails(USAGE, "%d bytes from offset 0 are past the end" % (4 * len(many)), "poke", "Cat", *many)
    assert mmf("peek", "Cat", "-c", "2").out == "1\n2\n"


def test_create_refuses_what_is_there():
    create("Cat", "8")
    fails(EXISTS, "exists", "create", "Cat", "8", "--for", "0")
    mmf("create", "Cat", "8", "--for", "0", "--or-open")
    fails(WRONG_KIND, "belongs to a map", "create", "Cat", "--kind", "event", "--for", "0")
    create("Door", "--kind", "event")
    fails(EXISTS, "exists already", "create", "Door", "--kind", "event", "--for", "0")
    fails(WRONG_KIND, "belongs to a", "read", "Door")


def test_the_background_says_why_not():
    create("Cat", "8")
    fails(EXISTS, "exists", "create", "Cat", "8", "--background")
    fails(USAGE, "unknown kind \"mop\"", "create", "Dog", "-k", "mop", "--background")
    assert names() == ["Cat"]


@not_on_windows("it has no /dev/null")
def test_the_background_does_not_go_on_at_its_caller_s_output():
    """One that cannot close the pipe would keep a program that reads it."""
    with tempfile.NamedTemporaryFile() as file:
        done = subprocess.run(
            ["unshare", "-m", "bash", "-c",
             'mount --bind "$1" /dev/null && mount -o remount,bind,ro /dev/null && '
             'exec "$2" create Cat 8 --background', "bash", file.name, MMF],
            capture_output=True, text=True, timeout=DEADLINE)
    if "Operation not permitted" in done.stderr or "permission denied" in done.stderr:
        raise Skip("mounting is needed: run as root")
    assert done.returncode == FAILED and done.stdout == "", done
    assert "/dev/null: Read-only file system" in done.stderr, done
    assert names() == []


@not_on_windows("there is another shell: windows_test.py")
def test_create_runs_a_command_while_it_holds():
    out = mmf("create", "Cat", "8", "--", "sh", "-c",
              "'%s' write Cat hi; '%s' read Cat -l 2; exit 7" % (MMF, MMF), status=7).out
    assert out == "hi"
    assert ls("--orphaned") == []


def test_create_holds_for_a_time():
    for seconds in (0.3, 3, 60): # we may be slow to look
        process = start("create", "Cat", "8", "--for", "%fs" % seconds)
        begin, seen = time.monotonic(), False
        while not seen and process.poll() is None:
            seen = names() == ["Cat"]
        finish(process)
        assert time.monotonic() - begin > 0.9 * seconds and ls("--orphaned") == []
        if seen:
            break
    assert seen


@not_on_windows("the kernel keeps less: windows_test.py")
def test_a_map_of_a_file():
    path = os.path.join(os.environ["MMF_DIR"], "file")
    with open(path, "w") as file:
        file.write("in a file")
    create("Cat", "--file", path)
    assert ls()[0]["file"] == path
    assert "of %s" % path in mmf("ls").out
    mmf("write", "Cat", "IN")
    with open(path) as file:
        assert file.read() == "IN a file"
    os.unlink(path)


@not_on_windows("it is the kernel that checks, and Wine does not")
def test_access_is_kept():
    create("Cat", "8", "--access", "read")
    assert ls()[0]["access"] == "read"
    fails(DENIED, "", "write", "Cat", "x")
    fails(DENIED, "", "poke", "Cat", "1")
    assert mmf("read", "Cat", raw=True).out == bytes(8)


@not_on_windows("a file that is mapped cannot be cut off")
def test_a_map_that_is_cut_off_is_no_crash():
    create("Cat", "1MiB")
    path = ls()[0]["path"]
    process = start("watch", "Cat", "--interval", "20ms")
    change_until_shown(process, lambda: mmf("write", "Cat", stdin=os.urandom(1)))
    os.truncate(path, 0)
    result = finish(process, DAMAGED)
    assert "the bytes are lost" in result.err, result
    os.unlink(path)


def count_up():
    mmf("write", "Cat", stdin=bytes([mmf("read", "Cat", raw=True).out[0] + 1]))


def test_reading_does_not_keep_a_name():
    pid = create("Cat", "8")
    watcher = start("watch", "Cat", "--interval", "20ms")
    line = change_until_shown(watcher, count_up)
    assert re.search(r"\d\d:\d\d:\d\d\.\d{3}  offset 0: [0-9a-f]{2} -> [0-9a-f]{2} '.'",
                     line), line
    kill(pid)
    assert ls() == []
    result = finish(watcher, NO_OBJECT)
    assert "was removed: the last process closed it" in result.err, result


def test_watch_shows_values():
    create("Cat", "64")
    values = iter(range(1, 100000))
    change = lambda: mmf("poke", "Cat", "-o", "12", str(next(values)))
    watcher = start("watch", "Cat", "-t", "int32", "-o", "8", "-c", "2", "-i", "10ms")
    line = change_until_shown(watcher, change)
    while "offset 12: " in line: # there may be several, when it is slow
        mmf("poke", "Cat", "-o", "8", "77")
        line = text(watcher.stdout.readline())
    assert "offset 8: 0 -> 77" in line, line
    end_process(watcher)
    watcher = start("watch", "Cat", "-t", "int32", "-o", "8", "-c", "2", "-i", "10ms", "-n", "2")
    while watcher.poll() is None:
        change()
    lines = text(watcher.stdout.read()).splitlines()
    assert len(lines) == 2 and all("offset 12: " in line for line in lines), lines


@not_on_windows("names and consoles are Unicode: windows_test.py")
def test_names_that_are_strange_do_no_harm():
    for name in ("a b/c.d", "tab\tand\nline", "\033[31mred", "ünï☃", "dash-", "*?[x]"):
        create(name, "1")
        assert names() == [name]
        assert json.loads(mmf("stat", name, "--json").out)["objects"][0]["name"] == name
        shown = mmf("ls").out + mmf("stat", name).out
        assert "\033" not in shown and "\t" not in shown
        kill(held.pop(), signal.SIGTERM)
    create("ünï", "1")
    plain = {"LC_ALL": "C"}
    assert "\\xc3\\xbcn\\xc3\\xaf" in mmf("ls", env=plain).out
    assert json.loads(mmf("ls", "--json", env=plain).out)["objects"][0]["name"] == "ünï"
    kill(held.pop(), signal.SIGTERM)
    name = os.fsdecode(b"wrong \xff utf-8")
    create(name, "1")
    assert ls()[0]["name"] == "wrong \ufffd utf-8"
    assert "wrong \\xff utf-8" in mmf("ls").out


main("tool_maps", globals())
