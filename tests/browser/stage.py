"""Pages on loopback, a collector that remembers what it was sent, and a browser between them."""

import hashlib
import hmac
import json
import os
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import sync_playwright

import firefox

# What a browser without a network must not try, and what a container does not let it have.
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync",
            # A name that is not this machine's, so that pages by plain http are no secure context.
            "--host-resolver-rules=MAP cases.example 127.0.0.1"]
PAGE_KEY = "gilbreth"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A browser that has closed its connection is no fault of the page's."""


class Stage:
    """Serves `pages` (path → body, or a function of the request that gives status, headers, body) and takes exports."""

    def __init__(self, agent, notice=b""):
        self.agent, self.notice = agent, notice
        # What a collector has for a system without rules of its own.
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../collector/agent/kinds.json")) as kinds:
            rules = json.dumps({"kinds": json.load(kinds)})
        told = {"content-type": "application/json", "access-control-allow-origin": "*"}
        self.pages = {"/agent/ndelius.json": lambda *_: (200, told, rules)}
        self.seen = []
        self.bodies = []
        self.requests = []
        self.is_down = False
        self.refusal = None  # a status
        self.refused = 0
        self.hanging = None  # an event: until it is set, the collector keeps whoever sends waiting, and takes nothing
        stage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                stage.answer(self, b"")

            def do_POST(self):
                stage.answer(self, self.rfile.read(int(self.headers.get("content-length", 0))))

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        # The same server by another name is another origin.
        self.other_url = f"http://localhost:{self.server.server_port}"
        self.plain_url = f"http://cases.example:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request, body):
        path = request.path.split("?")[0]
        status, headers, answer = 404, {}, "there is no such page"
        if path == "/agent.js":
            status, headers, answer = 200, {"content-type": "text/javascript"}, self.agent
        elif path == "/notice.js":
            status, headers, answer = 200, {"content-type": "text/javascript"}, self.notice
        elif path == "/v1/traces":
            status, headers, answer = self.take(body)
        elif path in self.pages:
            self.requests.append((request.command, request.path, dict(request.headers), body))
            page = self.pages[path]
            status, headers, answer = page(request, body) if callable(page) else (200, {}, page)
        answer = answer if isinstance(answer, bytes) else answer.encode()
        try:
            request.send_response(status)
            for name, value in {"content-type": "text/html; charset=utf-8", **headers}.items():
                request.send_header(name, value)
            request.send_header("content-length", str(len(answer)))
            request.end_headers()
            request.wfile.write(answer)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def take(self, body):
        origin = {"access-control-allow-origin": "*"}
        if self.hanging:
            self.hanging.wait()
            return 503, origin, "{}"
        if self.is_down:
            return 503, origin, "{}"
        if self.refusal:
            self.refused += 1
            return self.refusal, origin, "{}"
        self.bodies.append(body)
        for of in json.loads(body)["resourceSpans"]:
            resource = named(of["resource"]["attributes"])
            for spans in of["scopeSpans"]:
                self.seen.extend(Span(span, resource) for span in spans["spans"])
        return 200, {"content-type": "application/json", **origin}, "{}"

    def spans(self, kind=None):
        """What was sent, each span once, by start."""
        once = {span.id: span for span in self.seen}
        return sorted((span for span in once.values() if kind in (None, span.kind)), key=lambda span: span.start)

    def wait_for(self, holds, what, seconds=15):
        """Waits until something holds of what was sent."""
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                raise AssertionError(f"{what}; sent were\n" + "\n".join(map(str, self.spans())))
            time.sleep(0.02)


class Span:
    """A span as it was sent; times in milliseconds."""

    def __init__(self, span, resource):
        about = named(span["attributes"])
        self.id, self.trace, self.resource, self.about = span["spanId"], span["traceId"], resource, about
        self.start, self.end = int(span["startTimeUnixNano"]) / 1e6, int(span["endTimeUnixNano"]) / 1e6
        self.kind = about.get("casework.interaction")
        self.screen, self.field = about.get("app.screen.name"), about.get("app.widget.name")
        self.outcome, self.origin = about.get("casework.outcome"), about.get("casework.input.origin")
        self.keys, self.corrections = about.get("casework.input.keystrokes"), about.get("casework.input.corrections")
        self.digest, self.value_kind = about.get("casework.value.digest"), about.get("casework.value.kind")
        self.parts, self.cases = about.get("casework.value.parts", []), about.get("casework.case.id", [])
        self.continues, self.session = about.get("casework.continues"), about.get("session.id")

    @property
    def lasted(self):
        return self.end - self.start

    def __str__(self):
        return f"{self.start % 1e6:10.1f} {self.lasted:8.1f} {self.about}"


def named(attributes):
    return {attribute["key"]: value_of(attribute["value"]) for attribute in attributes}


def value_of(value):
    if "arrayValue" in value:
        return [value_of(one) for one in value["arrayValue"]["values"]]
    return int(value["intValue"]) if "intValue" in value else value["stringValue"]


def page(body, screen="Contact", settings="", case="X123456", agent="/agent.js"):
    """A page with the agent in it."""
    return f"""<!doctype html><title>A page</title>
<body data-casework-screen="{screen}" data-casework-case="{case}">
<script src="{agent}" data-system="ndelius" data-worker="w1" data-key="{PAGE_KEY}" {settings}></script>
{body}</body>"""


def launch_firefox(playwright):
    launched, launched.tools = firefox.launch(playwright.firefox.launch)
    return launched


def launch_chromium(chromium, **how):
    path = os.environ.get("GILBRETH_TEST_CHROMIUM", "/usr/bin/chromium")
    return chromium.launch(executable_path=path, args=CHROMIUM, **how)


@contextmanager
def browser(is_firefox=False):
    with sync_playwright() as playwright:
        launched = launch_firefox(playwright) if is_firefox else launch_chromium(playwright.chromium)
        try:
            yield launched
        finally:
            launched.close()


def digest(canonical):
    return hmac.new(PAGE_KEY.encode(), canonical.encode(), hashlib.sha256).hexdigest()[:16]


FORM = """<form action="/saved" method="post">
<label>Surname: <input name="s" value="Smith"></label> <label>Notes <textarea name="n"></textarea></label>
<label>Date of birth <input name="d"></label>
<label>Sex <select name="x"><option value="">Choose</option><option value="1">Male</option><option value="2">Female</option></select></label>
<fieldset><legend>Risk</legend><label><input type="radio" name="r" value="1"> Low</label> <label><input type="radio" name="r" value="2"> High</label></fieldset>
<button>Save contact</button></form>"""


def data(request, _):
    asked = dict(part.split("=") for part in request.path.split("?")[1].split("&"))
    time.sleep(float(asked["wait"]))
    return int(asked.get("status", 200)), {"content-type": "application/json"}, "{}"


def notice(origin=""):
    return f'<script src="{origin}/notice.js" data-text="This page is measured"></script>'


# Time that passes without anybody waiting for it: both clocks, or the wall's alone.
CLOCKS = """const wall = Date.now, ticks = performance.now.bind(performance); let passed = 0, jumped = 0;
Date.now = () => wall() + passed + jumped; performance.now = () => ticks() + passed;
window.pass = (ms) => { passed += ms; }; window.jump = (ms) => { jumped += ms; };"""
