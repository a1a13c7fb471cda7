"""completion_test.py - what bash, zsh and fish offer when the tab key is pressed."""
import os
import shutil
import subprocess
import tempfile

from support import *

FRAMEWORK = "/usr/share/bash-completion/bash_completion"
SCRIPT = """
. %s
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
COMP_TYPE=9
_mmf 2> /dev/null
printf '%%s\\n' "${COMPREPLY[@]}"
"""


def bash_offers(*words):
    if not os.path.exists(FRAMEWORK):
        raise Skip("bash-completion is needed")
    done = subprocess.run(["bash", "-c", SCRIPT % FRAMEWORK, "bash",
                           os.path.join(SOURCE, "tools/mmf/completion/mmf.bash"), MMF, *words],
                          capture_output=True, text=True, timeout=DEADLINE)
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def tool_path():
    """A folder with the tool in it, for shells that look for `mmf`."""
    folder = tempfile.mkdtemp()
    os.symlink(MMF, os.path.join(folder, "mmf"))
    return folder


def fish_offers(line):
    if shutil.which("fish") is None:
        raise Skip("fish is needed")
    folder = tool_path()
    done = subprocess.run(["fish", "--no-config", "-c", "source %s/tools/mmf/completion/mmf.fish; "
                           "complete -C '%s'" % (SOURCE, line)], capture_output=True, text=True,
                          timeout=DEADLINE, cwd=folder,
                          env={**os.environ, "HOME": folder,
                               "PATH": folder + ":" + os.environ["PATH"]})
    shutil.rmtree(folder)
    return [one.split("\t")[0] for one in done.stdout.splitlines()]


offers = bash_offers


def test_commands():
    assert set(mmf("help", "--list").out.split()) == set(offers(""))
    assert sorted(offers("wa")) == ["wait", "watch"]
    assert "gc" in offers("help", "")


def test_options():
    for command in mmf("help", "--list").out.split()[:-1]:
        assert offers(command, "--") == mmf("help", "--list", command).out.split(), command
    assert offers("read", "--off") == ["--offset="]


def test_values():
    assert "decimal" in offers("peek", "Cat", "--type", "")
    assert offers("peek", "Cat", "--type", "int6") == ["int64"]
    assert offers("create", "Cat", "--kind", "sem") == ["semaphore"]
    assert offers("dump", "Cat", "--color=n") == ["never"]
    assert offers("create", "Cat", "--kind=se") == ["semaphore", "service"]
    assert offers("ls", "-o", "na") == ["name"]
    assert offers("top", "--sort", "re") == ["resident"]


def test_names():
    create("Cat", "1")
    create("Cow with blanks", "1")
    create("Door", "--kind", "event")
    create("Gate", "--kind", "mutex")
    assert offers("read", "Ca") == ["Cat"]
    assert offers("stat", "Co") == ["Cow\\ with\\ blanks"]
    assert offers("signal", "") == ["Door"]
    assert offers("lock", "") == ["Gate"]
    assert set(offers("wait", "")) == {"Door", "Gate"}
    create("Sums", "--kind", "service")
    assert offers("call", "") == offers("serve", "") == ["Sums"]
    assert offers("call", "Sums", "") == [] and set(offers("wait", "Gate", "")) == {"Door", "Gate"}
    assert "Sums" in offers("stat", "")
    assert offers("read", "nothing") == []


def test_commands_of_others():
    assert "true" in offers("run", "tru")
    assert "true" in offers("lock", "Gate", "--", "tru")
    assert "true" in offers("lock", "-t", "5s", "Gate", "tru")
    assert "true" in offers("serve", "Sums", "tru")
    assert "true" in offers("create", "Cat", "8", "tru")
    assert offers("lock", "Gate", "--", "ls", "--nonsense") == []


def test_fish():
    create("Cat", "1")
    create("Gate", "--kind", "mutex")
    assert sorted(fish_offers("mmf wa")) == ["wait", "watch"]
    assert fish_offers("mmf read --off") == ["--offset="]
    assert fish_offers("mmf create Cat --kind sem") == ["semaphore"]
    assert fish_offers("mmf create Cat --kind=sem") == ["--kind=semaphore"]
    assert fish_offers("mmf lock ") == ["Gate"]
    assert "true" in fish_offers("mmf serve Sums tru")
    assert "true" in fish_offers("mmf lock Gate tru")
    folder = tempfile.mkdtemp()
    open(os.path.join(folder, "the file"), "w").close()
    assert any("the file" in one for one in fish_offers("mmf create X --file %s/th" % folder))
    shutil.rmtree(folder)


def test_zsh():
    """In a terminal, since its completion is part of its line editor."""
    if shutil.which("zsh") is None:
        raise Skip("zsh is needed")
    create("Cat", "1")
    create("Gate", "--kind", "mutex")
    folder = tool_path()
    screen = Screen("cd %s && PATH=%s:$PATH PS1=ready: zsh -f" % (folder, folder), 80, 20)
    screen.expect("ready:")
    screen.keys("fpath=(%s/tools/mmf/completion $fpath); autoload -Uz compinit; " % SOURCE +
                "compinit -u -d %s/dump; echo its ok" % folder, "Enter")
    screen.expect("\nits ok")
    for typed, wanted in (("mmf wat", "mmf watch"), ("mmf read --off", "mmf read --offset="),
                          ("mmf create Cat --kind sem", "--kind semaphore"),
                          ("mmf create Cat --kind=sem", "--kind=semaphore"),
                          ("mmf lock ", "mmf lock Gate"),
                          ("mmf lock Gate whoa", "lock Gate whoami")):
        screen.keys("C-u")
        screen.keys("-l", typed)
        screen.keys("Tab")
        screen.expect(wanted)
    screen.keys("C-u")
    screen.keys("-l", "mmf ")
    screen.keys("Tab")
    screen.expect("list named objects and the processes")
    shutil.rmtree(folder)


main("tool_completion", globals())
