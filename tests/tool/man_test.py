"""man_test.py - the man pages: there is one for each command, it knows the command's
options, and its examples do what they show.

In an EXAMPLES section a line that begins with "$ " is run by a shell, with the tool in
its path and a namespace of its own; the lines behind it are its output. Numbers may be
other numbers and blanks may be more blanks; "..." stands for anything.
"""
import os
import re
import shutil
import subprocess
import tempfile

from support import *

MAN = os.path.join(SOURCE, "docs", "man")
COMMANDS = mmf("help", "--list").out.split()[:-1]


def page_of(command):
    with open(os.path.join(MAN, "mmf-%s.1" % command)) as file:
        return file.read()


def plain(troff):
    troff = re.sub(r"\\f[A-Z]", "", troff)
    return troff.replace("\\-", "-").replace("\\e", "\\").replace("\\&", "")


def examples_of(page):
    """The blocks of a page, as lists of lines."""
    rest = page.partition(".SH EXAMPLES\n")[2].partition("\n.SH ")[0]
    return [plain(block).splitlines()
            for block in re.findall(r"^\.EX\n(.*?)^\.EE$", rest, re.S | re.M)]


def same(shown, wanted):
    parts = []
    for line in wanted:
        if line == "...":
            parts.append(r"(?:.*\n)*?")
            continue
        pattern = re.escape(re.sub(r"\s+", " ", line).strip())
        pattern = re.sub(r"[0-9]+", "[0-9]+", pattern.replace(re.escape("..."), ".*"))
        pattern = pattern.replace("1M", "[0-9]+M") if "1M" in pattern else pattern
        parts.append(pattern + r"\n")
    shown = "".join(re.sub(r"\s+", " ", line).strip() + "\n" for line in shown.splitlines())
    return re.fullmatch("".join(parts), shown) is not None


def run_block(lines):
    """Run what a block says, in one shell; every command's output must be as shown."""
    directory = tempfile.mkdtemp()
    os.symlink(MMF, os.path.join(directory, "mmf"))
    mark = "=====%d=====" % os.getpid()
    commands, outputs = [], []
    for line in lines:
        if line.startswith("$ "):
            commands.append(line[2:])
            outputs.append([])
        else:
            outputs[-1].append(line)
    script = "".join("%s\necho '%s'\n" % (command, mark) for command in commands)
    script += "wait $(jobs -p)\n"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=DEADLINE,
                          text=True, cwd=directory,
                          env={**os.environ, "PATH": directory + ":" + os.environ["PATH"]})
    shutil.rmtree(directory)
    shown = done.stdout.split(mark + "\n")
    for command, out, wanted in zip(commands, shown, outputs):
        assert same(out, wanted), "$ %s\n%s\nbut the page has\n%s\n%s" % (
            command, out, "\n".join(wanted), done.stderr)
    for entry in ls():
        for holder in entry["holders"]:
            kill(holder["pid"], signal.SIGTERM)


def test_each_command_has_a_page_that_knows_its_options():
    with open(os.path.join(MAN, "mmf.1")) as file:
        overview = plain(file.read())
    for command in COMMANDS:
        page = plain(page_of(command))
        assert "mmf-%s (1)" % command in overview, command
        for option in mmf("help", "--list", command).out.split():
            assert option.rstrip("=") in page, (command, option)
        described = set(re.findall(r"^(?:-\w, )?--([a-z-]+)", page, re.M))
        known = {option.strip("-=") for option in mmf("help", "--list", command).out.split()}
        assert described <= known, (command, described - known)


def test_each_page_has_examples_but_that_of_a_screen():
    assert [command for command in COMMANDS if not examples_of(page_of(command))] == ["top"]


def test_the_overview_s_table_is_the_tool_s():
    with open(os.path.join(SOURCE, "tools", "mmf", "base", "say.h")) as file:
        numbers = re.search(r"enum tool_status \{(.*?)\}", file.read(), re.S)[1]
    with open(os.path.join(MAN, "mmf.1")) as file:
        table = file.read().partition(".SH EXIT STATUS")[2].partition(".SH ")[0]
    for number in range(numbers.count("TOOL_") - 3):
        assert re.search(r"^\.B %d$" % number, table, re.M), number
    for number in (126, 127):
        assert str(number) in table


def test_man_finds_both():
    if shutil.which("man") is None:
        raise Skip("man is needed")
    directory = tempfile.mkdtemp()
    for section in "17":
        os.mkdir(os.path.join(directory, "man" + section))
        shutil.copy(os.path.join(MAN, "mmf." + section),
                    os.path.join(directory, "man" + section))
    for arguments, wanted in ((["mmf"], "create, inspect, watch and repair"),
                              (["7", "mmf"], "named shared memory")):
        shown = subprocess.run(["man", "-M", directory, *arguments], capture_output=True,
                               text=True, timeout=DEADLINE, env={**os.environ, "LC_ALL": "C"})
        assert wanted in shown.stdout, (arguments, shown)
    shutil.rmtree(directory)


def make_example_test(page, blocks):
    def test():
        for block in blocks:
            run_block(block)
    globals()["test_the_examples_of_" + page.replace("-", "_")] = test


with open(os.path.join(MAN, "mmf.1")) as overview:
    make_example_test("mmf", [sum(examples_of(overview.read()), [])])
for name in COMMANDS:
    make_example_test("mmf_" + name, examples_of(page_of(name)))

main("tool_man", globals())
