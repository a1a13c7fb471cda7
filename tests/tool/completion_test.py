"""completion_test.py - what bash offers when the tab key is pressed."""
import os
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


def offers(*words):
    if not os.path.exists(FRAMEWORK):
        raise Skip("bash-completion is needed")
    done = subprocess.run(["bash", "-c", SCRIPT % FRAMEWORK, "bash",
                           os.path.join(SOURCE, "tools/mmf/completion/mmf"), MMF, *words],
                          capture_output=True, text=True, timeout=DEADLINE)
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def test_commands():
    assert set(mmf("help", "--list").out.split()) <= set(offers(""))
    assert offers("wa") == ["watch", "wait"]
    assert "gc" in offers("help", "")


def test_options():
    for command in mmf("help", "--list").out.split()[:-1]:
        assert offers(command, "--") == mmf("help", "--list", command).out.split(), command
    assert offers("read", "--off") == ["--offset="]


def test_values():
    assert "decimal" in offers("peek", "Cat", "--type", "")
    assert offers("peek", "Cat", "--type", "int6") == ["int64"]
    assert offers("create", "Cat", "--kind", "se") == ["semaphore"]
    assert offers("dump", "Cat", "--color", "n") == ["never"]
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
    assert offers("read", "nothing") == []


def test_commands_of_others():
    assert "true" in offers("run", "tru")
    assert "true" in offers("lock", "Gate", "--", "tru")
    assert offers("lock", "Gate", "--", "ls", "--nonsense") == []


main("tool_completion", globals())
