"""What the browser extension does with pages that have no script of ours: each test is one promise, in a browser of its own.

    extension.py [FOLDER [part of a test's name]]

FOLDER is the unpacked extension, by default `collector/agent`. Needs playwright, and Chromium (`GILBRETH_TEST_CHROMIUM`
says where it is) or websockets and Firefox (`GILBRETH_TEST_FIREFOX` says where that is; if it is set, Firefox is used). The
policy comes from the extension's own storage, since Chromium reads a managed one only from a folder
of the system.
"""

import functools
import hashlib
import hmac
import json
import multiprocessing
import os
import sys
import tempfile
import time
import traceback

from playwright.sync_api import sync_playwright

import firefox
from stage import CHROMIUM, Stage, named

SIDE_BY_SIDE = 2
TOKEN, OTHER_TOKEN = "gilbreth_canary_one", "gilbreth_canary_two"
# What docs/extension.md has administrators set in Firefox, which else may end a page's scripts while they tell of its end.
AS_MANAGED = {"dom.abort_script_on_child_shutdown": False}
# Nothing is allowed that a page can do without, the collector is not named, and no string becomes a script.
STRICT = "default-src 'none'; script-src 'self'; frame-src *; form-action 'self'; require-trusted-types-for 'script'"
FORM = "<label>Notes <input></label><label>Surname <input></label>"


def page(body, screen="Contact", about='data-casework-worker="w1" data-casework-case="X123456"', policy=STRICT):
    """A page that knows nothing of us but for its attributes."""
    text = f'<!doctype html><title>A page</title><body data-casework-screen="{screen}" {about}>{body}</body>'
    return lambda *_: (200, {"content-security-policy": policy}, text)


def script(text):
    return lambda *_: (200, {"content-type": "text/javascript"}, text)


class Office(Stage):
    """A stage that also remembers how batches came."""

    def __init__(self):
        super().__init__(b"")
        self.posts = []

    def answer(self, request, body):
        if request.path.startswith("/v1/traces"):
            self.posts.append((request.path, dict(request.headers), body))
        super().answer(request, body)

    def of(self, system, kind=None):
        return [span for span in self.spans(kind) if span.resource.get("service.name") == system]


class Desk:
    """A browser with the extension, whose profile outlives it."""

    def __init__(self, playwright, folder):
        self.playwright, self.folder = playwright, folder
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.errors = []
        self.open()

    def open(self):
        (self.open_firefox if firefox.path() else self.open_chromium)()
        self.context.on("weberror", lambda error: self.note(error.error.stack or str(error.error)))

    def note(self, error):
        if not firefox.is_its_own(error):
            self.errors.append(error)

    def open_chromium(self):
        path = os.environ.get("GILBRETH_TEST_CHROMIUM", "/usr/bin/chromium")
        self.context = self.playwright.chromium.launch_persistent_context(
            self.profile.name, executable_path=path, headless=False, ignore_default_args=["--disable-extensions"],
            args=[*CHROMIUM, "--headless=new", f"--load-extension={self.folder}", f"--disable-extensions-except={self.folder}",
                  "--disable-features=DisableLoadExtensionCommandLineSwitch"])
        workers = self.context.service_workers
        worker = workers[0] if workers else self.context.wait_for_event("serviceworker", timeout=60_000)
        self.home = worker.url.removesuffix("extension/worker.js")
        # A page of the extension: the worker itself may fall asleep.
        self.inside = self.context.pages[0]
        self.inside.goto(self.home + "manifest.json")

    def open_firefox(self):
        start = functools.partial(self.playwright.firefox.launch_persistent_context, self.profile.name)
        self.context, self.tools = firefox.launch(start, **AS_MANAGED)
        self.home = self.tools.install(self.folder)
        self.inside = self.tools.open(self.home + "manifest.json")

    def close(self):
        self.context.close()

    def tab(self, url=None):
        tab = self.context.new_page()
        if url:
            tab.goto(url)
        return tab

    def until(self, holds, what, given=None, seconds=60):
        """Waits until something holds inside the extension; gives what it is."""
        end = time.monotonic() + seconds
        while not (got := self.inside.evaluate(holds, given)):
            assert time.monotonic() < end, what
            time.sleep(0.05)
        return got

    def allow(self, endpoint, *pages, **more):
        """Sets the policy, and waits until it holds and the rules are there."""
        self.inside.evaluate("(policy) => chrome.storage.local.set({ policy })", {"endpoint": endpoint, "pages": pages, **more})
        self.until("""async (origins) => {
            const { pages = {} } = await chrome.storage.local.get("pages");
            const scripts = await chrome.scripting.getRegisteredContentScripts();
            const said = JSON.stringify([...new Set(scripts.flatMap(({ matches }) => matches))].sort());
            // Firefox knows no ports in patterns.
            const pattern = (origin) => (chrome.runtime.getURL("").startsWith("moz-") ? origin.replace(/:\\d+$/, "") : origin) + "/*";
            return said === JSON.stringify(origins.map(pattern).sort()) && JSON.stringify(Object.keys(pages).sort()) === JSON.stringify(origins);
        }""", "the policy does not come to hold", sorted(page["origin"] for page in pages))

    def waiting(self, seconds=60, least=1):
        """What lies in the queue, once there is as much."""
        return self.until("""(least) => new Promise((resolve, reject) => {
            const opening = indexedDB.open("gilbreth");
            opening.onerror = () => reject(opening.error);
            opening.onsuccess = () => {
                const { result } = opening;
                if (!result.objectStoreNames.length) return resolve(result.close());
                result.transaction("batches").objectStore("batches").getAll().onsuccess = (event) => {
                    result.close();
                    resolve(event.target.result.length >= least && event.target.result);
                };
            };
        })""", "nothing is kept", least, seconds)

    def put_to_sleep(self):
        """Ends the worker as the browser does with one that has nothing to do."""
        if firefox.path():
            return self.tools.stop_background(self.home)
        session = self.context.new_cdp_session(self.inside)
        session.send("ServiceWorker.enable")
        session.send("ServiceWorker.stopAllWorkers")
        session.detach()


def wait_until(at, holds):
    """Waits until something holds in a page whose policy does not let it wait for it itself."""
    end = time.monotonic() + 30
    while not at.evaluate(holds):
        assert time.monotonic() < end, holds
        time.sleep(0.02)


def key_in(tab, label, text, then=None):
    tab.get_by_label(label).click()
    tab.keyboard.type(text)
    if then:
        tab.get_by_label(then).click()


def ndelius(stage, **more):
    return {"origin": stage.url, "system": "ndelius", "token": TOKEN, "rules": "none", **more}


def oasys(stage, **more):
    return {"origin": stage.other_url, "system": "oasys", "token": OTHER_TOKEN, "rules": "none", **more}


def a_page_without_any_script_is_measured(stage, desk):
    """Under the strictest policy of its own, with the origin that its token is for, and with a notice."""
    stage.pages["/form"] = page(FORM)
    desk.allow(stage.url, ndelius(stage, release="3.1"), oasys(stage), notice="This page is measured")
    for url in [stage.url, stage.other_url]:
        tab = desk.tab()
        complaints = []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(url + "/form")
        tab.get_by_text("This page is measured").wait_for()
        key_in(tab, "Notes", "abc", "Surname")
        assert not complaints, complaints
    stage.wait_for(lambda: len(stage.spans("entry")) == 2, "an entry is missing", 60)
    (one,), (other,) = stage.of("ndelius", "entry"), stage.of("oasys", "entry")
    assert (one.field, one.keys, one.cases, one.about["enduser.pseudo.id"]) == ("Notes", 3, ["X123456"], "w1")
    assert (one.resource["service.version"], other.resource.get("service.version")) == ("3.1", None)
    for path, headers, body in stage.posts:
        url, token = (stage.url, TOKEN) if b"ndelius" in body else (stage.other_url, OTHER_TOKEN)
        assert headers["Origin"] == url and path.endswith("&token=" + token) and len(body) < 48_000, (path, headers)
        assert headers["content-type"] == "text/plain" and "Cookie" not in headers


def nothing_runs_where_the_policy_does_not_say(stage, desk):
    stage.pages["/form"] = page(FORM)
    stage.pages["/top"] = page(f'<iframe src="{stage.plain_url}/form"></iframe>')
    desk.allow(stage.url, ndelius(stage))
    other, top = desk.tab(stage.other_url + "/form"), desk.tab(stage.url + "/top")
    top.frame_locator("iframe").get_by_label("Notes").click()
    for at in [other, top.frames[1]]:
        assert not at.evaluate("'gilbreth' in window || 'gilbreth' in localStorage || 'gilbreth' in sessionStorage")
    key_in(other, "Notes", "abc", "Surname")
    stage.wait_for(lambda: stage.spans("view"), "the page that is allowed is not told of", 60)
    # What is allowed no longer: neither the next page, nor what an open one goes on telling.
    tab = desk.tab(stage.url + "/form")
    desk.allow(stage.url, oasys(stage))
    key_in(tab, "Notes", "abc", "Surname")
    tab.goto(stage.url + "/form")  # the page before sends what it has
    assert not tab.evaluate("'gilbreth' in window")
    other.reload()
    other.bring_to_front()
    key_in(other, "Notes", "abcd", "Surname")
    stage.wait_for(lambda: stage.of("oasys", "entry"), "who is allowed now is not told of", 60)
    assert [span.keys for span in stage.spans("entry")] == [4]


def a_frame_of_another_origin_is_told_with_its_top_page(stage, desk):
    """Worker, case and session are those of the top page while it happened; what the frame says itself stays."""
    stage.pages["/form"] = page(FORM, screen="Assessment", about="")
    stage.pages["/own"] = page(FORM, screen="Own", about='data-casework-case="O77"')
    stage.pages["/same"] = page("<label>Within <input></label>", screen="Within", about="")
    frames = f'<iframe name="a" src="{stage.other_url}/form"></iframe><iframe name="b" src="{stage.other_url}/own"></iframe><iframe name="c" src="/same"></iframe>'
    stage.pages["/top"] = page(FORM + frames)
    stage.pages["/next"] = page(FORM, screen="Next", about='data-casework-worker="w1" data-casework-case="Y2"')
    desk.allow(stage.url, ndelius(stage), oasys(stage))
    tab = desk.tab(stage.url + "/top")
    for name, label in [("a", "Notes"), ("b", "Surname"), ("c", "Within"), ("a", "Surname")]:
        tab.frame(name=name).get_by_label(label).click()
        tab.keyboard.type("abc")
    tab.goto(stage.url + "/next")  # the frame tells of its last field as it goes
    stage.wait_for(lambda: len(stage.of("oasys", "entry")) == 3 and any(span.screen == "Next" for span in stage.spans("view")), "an entry is missing", 60)
    (session,) = {span.session for span in stage.of("ndelius")}
    for span in stage.of("oasys"):
        assert span.about["enduser.pseudo.id"] == "w1" and span.session == session, span
        assert span.cases == (["O77"] if span.screen == "Own" else ["X123456"]), span
        assert len(span.about) == len({*span.about})
    assert {(span.screen, span.field) for span in stage.of("oasys", "entry")} == {("Assessment", "Notes"), ("Own", "Surname"), ("Assessment", "Surname")}
    within = [span for span in stage.spans("entry") if span.field == "Within"]
    assert [(span.resource["service.name"], span.session) for span in within] == [("ndelius", session)], "the page itself watches frames of its origin"


def what_a_frame_is_given_makes_no_request_too_large(stage, desk):
    stage.pages["/spy.js"] = script(SPY)
    stage.pages["/inner"] = page('<script src="/spy.js"></script>' + FORM, screen="Inner", about="")
    stage.pages["/top"] = page(FORM + f'<iframe name="a" src="{stage.other_url}/inner"></iframe>')
    desk.allow(stage.url, ndelius(stage), oasys(stage))
    tab = desk.tab(stage.url + "/top")
    stage.wait_for(lambda: stage.of("ndelius", "view"), "the top page is not told of", 60)
    tab.frame(name="a").evaluate("""() => {
        const all = JSON.parse(body("oasys", "00000000000000b0"));
        const { spans } = all.resourceSpans[0].scopeSpans[0];
        for (let n = 1; n < 150; n++) spans.push({ ...spans[0], spanId: (0xb000 + n).toString(16).padStart(16, "0") });
        forge(JSON.stringify({ id: 1001, body: JSON.stringify(all) }));
    }""")
    stage.wait_for(lambda: len([span for span in stage.of("oasys") if span.screen == "Forged"]) == 150, "spans are missing", 60)
    assert all(span.cases == ["X123456"] for span in stage.of("oasys"))
    sizes = [len(body) for _, _, body in stage.posts]
    assert max(sizes) < 48_000 and len([size for size in sizes if size > 20_000]) > 1, sizes


def rules_come_through_the_worker(stage, desk):
    """With them the page key. Newer ones hold for pages after those that asked; without any at first, pages wait."""
    rules = {"key": "another", "worker": "#who", "screens": [{"on": "#f1", "screen": "By rule"}], "fields": [{"on": "#f1", "name": "By rule", "kind": "text"}]}
    stage.pages["/form"] = page('<b id="who">jsmith</b><input id="f1"><input id="f2">', screen="", about="")
    is_there = [False]
    stage.pages["/agent/ndelius.json"] = lambda *_: (200, {"content-type": "application/json"}, json.dumps(rules)) if is_there[0] else (503, {}, "")
    desk.inside.evaluate("(policy) => chrome.storage.local.set({ policy })", {"endpoint": stage.url, "pages": [{k: v for k, v in ndelius(stage).items() if k != "rules"}]})
    desk.until("async () => (await chrome.scripting.getRegisteredContentScripts()).length === 2", "the policy does not come to hold")
    stage.wait_for(lambda: any(path == "/agent/ndelius.json" for _, path, *_ in stage.requests), "no rules are asked for", 60)
    tab = desk.tab(stage.url + "/form")
    is_there[0] = True
    desk.tab(stage.url + "/form")  # does not come to be measured itself before its rules are there
    desk.inside.evaluate("chrome.storage.local.get('policy').then(({ policy }) => chrome.storage.local.set({ policy: { ...policy, notice: 'Measured' } }))")
    tab.bring_to_front()
    tab.get_by_text("Measured").wait_for(timeout=60_000)
    tab.locator("#f1").click()
    tab.keyboard.type("abc")
    tab.locator("#f2").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing", 60)
    (entry,) = stage.spans("entry")
    assert (entry.screen, entry.field, entry.about["enduser.pseudo.id"]) == ("By rule", "By rule", "jsmith"), entry
    assert entry.digest == hmac.new(b"another", b"abc", hashlib.sha256).hexdigest()[:16], "the key of the rules"


def what_cannot_be_sent_waits_and_is_sent_once(stage, desk):
    """With the clock of when it is sent, whatever wakes the worker meanwhile."""
    stage.pages["/form"] = page(FORM)
    desk.allow(stage.url, ndelius(stage))
    stage.is_down = True
    tab = desk.tab(stage.url + "/form")
    key_in(tab, "Notes", "abc", "Surname")
    stage.wait_for(lambda: len(stage.posts) > 1, "it is not tried again", 60)
    desk.put_to_sleep()
    tab.goto(stage.url + "/form")  # wakes it
    assert len(desk.waiting()) >= 1
    kept = {span["spanId"] for batch in desk.waiting() for span in batch["spans"]}
    assert not stage.seen and kept
    up_again = time.time()
    stage.is_down = False
    tab.goto(stage.url + "/form")
    desk.inside.evaluate("navigator.locks.request('send', () => {})")
    stage.wait_for(lambda: kept <= {span.id for span in stage.spans()} and stage.spans("entry"), "what was kept is not sent", 90)
    for span in stage.seen:
        assert up_again * 1e9 - 1e9 <= span.resource["casework.clock.sent"] <= time.time() * 1e9 + 1e9, "the clock is that of another time"
    ids = [span.id for span in stage.seen if span.id in kept]
    assert len(ids) == len(set(ids)), "something was sent twice"
    desk.until("async () => !(await chrome.alarms.getAll()).length", "an alarm is left though nothing waits")


SPY = """window.heard = [];
const dispatch = EventTarget.prototype.dispatchEvent;
EventTarget.prototype.dispatchEvent = function (event) { heard.push(String(event.detail)); return dispatch.call(this, event); };
for (const what of ["ready", "start", "spans", "kept", "hold", "held"]) addEventListener("gilbreth-" + what, (event) => heard.push(event.detail), true);
addEventListener("message", (event) => heard.push(JSON.stringify(event.data)), true);
window.forge = (detail) => dispatch.call(document, new CustomEvent("gilbreth-spans", { detail }));
const text = (key, stringValue) => ({ key, value: { stringValue } });
window.body = (system, id, more = "") => JSON.stringify({ resourceSpans: [{ resource: { attributes: [text("service.name", system), text("casework.clock.received", "1")] }, scopeSpans: [{ spans: [
  { traceId: "1".repeat(32), spanId: id, name: "view", startTimeUnixNano: Date.now() * 1e6, endTimeUnixNano: Date.now() * 1e6, attributes: [text("casework.interaction", "view"), text("app.screen.name", "Forged" + more)] }] }] }] });"""


def a_page_learns_no_token_and_writes_for_no_other_system(stage, desk):
    stage.pages["/spy.js"] = script(SPY)
    stage.pages["/form"] = page('<script src="/spy.js"></script>' + FORM)
    desk.allow(stage.url, ndelius(stage), oasys(stage), notice="This page is measured")
    tab = desk.tab(stage.url + "/form")
    tab.get_by_text("This page is measured").wait_for()
    key_in(tab, "Notes", "abc", "Surname")
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing", 60)
    tab.evaluate("""() => {
        forge(JSON.stringify({ id: 1001, body: body("oasys", "00000000000000a1") }));
        forge(JSON.stringify({ id: 1002, body: body("ndelius", "00000000000000a2", "x".repeat(50_000)) }));
        forge(JSON.stringify({ id: 1003, body: "{" }));
        forge(JSON.stringify({ id: 1004, body: JSON.stringify({ resourceSpans: [] }) }));
        forge(JSON.stringify({ id: 1005, body: body("oasys", "no id") }));
        forge("no JSON");
        forge(undefined);
        forge(JSON.stringify({ id: 1007, body: { spans: [] } }));
        forge("null");
        forge(JSON.stringify({ id: 1006, body: body("oasys", "00000000000000a3") }));
    }""")
    stage.wait_for(lambda: any(span.id == "00000000000000a3" for span in stage.spans()), "what has the right form is not sent", 60)
    forged = [span for span in stage.spans() if (span.screen or "").startswith("Forged")]
    assert [span.id for span in forged] == ["00000000000000a1", "00000000000000a3"]
    for span in forged:
        assert span.resource["service.name"] == "ndelius" and "casework.clock.received" not in span.resource, "forged for another system"
    assert not stage.of("oasys")
    heard = tab.evaluate("[...heard.map(String), JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.documentElement.outerHTML]")
    for one in range(1001, 1008):  # an agent whose batch was not taken would send it again, and nothing else any more
        assert json.dumps({"id": one, "isKept": True}, separators=(",", ":")) in heard, one
    assert any("1001" in one for one in heard) and not any("canary" in one for one in heard), "a token was heard"
    stored = json.dumps(desk.inside.evaluate("chrome.storage.local.get('pages')"))
    assert stage.url in stored and "canary" not in stored, "a token lies where relays read"
    refused = tab.evaluate("(url) => fetch(url).then(() => 'read', () => 'refused')", desk.home + "extension/worker.js")
    assert refused == "refused", "a page reads the extension"


def a_page_that_is_closed_loses_nothing(stage, desk):
    """In the middle of a field, while the worker is asleep."""
    stage.pages["/form"] = page(FORM)
    desk.allow(stage.url, ndelius(stage))
    for text in ["abc", "abcd"]:
        tab = desk.tab(stage.url + "/form")
        tab.get_by_label("Notes").click()
        tab.keyboard.type(text)
        desk.put_to_sleep()
        tab.close()
        stage.wait_for(lambda: any(span.keys == len(text) for span in stage.spans("entry")), "the field is lost", 60)
    assert [span.outcome for span in stage.spans("navigation") if span.outcome] == ["lost", "lost"]


def what_waits_outlives_the_browser(stage, desk):
    stage.pages["/form"] = page(FORM)
    stage.pages["/top"] = page(f'<iframe src="{stage.other_url}/form"></iframe>')
    desk.allow(stage.url, ndelius(stage), oasys(stage))
    stage.is_down = True
    tab = desk.tab(stage.url + "/form")
    key_in(tab, "Notes", "abc")
    tab.goto(stage.url + "/top")
    tab.frame_locator("iframe").get_by_label("Notes").click()
    tab.keyboard.type("abcd")
    tab.goto(stage.url + "/form")
    desk.waiting(least=2)
    desk.until("""() => new Promise((resolve) => { const opening = indexedDB.open("gilbreth"); opening.onsuccess = () => {
        opening.result.transaction("batches").objectStore("batches").getAll().onsuccess = ({ target }) => { opening.result.close();
        resolve(target.result.some(({ spans }) => JSON.stringify(spans).includes('"intValue":4'))); }; }; })""", "the frame's entry is not kept")
    desk.close()
    stage.is_down = False
    assert not stage.seen
    desk.open()
    stage.wait_for(lambda: {span.keys for span in stage.spans("entry")} == {3, 4}, "what waited is lost", 90)
    (framed,) = stage.of("oasys", "entry")
    assert (framed.about["enduser.pseudo.id"], framed.cases) == ("w1", ["X123456"])


def a_pause_holds_everywhere(stage, desk):
    """In all pages and frames that are open, and in those to come, until the worker resumes."""
    stage.pages["/form"] = page(FORM)
    stage.pages["/top"] = page(FORM.replace("Notes", "Top") + f'<iframe src="{stage.other_url}/form"></iframe>')
    desk.allow(stage.url, ndelius(stage), oasys(stage), notice="This page is measured")
    tab, other = desk.tab(stage.url + "/top"), desk.tab(stage.url + "/form")
    other.get_by_role("button", name="Pause").click()
    desk.until("async () => (await chrome.storage.local.get('paused')).paused && (await chrome.action.getBadgeText({})) === 'off'", "the pause is not known")
    for at in [other, tab]:  # each has heard of it once its own storage says so
        wait_until(at, "localStorage['gilbreth-paused']")
    wait_until(tab.frames[1], "localStorage['gilbreth-paused']")
    tab.bring_to_front()
    key_in(tab, "Top", "a", "Surname")
    frame = tab.frame_locator("iframe")
    frame.get_by_label("Notes").click()
    tab.keyboard.type("ab")
    frame.get_by_label("Surname").click()
    fresh = desk.tab(stage.other_url + "/form")
    fresh.get_by_role("button", name="Resume").wait_for()
    key_in(fresh, "Notes", "abc", "Surname")
    fresh.get_by_role("button", name="Resume").click()
    for at in [tab, tab.frames[1], fresh]:
        wait_until(at, "!localStorage['gilbreth-paused']")
    tab.bring_to_front()
    frame.get_by_label("Notes").click()
    tab.keyboard.type("abcd")
    frame.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "nothing is told after the pause", 60)
    assert [span.keys for span in stage.spans("entry")] == [4], [str(span) for span in stage.spans("entry")]


def only_the_worker_pauses_and_resumes(stage, desk):
    """What the pages of an origin store, call or click says nothing."""
    stage.pages["/form"] = page(FORM)
    desk.allow(stage.url, ndelius(stage), oasys(stage), notice="This page is measured")
    tab, other, again = (desk.tab(url + "/form") for url in [stage.url, stage.other_url, stage.other_url])
    tabs = [tab, other, again]
    tab.get_by_role("button", name="Pause").click()
    for at in tabs:
        at.get_by_role("button", name="Resume").wait_for()
    for what in ["localStorage.clear()", "localStorage.removeItem('gilbreth-paused')", "gilbreth.resume()", "document.querySelector('aside > button').click()"]:
        other.bring_to_front()
        other.evaluate(what)
        for at in tabs:
            at.bring_to_front()
            key_in(at, "Notes", "abc", "Surname")
            assert at.evaluate("gilbreth.isPaused") and at.get_by_role("button", name="Resume").is_visible(), what
        assert desk.inside.evaluate("chrome.storage.local.get('paused')") == {"paused": True}, what
    other.evaluate("localStorage.clear()")
    other.goto(stage.other_url + "/form")  # the page before sends what it has
    other.get_by_role("button", name="Resume").click()
    for at in tabs:
        at.get_by_role("button", name="Pause").wait_for()
    for what in ["localStorage['gilbreth-paused'] = 'yes'", "gilbreth.pause()", "document.querySelector('aside > button').click()"]:
        other.bring_to_front()
        other.evaluate(what)
        other.get_by_label("Notes").click()
        for at in tabs:
            wait_until(at, "!gilbreth.isPaused")
        assert not desk.inside.evaluate("chrome.storage.local.get('paused')")["paused"], what
    other.wait_for_timeout(500)  # by now all have agreed
    for at, text in zip(tabs, ["abcd", "abcde", "abcdef"]):
        at.bring_to_front()
        key_in(at, "Notes", text, "Surname")
    stage.wait_for(lambda: {4, 5, 6} <= {span.keys for span in stage.spans("entry")}, "a page is not measured", 60)
    assert 3 not in {span.keys for span in stage.spans("entry")}, "told of in a pause"


def a_page_cannot_spoil_the_notice(stage, desk):
    """Neither its styles, nor another body, nor a line of its own; a page of frames shows it in one of them."""
    spoilt = "* { display: none !important } button, aside { all: unset !important; color: white !important; position: static !important; visibility: hidden } html, body { display: block !important }"
    stage.pages["/form"] = page("<style>" + spoilt + "</style><script src='/line.js' data-text='Another'></script><p>Text</p>", policy="")
    with open(os.path.join(desk.folder, "notice.js")) as file:
        stage.pages["/line.js"] = script(file.read())
    stage.pages["/frames"] = '<!doctype html><frameset><frame src="/form"></frameset>'
    desk.allow(stage.url, ndelius(stage), notice="This page is measured")
    tab = desk.tab(stage.url + "/form")
    button = tab.get_by_role("button", name="Pause")
    button.wait_for()
    tab.evaluate("document.body.outerHTML = '<body><p>Another</p></body>'")
    button.wait_for()
    box = tab.locator("aside").bounding_box()  # the only one
    corner = [box["x"] + box["width"] - tab.viewport_size["width"], box["y"] + box["height"] - tab.viewport_size["height"]]
    assert max(map(abs, corner)) < 0.01, box
    look = "(of) => { const { color, backgroundColor, fontSize, position } = getComputedStyle(of); return [color, backgroundColor, fontSize, position]; }"
    assert tab.locator("aside").evaluate(look) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)", "14px", "fixed"]
    assert button.evaluate(look) == ["rgb(0, 0, 0)", "rgb(238, 238, 238)", "14px", "static"]
    button.click()
    tab.get_by_role("button", name="Resume").click()
    button.wait_for()
    frames = desk.tab(stage.url + "/frames")
    wait_until(frames, "gilbreth.isPaused === false && sessionStorage.gilbreth")
    stage.wait_for(lambda: len(stage.spans("view")) > 1, "the page of frames is not told of", 60)
    assert [frame.locator("aside").count() for frame in frames.frames] == [0, 1]
    frames.frames[1].get_by_role("button", name="Pause").click()
    tab.get_by_role("button", name="Resume").wait_for()  # in all pages of the profile
    frames.frames[1].get_by_role("button", name="Resume").click()
    button.wait_for()


def pages_are_measured_before_the_policy_is_told(stage, desk):
    """Chromium tells a managed one only some seconds after it has started; one that is told then holds, and so does none."""
    stage.pages["/form"] = page(FORM)
    stage.pages["/top"] = page(f'<iframe src="{stage.other_url}/form"></iframe>')
    scripts = "async () => (await chrome.scripting.getRegisteredContentScripts()).length"
    pages = [ndelius(stage), oasys(stage)]
    desk.allow(stage.url, *pages)
    # As at a start: nothing is known yet.
    desk.inside.evaluate("chrome.storage.session.clear().then(() => chrome.storage.local.remove('policy'))")
    desk.until("async () => (await chrome.alarms.getAll()).some(({ name }) => name === 'policy')", "the policy is not waited for")
    desk.close()
    desk.open()
    desk.until(scripts, "the scripts do not run")  # an unpacked extension has none when the browser starts
    tab = desk.tab(stage.url + "/top")
    tab.frame_locator("iframe").get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.goto(stage.url + "/form")
    key_in(tab, "Notes", "abcd", "Surname")
    tab.goto(stage.url + "/form")
    desk.waiting(least=3)
    assert not stage.posts and desk.inside.evaluate(scripts) == 2
    desk.allow(stage.url, *pages)
    stage.wait_for(lambda: {span.keys for span in stage.spans("entry")} == {3, 4}, "what was kept is not sent", 60)
    (framed,) = stage.of("oasys", "entry")
    assert framed.about["enduser.pseudo.id"] == "w1", framed
    # It is known now: without it nothing runs.
    desk.inside.evaluate("chrome.storage.local.remove('policy')")
    desk.until("async () => !(await chrome.scripting.getRegisteredContentScripts()).length", "the scripts stay")
    # Nor if it was withdrawn while the browser was closed.
    desk.allow(stage.url, *pages)
    desk.inside.evaluate("chrome.storage.session.clear().then(() => chrome.storage.local.remove('policy'))")
    desk.until("async () => (await chrome.alarms.getAll()).some(({ name }) => name === 'policy')", "the policy is not waited for")
    assert desk.inside.evaluate(scripts) == 2
    desk.inside.evaluate("chrome.storage.session.set({ since: Date.now() - 60_000 }).then(() => chrome.alarms.create('policy', { when: Date.now() }))")
    desk.until("""async () => !(await chrome.scripting.getRegisteredContentScripts()).length
        && JSON.stringify((await chrome.storage.local.get("pages")).pages) === "{}" """, "the scripts stay where no policy comes", seconds=90)
    tab.goto(stage.url + "/form")
    assert not tab.evaluate("'gilbreth' in window")


def a_policy_is_held_to_what_it_may_say(stage, desk):
    good = {"origin": "https://ndelius.example", "system": "ndelius"}
    for given, expected, pages in [
        ({"endpoint": "https://c.example", "pages": [good]}, [], 1),
        ({"pages": [good]}, ["policy.endpoint is missing"], None),
        ({"endpoint": "https://c.example/", "pages": []}, ["policy.endpoint is not an address such as https://collector.example:4318"], None),
        ({"endpoint": "https://c.example", "pages": {}, "site": 1}, ["policy.site is not known", "policy.pages is not a list"], None),
        ({"endpoint": "https://c.example", "pages": [good, {**good, "system": "x"}]}, ["policy.pages[1].origin is there already"], 1),
        ({"endpoint": "https://c.example", "pages": [{"origin": "https://ndelius.example/start"}, None, {**good, "token": "a b"}, good]},
         ["policy.pages[0].system is missing", "policy.pages[0].origin is not written as browsers do, such as https://ndelius.example",
          "policy.pages[1] is not an object", "policy.pages[2].token is not a token", "policy.pages[3].origin is there already"], 0),
        ({"endpoint": "https://c.example", "pages": [{**good, "origin": "*://*.example"}]}, ["policy.pages[0].origin is not written as browsers do, such as https://ndelius.example"], 0),
    ]:
        got = desk.inside.evaluate("async (given) => (await import('/extension/policy.js')).check(given)", given)
        assert got["complaints"] == expected, (given, got)
        assert (len(got["policy"]["pages"]) if got.get("policy") else None) == pages, (given, got)


def the_queue_is_bounded(stage, desk):
    """The oldest give way, those of one origin to its own first, and how many did is known. Nothing waits for ever."""
    left = desk.inside.evaluate("""async () => {
        const { expire, keep, next } = await import("/extension/queue.js");
        const batch = (origin, due) => ({ id: origin + " " + due, due, origin, spans: [] });
        const dropped = [];
        const fill = async (origin, many, from) => {
            let all = 0;
            for (let due = from; due < from + many; due++) all += await keep(batch(origin, due));
            dropped.push(all);
        };
        const first = async () => (await next(5_000, () => 0)).batch.id;
        await fill("a", 3, 1000);
        await fill("b", 205, 2000);
        const atFirst = await first();
        await fill("c", 200, 3000);
        await fill("d", 100, 4000);
        const then = await first();
        const blocked = (await next(Date.now(), () => 7e15)).at;
        const expired = await expire(30 * 86_400_000 + 2010);
        return { dropped, atFirst, then, blocked, expired, last: await first() };
    }""")
    # By then b has 2005 … 2204, and three of it have gone for a's.
    assert left == {"dropped": [0, 5, 0, 3], "atFirst": "a 1000", "then": "b 2005", "blocked": 7e15, "expired": 6, "last": "b 2011"}, left


# Firefox has a process of its own for a frame of another origin, where WebDriver BiDi types nothing; and what such a frame
# tells as it goes with its top page has not been seen to arrive.
FRAMES_OF_OTHERS = "nothing can be typed into a frame of another origin, and its last batch is lost as it goes"
NOT_IN_FIREFOX = {
    a_frame_of_another_origin_is_told_with_its_top_page: FRAMES_OF_OTHERS,
    what_waits_outlives_the_browser: FRAMES_OF_OTHERS,
    a_pause_holds_everywhere: FRAMES_OF_OTHERS,
    pages_are_measured_before_the_policy_is_told: FRAMES_OF_OTHERS,
}
TESTS = [test for test in list(globals().values()) if callable(test) and getattr(test, "__code__", None) and test.__code__.co_varnames[:2] == ("stage", "desk")]


def run(playwright, folder, test):
    """Why a test does not hold; None if it does."""
    stage, desk = Office(), None
    try:
        desk = Desk(playwright, folder)
        test(stage, desk)
        assert not desk.errors, desk.errors
        return None
    except Exception:
        return "\n".join([traceback.format_exc(), *(desk.errors if desk else []), *(f"{span.resource.get('service.name')} {span}" for span in stage.spans())])
    finally:
        if desk:
            desk.close()
            desk.profile.cleanup()
        stage.close()


def run_all(folder, names):
    """Runs some tests; gives how many do not hold."""
    failed = 0
    with sync_playwright() as playwright:
        for name in names:
            if firefox.path() and (reason := NOT_IN_FIREFOX.get(globals()[name])):
                print(f"skipped {name}: {reason}", flush=True)
                continue
            why = run(playwright, folder, globals()[name])
            failed += why is not None
            print(f"FAILED  {name}\n{why}" if why else f"ok      {name}", flush=True)
    return failed


def main():
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../collector/agent")
    folder = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else beside)
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    names = [test.__name__ for test in TESTS if wanted in test.__name__]
    assert names, f"no test has {wanted} in its name"
    shares = [names[place::SIDE_BY_SIDE] for place in range(min(SIDE_BY_SIDE, len(names)))]
    with multiprocessing.Pool(len(shares)) as pool:
        failed = sum(pool.starmap(run_all, [(folder, share) for share in shares], chunksize=1))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
