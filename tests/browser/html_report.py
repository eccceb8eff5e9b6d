"""Drives Chromium over its debugging pipe (standard library only) and checks the HTML report.

Usage: html_report.py CHROMIUM FOLDER, where FOLDER holds the pages that html-report.sh makes.
Screenshots, in light and dark, and a print are left in FOLDER.
"""

import base64
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time


class Browser:
    """A headless Chromium that is spoken to in JSON messages, each ended by a NUL."""

    def __init__(self, program, profile):
        # Chromium reads 3 and writes 4; our own ends must not be in the way.
        to_browser, self.out, self.into, from_browser = (
            fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (*os.pipe(), *os.pipe()))

        def wire():
            os.dup2(to_browser, 3)
            os.dup2(from_browser, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--disable-component-update", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=wire, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.next_id, self.events = b"", 0, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility", "Security"):
            self.call(domain + ".enable")

    def read(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.into, 1 << 16)
            if not piece:
                raise SystemExit("the browser went away")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.next_id += 1
        message = {"id": self.next_id, "method": method, "params": params}
        if hasattr(self, "session"):
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.next_id:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path):
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.until("document.readyState === 'complete'")

    def run(self, code):
        result = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{code}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, code):
        deadline = time.monotonic() + 30
        while not self.run(code):
            if time.monotonic() > deadline:
                raise AssertionError(f"never became true: {code}")
            time.sleep(0.02)

    def key(self, name, text=None):
        codes = {"Enter": 13, "ArrowDown": 40, "Tab": 9, "/": 191}
        key = {"key": name, "windowsVirtualKeyCode": codes[name]}
        self.call("Input.dispatchKeyEvent", type="keyDown", **key, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def complaints(self):
        """Errors, refused resources and every request for anything but the page itself."""
        found = []
        for event in self.events:
            method, params = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"]["text"])
            elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(params["entry"]["text"])
            elif method == "Network.requestWillBeSent" and params.get("type") != "Document":
                found.append("asked for " + params["request"]["url"])
        return found

    def screenshot(self, path, scheme, width=1280, height=None):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        height = height or min(self.run("document.documentElement.scrollHeight"), 6000)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        image = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(image))


# Text whose contrast with its background is below WCAG 2's AA.
CONTRAST = """(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const background = (node) => {
    for (; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor);
      if (c.length && c[3] !== 0) return c;
    }
    return [255, 255, 255];
  };
  const bad = new Set();
  for (const node of document.querySelectorAll("main *, header *")) {
    if (node.closest("svg") || node.disabled || !node.getClientRects().length) continue;
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    const style = getComputedStyle(node), a = light(parse(style.color)), b = light(background(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700;
    if (ratio < (large ? 3 : 4.5)) bad.add(node.tagName + "." + node.className + " " + ratio.toFixed(2));
  }
  return [...bad];
})()"""

TYPE = """((text) => { const field = document.getElementById("search"); field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true })); })"""

ROWS = "document.querySelectorAll('#body tr.row').length"
RESULT = "document.getElementById('result').textContent"


def check(name, condition, detail=""):
    print(("ok    " if condition else "FAILED") + f"  {name}" + (f"  {detail}" if detail else ""))
    if not condition:
        check.failed += 1


check.failed = 0


def history(browser, folder):
    browser.open(folder / "history.html")
    check("a page of rows is shown", browser.run(ROWS) == 50)
    total = browser.run("JSON.parse(document.getElementById('data').textContent).findings.length")
    open_ones = browser.run("JSON.parse(document.getElementById('data').textContent).findings.filter((f) => f.status === 'new').length")
    check("only open findings at first", browser.run(RESULT) == f"{open_ones} of {total} findings")

    browser.run("document.getElementById('reset').click()")
    check("all after the filters are cleared", browser.run(RESULT) == f"{total} findings")

    browser.run(TYPE + "('stripe greta')")
    browser.until(RESULT + f" !== '{total} findings'")
    texts = browser.run("[...document.querySelectorAll('#body tr.row')].map((r) => r.textContent)")
    check("search finds all words", texts and all("Stripe" in t and "Greta" in t for t in texts), f"{len(texts)} rows")
    browser.run(TYPE + "('no such thing anywhere')")
    browser.until(ROWS + " === 0")
    check("an empty result says so", "No finding fits" in browser.run("document.getElementById('body').textContent"))
    browser.run(TYPE + "('')")
    browser.until(ROWS + " === 50")

    browser.run("document.querySelector('#head th:nth-child(4) button').click()")
    dates = browser.run("[...document.querySelectorAll('#body tr.row td:nth-child(4)')].map((d) => d.textContent.slice(0, 10))")
    check("sorting by date", dates == sorted(dates) and len(set(dates)) > 10)
    check("the sort is announced", browser.run("document.querySelector('#head th:nth-child(4)').getAttribute('aria-sort')") == "ascending")
    check("focus stays on the header", browser.run("document.activeElement.closest('th') !== null"))
    browser.run("document.querySelector('#head th:nth-child(4) button').click()")
    dates = browser.run("[...document.querySelectorAll('#body tr.row td:nth-child(4)')].map((d) => d.textContent.slice(0, 10))")
    check("and backwards", dates == sorted(dates, reverse=True))

    browser.run("document.querySelector('#body .toggle').focus()")
    browser.key("Enter", "\r")
    check("Enter opens the details", browser.run("document.querySelectorAll('#body tr.detail').length") == 1)
    detail = browser.run("document.querySelector('#body tr.detail').textContent")
    check("details have the life and the fingerprint", all(w in detail for w in ("Introduced", "Fingerprint", "Revoke")))
    check("the redacted value is marked", "…" in browser.run("document.querySelector('#body tr.detail mark').textContent"))
    browser.key("ArrowDown")
    check("arrow keys move between findings", browser.run("[...document.querySelectorAll('#body .toggle')].indexOf(document.activeElement)") == 1)
    browser.key("/", "/")
    check("/ goes to the search", browser.run("document.activeElement.id") == "search")

    browser.run("document.querySelector('[data-filter=author]').click()")
    author = browser.run("document.querySelector('[data-filter=author]').dataset.value")
    count = browser.run("document.querySelector('[data-filter=author] .count').textContent")
    check("a bar filters the table", browser.run(RESULT) == f"{count} of {total} findings", author)

    print_id = browser.run("JSON.parse(document.getElementById('data').textContent).findings[99].fingerprint")
    browser.run(f"location.hash = '#f-{print_id}'")
    browser.until("document.querySelectorAll('#body tr.detail').length === 1")
    check("a link opens its finding", print_id in browser.run("document.querySelector('#body tr.detail').textContent"))

    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    unnamed = [n["role"]["value"] for n in tree if not n.get("ignored")
               and n.get("role", {}).get("value") in ("button", "link", "combobox", "searchbox", "image", "table", "img")
               and not n.get("name", {}).get("value")]
    unnamed = [role for role in unnamed if role != "table"]
    check("every control and picture has a name", not unnamed, str(unnamed[:5]) if unnamed else "")

    for scheme in ("light", "dark"):
        browser.open(folder / "history.html")
        browser.screenshot(folder / f"history-{scheme}.png", scheme)
        browser.run("document.querySelector('#body .toggle').click()")
        bad = browser.run(CONTRAST)
        check(f"{scheme}: contrast is AA everywhere", not bad, "; ".join(bad[:6]))
        browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=1100, deviceScaleFactor=1, mobile=False)
        browser.run("document.getElementById('findings').scrollIntoView({ behavior: 'instant' })")
        browser.screenshot(folder / f"details-{scheme}.png", scheme, height=1100)
    browser.screenshot(folder / "narrow.png", "light", width=390, height=2400)
    check("no sideways scrolling on a phone", browser.run("document.documentElement.scrollWidth <= 390"))
    check("no complaint of the browser", not browser.complaints(), "; ".join(browser.complaints()[:3]))

    pdf = browser.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
    (folder / "history.pdf").write_bytes(base64.b64decode(pdf))
    check("it prints", len(pdf) > 20_000)
    browser.call("Emulation.setEmulatedMedia", media="print")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    check("all rows are on paper", browser.run(ROWS) == open_ones, str(browser.run(ROWS)))
    browser.call("Emulation.setEmulatedMedia", media="")


def other_pages(browser, folder):
    browser.open(folder / "scan.html")
    heads = browser.run("[...document.querySelectorAll('#head th')].map((h) => h.textContent)")
    check("no columns for what a scan of files does not know", heads == ["Severity", "Secret", "Where", "Status"], str(heads))
    check("and no timeline", browser.run("document.getElementById('timeline') === null"))
    check("no complaint", not browser.complaints())

    browser.open(folder / "clean.html")
    check("a clean run says so", "No secrets found" in browser.run("document.querySelector('.verdict').textContent"))
    browser.screenshot(folder / "clean.png", "light")
    check("no complaint", not browser.complaints())

    browser.open(folder / "hostile.html")
    browser.run("document.getElementById('reset').click()")
    browser.run("[...document.querySelectorAll('#body .toggle')].forEach((t) => t.click())")
    check("hostile text does not run", browser.run("window.owned") is None)
    check("and makes no elements", browser.run("document.querySelectorAll('main img, main script').length") == 0)
    check("and no links but to https", browser.run("[...document.links].every((a) => a.protocol === 'https:' || a.getAttribute('href').startsWith('#'))"))
    marks = browser.run("/[\\u202a-\\u202e\\u2066-\\u2069\\u001b]/.test(document.body.innerText)")
    check("and shows no direction marks", marks is False)
    browser.run("new Promise((done) => setTimeout(done, 200))")
    check("no complaint", not browser.complaints(), "; ".join(browser.complaints()[:3]))


def large(browser, folder):
    browser.open(folder / "large.html")
    check("10,000 findings: one page in the document", browser.run(ROWS) == 50)
    times = browser.run("""(async () => {
      const times = [];
      const timed = async (act) => { const start = performance.now(); act(); await new Promise((r) => requestAnimationFrame(() => setTimeout(r))); times.push(Math.round(performance.now() - start)); };
      await timed(() => document.getElementById("reset").click());
      for (let i = 1; i <= 4; i++) await timed(() => document.querySelector(`#head th:nth-child(${i}) button`).click());
      await timed(() => [...document.querySelectorAll("#pager button")].at(-1).click());
      return times;
    })()""")
    check("clear, four sorts and the last page are fluid", max(times) < 1500, f"ms: {times}")
    browser.run(TYPE + "('terraform stripe ana')")
    browser.until(RESULT + ".includes(' of ')")
    check("search over 10,000", 0 < browser.run(ROWS) <= 50, browser.run(RESULT))
    check("no complaint", not browser.complaints())


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            history(browser, folder)
            other_pages(browser, folder)
            large(browser, folder)
        finally:
            browser.process.terminate()
            browser.process.wait()
    if check.failed:
        raise SystemExit(f"{check.failed} checks failed")


if __name__ == "__main__":
    main()
