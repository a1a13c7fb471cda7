#!/usr/bin/env python3
"""check_site.py HTML SCREENSHOTS - look at every page of the site in a browser.

Chromium without a screen, driven over the WebDriver protocol. For each page, at 400 and at
1400 pixels: it loads, the console is silent, pictures are there, nothing comes from another
host, the page is not wider than the screen, no letters are tiny. Every link inside the site
leads to a page and to a place in it. The search finds a function; dark mode is dark.
"""
import base64
import functools
import html.parser
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request

WIDTHS = {400: 800, 1400: 900}  # and the heights
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--no-first-run", "--disable-background-networking", "--hide-scrollbars"]

# What a page says of itself.
LOOK = r"""
const smallest = element => Math.min(...[...element.querySelectorAll('*')]
    .filter(e => e.checkVisibility() && [...e.childNodes].some(
        n => n.nodeType === 3 && n.textContent.trim() && n.parentNode.offsetWidth))
    .map(e => parseFloat(getComputedStyle(e).fontSize)));
const article = document.querySelector('article');
return {
    title: document.title,
    letters: article ? article.innerText.length : 0,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    smallest: article ? smallest(article) : 0,
    broken: [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src),
    foreign: performance.getEntriesByType('resource').map(r => r.name)
        .filter(n => !n.startsWith(location.origin) && !n.startsWith('data:')),
};
"""

# The least contrast of text, links and the navigation with what is behind them, by WCAG 2.
CONTRAST = r"""
const light = color => {
    const [r, g, b] = color.match(/[\d.]+/g).slice(0, 3).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const blend = (over, under) => {
    const o = over.match(/[\d.]+/g).map(Number), u = under.match(/[\d.]+/g).map(Number);
    const a = o.length > 3 ? o[3] : 1;
    return `rgb(${[0, 1, 2].map(i => o[i] * a + u[i] * (1 - a))})`;
};
const back = getComputedStyle(document.body).backgroundColor;
const contrast = selector => {
    const text = blend(getComputedStyle(document.querySelector(selector)).color, back);
    const [a, b] = [light(text), light(back)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
};
return {contrast: Math.min(...['article p', 'article p a', '.md-nav__link--active'].filter(
    s => document.querySelector(s)).map(contrast)), back: light(back)};
"""

passed = failed = 0


def check(what, holds, detail=""):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what} {detail}", flush=True)


class Browser:
    """A session of WebDriver."""

    def __init__(self, profile):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], text=True,
                                       stdout=subprocess.PIPE)
        port = None
        for line in self.driver.stdout:
            found = re.search(r"on port (\d+)", line)
            if found and int(found.group(1)):
                port = found.group(1)
                break
        self.base = f"http://127.0.0.1:{port}/session"
        options = {"args": ARGUMENTS + [f"--user-data-dir={profile}"]}
        value = self.call("POST", "", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.base += "/" + value["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def show(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": arguments})

    def wait(self, script):
        """Until SCRIPT answers with something that is true; that, or None after two minutes."""
        for _ in range(5):  # the driver itself gives one script half a minute
            found = self.call("POST", "/execute/async", {"args": [], "script": (
                "const done = arguments[0], end = Date.now() + 25000;"
                "const ask = () => { const got = (() => {" + script + "})();"
                "if (got || Date.now() > end) done(got); else setTimeout(ask, 50); }; ask();")})
            if found:
                return found
        return None

    def resize(self, width):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=WIDTHS[width],
                     deviceScaleFactor=1, mobile=width < 600)

    def prefer(self, scheme):
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": scheme}])

    def command(self, name, **params):
        self.call("POST", "/goog/cdp/execute", {"cmd": name, "params": params})

    def complaints(self):
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})
                if entry["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))

    def end(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()


class Page(html.parser.HTMLParser):
    """The links of a page, and the places in it that links can lead to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        for name in ("href", "src"):
            if attributes.get(name):
                self.links.append(attributes[name])
        for name in ("id", "name"):
            if attributes.get(name):
                self.places.add(attributes[name])


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def check_links(folder, pages):
    parsed = {}
    for page in pages:
        with open(os.path.join(folder, page), encoding="utf-8") as file:
            parsed[page] = Page(file.read())
    for page in pages:
        broken = []
        for link in parsed[page].links:
            url = urllib.parse.urlparse(link)
            if url.scheme or url.netloc:
                continue
            path = urllib.parse.unquote(url.path)
            target = page if not path else os.path.normpath(
                os.path.join("" if path[0] == "/" else os.path.dirname(page), path.lstrip("/")))
            if os.path.isdir(os.path.join(folder, target)):
                target = os.path.normpath(os.path.join(target, "index.html"))
            place = urllib.parse.unquote(url.fragment)
            if not os.path.isfile(os.path.join(folder, target)):
                broken.append(link)
            elif target in parsed and place and place not in parsed[target].places and \
                    place not in ("only-light", "only-dark", "__skip"):
                broken.append(link)
        # The page for a server's "not found" has links from the server's root.
        check(f"{page}: links", not broken or page == "404.html", sorted(set(broken)))


def check_pages(browser, base, pages):
    for width in WIDTHS:
        browser.resize(width)
        for page in pages:
            name = f"{page} at {width}:"
            browser.show(base + page)
            facts = browser.run(LOOK)
            complaints = browser.complaints()
            check(f"{name} loads", facts["title"] and facts["letters"] > 30, facts)
            check(f"{name} the console is silent", not complaints, complaints)
            check(f"{name} fits", facts["wide"] <= 0, f"{facts['wide']} pixels too wide")
            check(f"{name} letters", facts["smallest"] >= 11.5, facts["smallest"])
            check(f"{name} pictures", not facts["broken"], facts["broken"])
            check(f"{name} no other host", not facts["foreign"], facts["foreign"])


def check_search(browser, base):
    browser.show(base + "index.html")
    # The index comes by a worker, which a busy machine starts late: ask again every 5 s.
    found = browser.wait(
        "if (!(window.asked > Date.now() - 5000)) { window.asked = Date.now();"
        "const q = document.querySelector('.md-search__input'); q.focus();"
        "q.value = 'mmf_queue_take'; q.dispatchEvent(new Event('keyup'));"
        "q.dispatchEvent(new InputEvent('input', {bubbles: true})); }"
        "const r = document.querySelector('.md-search-result__link');"
        "return r && r.href;")
    check("the search finds mmf_queue_take", found and "mmf_queue_" in found, found)
    browser.run("document.querySelector('.md-search__input').blur();"
                "document.querySelector('#__search').checked = false")


def check_themes(browser, base, screenshots):
    def inspect(name, page, width, scheme):
        browser.resize(width)
        browser.prefer(scheme)
        browser.run("localStorage.clear()") # what was chosen before
        browser.show(base + page)
        facts = browser.run(CONTRAST)
        check(f"{name}: the contrast is 4.5 or more", facts["contrast"] >= 4.5, facts)
        check(f"{name}: {scheme}", (facts["back"] < 0.2) == (scheme == "dark"), facts)
        browser.screenshot(os.path.join(screenshots, name + ".png"))

    os.makedirs(screenshots, exist_ok=True)
    inspect("desktop", "index.html", 1400, "light")
    inspect("phone", "building.html", 400, "light")
    inspect("dark", "index.html", 1400, "dark")
    inspect("manual", "man/mmf_queue_receive.3.html", 1400, "dark")
    inspect("manual-phone", "man/mmf_queue_receive.3.html", 400, "light")
    # By hand, on a system that prefers light.
    browser.resize(1400)
    browser.prefer("light")
    browser.show(base + "errors.html")
    browser.run("document.querySelector('label.md-header__button[for^=__palette]:not([hidden])')"
                ".click()")
    check("the switch makes it dark",
          browser.wait("return document.body.dataset.mdColorScheme === 'slate'"))


def main():
    folder, screenshots = sys.argv[1:]
    pages = sorted(os.path.relpath(os.path.join(parent, name), folder)
                   for parent, _, names in os.walk(folder)
                   for name in names if name.endswith(".html"))
    check_links(folder, pages)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(profile)
        try:
            check_pages(browser, base, [page for page in pages if page != "404.html"])
            check_search(browser, base)
            check_themes(browser, base, screenshots)
        finally:
            browser.end()
    print(f"FIGURES: {len(pages)} pages, at {len(WIDTHS)} widths")
    print(f"site: {passed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
