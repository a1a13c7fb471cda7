#!/usr/bin/env python3
"""stage.py ROOT OUT - lay out what mkdocs builds the site from, in OUT.

The documents keep their text. What changes is where their links lead: to the page that a
file has become. A link to a file that is no page becomes plain text. Man pages are made
HTML by mandoc; examples and the license are shown as they are.
"""
import ast
import html
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
PICTURE = re.compile(r'<picture>.*?<source[^>]*srcset="([^"]+)"[^>]*>.*?'
                     r'<img[^>]*?src="([^"]+)"[^>]*>.*?</picture>', re.S)
REFERENCE = re.compile(r"<b>([a-zA-Z_][\w.-]*)</b>\((\d)\)")
MANUAL_OF_OTHERS = "https://manpages.debian.org/bookworm/{0}.{1}"

DOCS = "docs/"
# Documents in the order of the navigation; those that are not there are not missed.
DOCUMENTS = [
    ("Start", ["README.md", DOCS + "guide.md", DOCS + "building.md", "CHANGELOG.md", "LICENSE"]),
    ("Use", [DOCS + "errors.md", DOCS + "platforms.md", DOCS + "security.md", "SECURITY.md",
             DOCS + "bridge.md"]),
]
NAMES = {"README.md": "index.md", "SECURITY.md": "reporting.md", "LICENSE": "license.md",
         "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "internals/contributing.md",
         "src/README.md": "internals/sources.md"}


HEADER_OF_CPP = "include/mmf/mmf.hpp"
CLASSES_OF_PYTHON = "bindings/python/mmf/_objects.pyi"

# What git knows or does not ignore; in an unpacked archive, all.
LIST_FILES = """git rev-parse > /dev/null 2>&1 &&
    git ls-files -z --cached --others --exclude-standard --deduplicate ||
    find * -path build -prune -o -type f -print0"""


class Site:
    def __init__(self, root, out):
        self.root, self.out = root, os.path.join(out, "pages")
        self.files = subprocess.run(
            ["bash", "-c", LIST_FILES], cwd=root, text=True, check=True,
            stdout=subprocess.PIPE).stdout.split("\0")
        self.files = [path for path in self.files if os.path.isfile(os.path.join(root, path))]
        self.pages = {}     # the path of a source: the path of its page
        self.functions = {}  # the name of a function: its man page
        self.find_pages()

    def find_pages(self):
        for path in sorted(self.files):
            if path in NAMES:
                self.pages[path] = NAMES[path]
            elif path.startswith("docs/site/"):
                pass
            elif re.fullmatch(r"docs/man/.*\.[1-9]", path):
                self.pages[path] = "man/" + posixpath.basename(path) + ".md"
            elif re.fullmatch(r"docs/.*\.(md|svg|png)", path):
                self.pages[path] = path[len("docs/"):]
            elif re.fullmatch(r"bindings/\w+/README\.md", path):
                self.pages[path] = f"bindings/{path.split('/')[1]}.md"
            elif re.fullmatch(r"examples/((cpp|python)/)?[^/]*\.(c|cpp|py)", path):
                self.pages[path] = path + ".md"
            elif path in (HEADER_OF_CPP, CLASSES_OF_PYTHON):
                self.pages[path] = "reference/cpp.md" if path == HEADER_OF_CPP else "reference/python.md"

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8") as file:
            return file.read()

    def write(self, page, text):
        target = os.path.join(self.out, page)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)

    # From the file SOURCE to what TARGET names in it: the way from page to page, or None.
    def lead(self, source, target):
        path, mark, fragment = target.partition("#")
        if not path or re.match(r"[a-z]+:", target):
            return target
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        page = self.pages.get(path) or self.pages.get(path + "/README.md")
        if path == "examples":
            page = "examples/index.md"
        if page is None:
            return None
        here = posixpath.dirname(self.pages[source])
        return posixpath.relpath(page, here or ".") + mark + fragment

    def document(self, source):
        def link(match):
            picture, text, target = match.groups()
            lead = self.lead(source, target)
            if lead is None:
                return text
            if picture and self.is_for_paper(source, target):
                return f"![{text}]({lead}){{.paper}}"
            return f"{picture}[{text}]({lead})"

        def themed(match):
            dark, light = (self.lead(source, target) for target in match.groups())
            alt = re.search(r'alt="([^"]*)"', match.group(0))
            alt = alt.group(1) if alt else ""
            return f"![{alt}]({light}#only-light)\n![{alt}]({dark}#only-dark)"

        # Not in blocks of code.
        parts = re.split(r"(^```.*?^```$)", self.read(source), flags=re.S | re.M)
        for at in range(0, len(parts), 2):
            parts[at] = LINK.sub(link, PICTURE.sub(themed, parts[at]))
            # A heading's last # is no decoration here: it is C's.
            parts[at] = re.sub(r"^(#+ .*C)#$", r"\1&#35;", parts[at], flags=re.M)
        self.write(self.pages[source], "".join(parts))

    # Whether a picture has no dark theme of its own.
    def is_for_paper(self, source, target):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        return path.endswith(".svg") and "prefers-color-scheme" not in self.read(path)

    #
    # Man pages.
    #

    def names(self, source):
        """The names and the description of a man page."""
        text = re.search(r"^\.S[hH] NAME\n(.*?)^\.S[hH] ", self.read(source), re.S | re.M)
        text = " ".join(text.group(1).split()).replace("\\-", "-")
        names, _, description = text.partition(" - ")
        return [name.strip() for name in names.split(",")], description

    def find_functions(self):
        for source in self.manual():
            section = source.rsplit(".", 1)[1]
            for name in self.names(source)[0]:
                self.functions[name, section] = posixpath.basename(source)
            own = posixpath.basename(source).rsplit(".", 1)[0]
            self.functions[own, section] = posixpath.basename(source)

    def manual(self, section="[1-9]"):
        return [path for path in self.pages
                if re.fullmatch(rf"docs/man/.*\.{section}", path)]

    def refer(self, match):
        name, section = match.groups()
        page = self.functions.get((name, section))
        url = f"{page}.html" if page else MANUAL_OF_OTHERS.format(name, section)
        return f'<a href="{url}"><b>{name}</b>({section})</a>'

    def man_page(self, source):
        text = subprocess.run(
            ["mandoc", "-T", "html", "-O", "fragment", os.path.join(self.root, source)],
            text=True, check=True, stdout=subprocess.PIPE).stdout
        text = re.sub(r"<pre>.*?</pre>",
                      lambda match: re.sub(r"\n?<br/>", "", match.group(0)), text, flags=re.S)
        text = re.sub(r'<p class="Pp">\s*<br/>\s*</p>|(?<=</pre>)\s*<br/>', "", text)
        text = REFERENCE.sub(self.refer, text)
        own = posixpath.basename(source)
        # Links to sections of the page itself would be two: mkdocs makes them, too.
        text = re.sub(r'<a class="permalink"[^>]*>(.*?)</a>', r"\1", text, flags=re.S)
        parts = re.split(r'<section class="Sh">\s*<h1[^>]*>(.*?)</h1>', text, flags=re.S)
        name, section = own.rsplit(".", 1)
        page = [f"---\ntitle: {name}\n---\n# {name}({section})\n"]
        for title, body in zip(parts[1::2], parts[2::2]):
            body = body.split('<table class="foot">')[0].rstrip()
            if body.endswith("</div>") and body.count("</div>") > body.count("<div"):
                body = body[:-len("</div>")].rstrip()
            body = body.removesuffix("</section>")
            title = re.sub("<.*?>", "", title)
            title = " ".join(title.split())
            # A blank line would end the block for the Markdown parser only outside of it.
            page.append(f"## {title}\n\n<div class=\"man\">\n{body.strip()}\n</div>\n")
        self.write(self.pages[source], "\n".join(page))

    def man_index(self):
        titles = {"7": "Overview", "3": "Functions", "1": "The tool"}
        text = ["# Manual\n"]
        for section, title in titles.items():
            text.append(f"## {title}\n\n| | |\n|---|---|")
            for source in self.manual(section):
                names, description = self.names(source)
                page = posixpath.basename(source) + ".md"
                shown = ", ".join(f"[{name}]({page})" for name in names)
                text.append(f"| {shown} | {description} |")
            text.append("")
        self.write("man/index.md", "\n".join(text))

    #
    # Sources, as they are.
    #

    def example(self, source):
        text = self.read(source)
        language = {".cpp": "cpp", ".py": "python"}.get(posixpath.splitext(source)[1], "c")
        name = posixpath.basename(source)
        self.write(self.pages[source], f"# {name}\n\n```{language}\n{text}```\n")

    def examples_index(self):
        text = ["# Examples\n", "| | |\n|---|---|"]
        for source in self.examples():
            first = re.match(r'(?:/\*|//|""")\s*(.*?)(?:\*/|"""|\n(?!//))', self.read(source),
                             re.S)
            what = " ".join(re.sub(r"^(?: \*|//) ?", "", first.group(1), flags=re.M).split())
            name, _, what = what.partition(" - ")
            what = what.split(". ")[0].rstrip(".")
            name = posixpath.relpath(source, "examples")
            text.append(f"| [{name}]({name}.md) | {what} |")
        self.write("examples/index.md", "\n".join(text) + "\n")

    def examples(self):
        return [path for path in self.pages if path.startswith("examples/")]

    #
    # The classes of C++ and of Python.
    #

    def header_of_cpp(self):
        """Its introduction, and the header as it is."""
        text = self.read(HEADER_OF_CPP)
        self.write(self.pages[HEADER_OF_CPP], "# mmf/mmf.hpp\n\nThe library for C++; the guide has "
                   f"[an introduction](../guide.md#c).\n\n```cpp\n{text}```\n")

    def classes_of_python(self):
        """What each class and function takes, from the stubs, and what it is for."""
        package = posixpath.dirname(CLASSES_OF_PYTHON)
        words = {}
        for name in ("_objects.py", "_errors.py", "shared_memory.py"):
            for node in ast.parse(self.read(f"{package}/{name}")).body:
                if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                    words[node.name] = ast.get_docstring(node)
        page = ["# The package mmf\n\nThe guide to it is [Python](../python.md).\n"]
        for name in ("_objects.pyi", "_mmf.pyi", "shared_memory.pyi", "_errors.pyi"):
            text = self.read(f"{package}/{name}")
            title = {"_mmf.pyi": "The bases", "shared_memory.pyi": "mmf.shared_memory",
                     "_errors.pyi": "Exceptions"}.get(name, "Classes and functions")
            page.append(f"## {title}\n")
            for node in ast.parse(text).body:
                if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                    about = words.get(node.name) if name != "_mmf.pyi" else None
                    page.append(f"### {node.name}\n\n{(about or '').strip()}\n\n```python\n"
                                f"{ast.get_source_segment(text, node)}\n```\n")
        self.write(self.pages[CLASSES_OF_PYTHON], "\n".join(page))

    #
    # All of it.
    #

    def navigation(self):
        def existing(paths):
            return [self.pages[path] for path in paths if path in self.pages]

        internals = [path for path in self.pages
                     if path.startswith("docs/internals/") and path.endswith(".md")]
        placed = {path for _, paths in DOCUMENTS for path in paths} | set(internals)
        others = [path for path in self.pages if path.endswith(".md") and path not in placed
                  and not path.startswith(("docs/release", "src/", "CONTRIBUTING"))]
        navigation = [{title: existing(paths)} for title, paths in DOCUMENTS]
        navigation[1]["Use"] += existing(others)
        man = [{"Manual": "man/index.md"}]
        for section, title in (("7", "Overview"), ("3", "Functions"), ("1", "The tool")):
            man.append({title: existing(self.manual(section))})
        navigation.append({"Manual": man})
        navigation.append({"Reference": existing([HEADER_OF_CPP, CLASSES_OF_PYTHON])})
        navigation.append({"Examples": ["examples/index.md"] + existing(self.examples())})
        navigation.append({"Internals": existing(
            internals + ["src/README.md", "CONTRIBUTING.md", "docs/release.md"])})
        return navigation

    def build(self):
        self.find_functions()
        for source, page in self.pages.items():
            if source.startswith("docs/man/"):
                self.man_page(source)
            elif source.startswith("examples/"):
                self.example(source)
            elif source == HEADER_OF_CPP:
                self.header_of_cpp()
            elif source == CLASSES_OF_PYTHON:
                self.classes_of_python()
            elif source == "LICENSE":
                self.write(page, f"# License\n\n```text\n{self.read(source)}```\n")
            elif source.endswith(".md"):
                self.document(source)
            else:
                target = os.path.join(self.out, page)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(os.path.join(self.root, source), target)
        self.man_index()
        self.examples_index()
        shutil.copyfile(os.path.join(self.root, "docs/site/site.css"),
                        os.path.join(self.out, "site.css"))
        with open(os.path.join(self.out, "../mkdocs.yml"), "w", encoding="utf-8") as file:
            file.write(self.read("docs/site/mkdocs.yml"))
            file.write("nav: " + json.dumps(self.navigation()) + "\n")


def main():
    root, out = map(os.path.abspath, sys.argv[1:])
    shutil.rmtree(out, ignore_errors=True)
    Site(root, out).build()


if __name__ == "__main__":
    main()
