#!/usr/bin/env python3
"""Holds docs/internals/contract.md and the contract suite together.

    check_table.py TABLE SOURCE... [--also SOURCE...]

The table's rows say in their last cell which tests prove them (names in backticks, of a
scenario `file.scn: title`), or "no test: " and why. Fails if a named test is registered in
no SOURCE, a test is not named (those of the sources behind --also, and scenarios, need not
be), a row has neither test nor reason, two rows have one number, or a rule or a case of
.NET's tests has no row.

The names come from the sources, so that the answer does not depend on what is built. A test
function that is registered nowhere does not compile.
"""
import re
import sys

CASES = {"CN": 27, "CO": 20, "VA": 24, "XP": 1}
# How many rules each subject has; a rule may have several rows: 2.2.8a, 2.2.8b.
RULES = {"2": 10, "2.1": 9, "2.2": 16, "2.3": 10, "2.4": 9, "2.5": 7, "2.6": 11, "3": 9,
         "3.1": 7, "3.2": 7, "3.3": 4, "3.4": 6, "3.5": 7, "3.6": 6, "4": 7, "5": 17}
NO_TEST = re.compile(r"no test: (.{10,})")
NAME = re.compile(r"`([a-z][a-z0-9_]*(?:\.scn: [^`]+)?)`")
# A test function, or a scenario of tests/fault.
REGISTERED = re.compile(r'(?:\bcmocka_unit_test\w*\(|^TEST\(|^TEST_WITH\(|^    \{")(\w+)(?=[,)"])', re.M)
# A scenario's title ends where two spaces begin its parameters.
TITLE = re.compile(r"^(?! |#|def )(.+?)(?:  .*)?$", re.M)


def read_rows(path):
    """(line number, rule, slots) of every row; heads and rules of tables are none."""
    rows = []
    with open(path, encoding="utf-8") as table:
        for number, line in enumerate(table, 1):
            if not line.startswith("|"):
                continue
            slots = [slot.strip() for slot in line.strip().strip("|").split("|")]
            if slots[0] == "rule" or set(line.strip()) <= set("|-"):
                continue
            rows.append((number, slots[0], slots))
    return rows


def list_names(source, text):
    if not source.endswith(".scn"):
        return REGISTERED.findall(text)
    file = source.rpartition("/")[2]
    return [f"{file}: {title}" for title in TITLE.findall(text)]


def list_tests(sources):
    """The source of each test, and complaints about names that occur twice."""
    tests, complaints = {}, []
    for source in sources:
        with open(source, encoding="utf-8") as text:
            names = list_names(source, text.read())
        if not names:
            complaints.append(f"{source}: no test is registered here")
        for name in names:
            if name in tests:
                complaints.append(f"{name} is in {tests[name]} and in {source}")
            tests[name] = source
    return tests, complaints


def check_rows(path, rows, tests, others):
    """Complaints about rows; fills in the names that were found."""
    seen, named = {}, set()
    for number, rule, slots in rows:
        where = f"{path}:{number}: {rule}"
        if rule in seen:
            yield f"{where}: line {seen[rule]} has that number, too"
        seen[rule] = number
        if len(slots) != 4:
            yield f"{where}: {len(slots)} slots, not 4"
            continue
        names = NAME.findall(slots[3])
        reason = NO_TEST.match(slots[3])
        if not names and not reason:
            yield f"{where}: neither a test nor a reason"
        if reason:
            continue
        named.update(names)
        for name in names:
            if name not in tests and name not in others:
                yield f"{where}: there is no test {name}"
        if NAME.sub("", slots[3]).strip():
            yield f"{where}: not only names: {slots[3]}"
    for name in sorted(set(tests) - named):
        yield f"{path}: does not name {name} of {tests[name]}"
    for kind, count in CASES.items():
        for case in range(1, count + 1):
            if f"{kind}-{case:02}" not in seen:
                yield f"{path}: no row {kind}-{case:02}"
    for subject, count in RULES.items():
        for rule in range(1, count + 1):
            pattern = re.compile(re.escape(f"{subject}.{rule}") + r"([a-z.].*)?")
            if not any(pattern.fullmatch(number) for number in seen):
                yield f"{path}: no row {subject}.{rule}"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    path, sources, also = sys.argv[1], sys.argv[2:], []
    if "--also" in sources:
        border = sources.index("--also")
        sources, also = sources[:border], sources[border + 1:]
    tests, complaints = list_tests(sources)
    others, more = list_tests(also)
    complaints += more
    rows = read_rows(path)
    complaints += check_rows(path, rows, tests, others)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    reasons = sum(1 for _, _, slots in rows if NO_TEST.match(slots[-1]))
    print(f"{len(rows)} rules: {len(rows) - reasons} by {len(tests)} tests, "
          f"{reasons} with a reason instead")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
