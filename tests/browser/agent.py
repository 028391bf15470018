"""What the agent tells of pages, and what it never tells: each test is one promise, on pages of its own.

    agent.py AGENT.JS [part of a test's name]

AGENT.JS is a file, or the address of one. Needs playwright, and Chromium (`GILBRETH_TEST_CHROMIUM` says where it is).
"""

import hashlib
import hmac
import json
import multiprocessing
import os
import sys
import threading
import time
import traceback
import urllib.request

from stage import PAGE_KEY, Stage, browser, launch, page

SIDE_BY_SIDE = 3


def digest(canonical):
    return hmac.new(PAGE_KEY.encode(), canonical.encode(), hashlib.sha256).hexdigest()[:16]


FORM = """<form action="/saved" method="post">
<label>Surname: <input name="s" value="Smith"></label> <label>Notes <textarea name="n"></textarea></label>
<label>Date of birth <input name="d"></label>
<label>Sex <select name="x"><option value="">Choose</option><option value="1">Male</option><option value="2">Female</option></select></label>
<fieldset><legend>Risk</legend><label><input type="radio" name="r" value="1"> Low</label> <label><input type="radio" name="r" value="2"> High</label></fieldset>
<button>Save contact</button></form>"""


def a_form_is_told_field_by_field(stage, tab):
    """Focus to blur, keystrokes and corrections, digests, the save and the wait for it."""
    stage.pages["/form"] = page(FORM + '<p data-casework-value="X 12-34" data-casework-field="CRN" data-casework-kind="identifier">X</p>')
    stage.pages["/saved"] = lambda *_: (time.sleep(0.8), (200, {}, page("<p>Saved", screen="Saved")))[1]
    tab.goto(stage.url + "/form")
    tab.wait_for_timeout(200)
    began = time.time() * 1e3
    tab.get_by_label("Surname").click()
    tab.keyboard.press("End")
    tab.keyboard.type("es", delay=20)
    tab.keyboard.press("Backspace")
    tab.get_by_label("Notes").click()
    tab.keyboard.type("x" * 61)
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("11 March 1986")
    tab.keyboard.press("Tab")
    tab.keyboard.type("F")
    tab.get_by_label("High").click()
    tab.get_by_role("button", name="Save contact").click()
    tab.wait_for_url("**/saved")
    stage.wait_for(lambda: len(stage.spans("wait")) == 2, "the wait for the save is missing")
    entries = {span.field: span for span in stage.spans("entry")}
    assert list(entries) == ["Surname", "Notes", "Date of birth"], list(entries)
    surname, notes, born = entries.values()
    assert (surname.keys, surname.corrections, surname.origin) == (3, 1, None), surname
    assert (surname.digest, surname.value_kind) == (digest("smithe"), "name"), surname
    assert (notes.keys, notes.digest, notes.parts) == (61, None, []), "free text is told"
    assert (born.digest, born.value_kind, born.parts) == (digest("1986-03-11"), "date", []), born
    assert surname.start >= began and surname.end <= notes.start + 1, "times are not those of focus and blur"
    choices = {span.field: span for span in stage.spans("choice")}
    assert {field: span.digest for field, span in choices.items()} == {"Sex": digest("female"), "Risk": digest("high")}
    assert {span.origin for span in choices.values()} == {None}, "a choice is selected unless it says otherwise"
    views = {span.field: span.digest for span in stage.spans("view") if span.field and span.screen == "Contact"}
    assert views["Surname"] == digest("smith") and views["CRN"] == digest("x1234"), views
    (action,) = stage.spans("action")
    assert action.field == "Save contact" and action.start >= max(span.end for span in choices.values()) - 10, "pressed, not clicked"
    wait = stage.spans("wait")[-1]
    assert 790 <= wait.lasted < 8_000 and wait.screen == "Saved" and not wait.outcome, wait
    assert [span.screen for span in stage.spans("navigation")] == ["Contact", "Saved"]
    assert {tuple(span.cases) for span in stage.spans()} == {("X123456",)}
    assert len({span.session for span in stage.spans()}) == 1


def focus_without_change_is_a_view(stage, tab):
    stage.pages["/form"] = page(FORM)
    tab.goto(stage.url + "/form")
    tab.get_by_label("Surname").click()
    tab.get_by_label("Notes").click()
    tab.get_by_label("Date of birth").click()
    stage.wait_for(lambda: stage.spans("view"), "no view")
    tab.wait_for_timeout(5_500)
    assert not stage.spans("entry")
    assert {span.field for span in stage.spans("view")} == {None, "Surname"}, "empty fields hold nothing"


def secrets_never_leave(stage, tab):
    """Every byte that is sent is searched for what was typed, pasted, shown or stands in addresses and titles."""
    stage.pages["/form"] = page(
        FORM
        + """<h1>Secretheading</h1><form><input aria-label="Password" type="password"></form> <input aria-label="Hidden from us" data-casework-ignore>
        <div contenteditable="true" aria-label="Rich"></div> <input aria-label="Search" type="search"> <input aria-label="Mail" type="email">
        <table><tr><th>Name</th></tr><tr><td><a href="#secretlink1">Secretlink</a></td></tr></table><ul><li><button>Secretlist</button></li></ul>
        <table><tr><th>Name</th><th>Attended</th></tr><tr><th scope="row">Secretrow</th><td><select><option value="1">One</option></select></td></tr></table>
        <nav><a href="#" id="crumb" >Home</a> <a href="/cases/7" onclick="return false">Secretcrumb</a></nav><h3><a href="#">Secretcard</a></h3>
        <ul><li><label><input type="checkbox"> Secretchoice</label></li></ul>
        <span id="lab">Status</span><div role="button" aria-haspopup="listbox" id="self" aria-labelledby="lab self">Secretvalue</div>
        <input aria-label="Reveal" onfocus="this.type='password'"><a href="mailto:secret@example.org">Secretmail</a>
        <a href="?case=7" onclick="return false">Secretasked</a> <a href="#/cases/7">Secretplace</a> <a href="javascript:void(0)">Print</a>
        <form><input type="password" autocomplete="new-password" aria-label="Word" id="word"> <button type="button" onclick="word.type='text'">Show</button></form>
        <input aria-label="Code" autocomplete="one-time-code">
        <table><tr><th colspan="2">Person</th><th>Date</th></tr><tr><td>Secretsurname</td><td>Secretforename</td><td><input id="grid"></td></tr></table>""",
    ).replace("<title>A page", "<title>Secrettitle")
    tab.goto(stage.url + "/form?name=secretquery#secret1fragment")
    tab.wait_for_timeout(200)
    for label in ["Surname", "Notes", "Date of birth", "Password", "Hidden from us", "Rich", "Search", "Mail"]:
        tab.get_by_label(label, exact=label != "Surname").click()
        tab.keyboard.type("Secret " + "long free text " * (5 if label == "Notes" else 0))
        tab.keyboard.type("Canary")
    tab.get_by_text("Secretlink").click()
    tab.get_by_text("Secretlist").click()
    tab.locator("table select").click()
    tab.keyboard.press("Escape")
    tab.evaluate("addEventListener('click', (event) => event.target.href?.startsWith('mailto') && event.preventDefault())")
    for text in ["Secretcrumb", "Secretcard", "Secretvalue", "Secretmail", "Secretasked", "Secretplace", "Print"]:
        tab.get_by_text(text).click()
    for name, of in [("", "#grid"), ("7", "[aria-label=Code]"), ("", "#word")]:
        tab.locator(of).click()
        tab.keyboard.type("Secret" + name)
    tab.get_by_role("button", name="Show").click()
    tab.locator("#word").click()
    tab.keyboard.type("secret")
    tab.locator("[type=checkbox]").check()
    tab.get_by_label("Reveal").click()
    tab.keyboard.type("secret7")
    tab.get_by_label("Mail", exact=True).click()
    stage.wait_for(lambda: len(stage.spans("action")) == 10, "the clicks are not told")
    tab.close()
    stage.wait_for(lambda: any(span.field == "Reveal" for span in stage.spans("entry")), "the last field is missing")
    sent = b"\n".join(stage.bodies).lower()
    for secret in [b"secret", b"canary", b"smith", b"long free"]:
        assert secret not in sent, f"{secret} was sent: {sent[max(0, sent.index(secret) - 80):][:200]}"
    told = {span.field: span for span in stage.spans("entry")}
    assert told["Hidden from us"].digest is None and told["Notes"].digest is None
    assert "Password" not in told, "a password is entered"
    assert told["Reveal"].digest is None, "a field that turned into a password"
    assert told["Code"].digest is None and told["Word"].digest is None, "a code or a password"
    assert not told["Word"].keys, "so many keys are the length of a password"
    assert [span.field for span in stage.spans("action")] == ["Name", "button", "/cases/#", "/form", "Status", "a", "/form", "/form", "Print", "Show"]


def pasted_text_is_told_as_pasted(stage, tab):
    stage.pages["/form"] = page(FORM)
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stage.url)
    tab.goto(stage.url + "/form")
    tab.evaluate("navigator.clipboard.writeText('1 Apr 1990')")
    tab.get_by_label("Date of birth").click()
    tab.keyboard.press("Control+v")
    tab.get_by_label("Notes").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    (entry,) = stage.spans("entry")
    assert (entry.origin, entry.keys, entry.digest) == ("pasted", 0, digest("1990-04-01")), entry


APP = """<main></main><script>
const views = {
  "#list": `<label>Find <input type="search"></label><a href="#case">Open</a>`,
  "#case": `<label>Forename <input id="f"></label><button id="save">Save</button>`,
};
const show = async () => {
  document.body.dataset.caseworkScreen = location.hash === "#case" ? "Case" : "List";
  if (location.hash === "#case") await (await fetch("/data?wait=0.5")).json();
  document.querySelector("main").innerHTML = views[location.hash] ?? views["#list"];
  const save = document.querySelector("#save");
  if (save) save.onclick = async () => {
    const answer = await fetch("/data?wait=0.6&status=" + (window.status_ ?? 200), { method: "POST", body: "{}" });
    if (answer.ok) await (await fetch("/data?wait=0.3")).json();
    if (answer.status === 422) document.querySelector("#f").setAttribute("aria-invalid", "true");
  };
};
addEventListener("hashchange", show); show();
</script>"""


def data(request, _):
    asked = dict(part.split("=") for part in request.path.split("?")[1].split("&"))
    time.sleep(float(asked["wait"]))
    return int(asked.get("status", 200)), {"content-type": "application/json"}, "{}"


def waits_of_an_application_are_those_that_block(stage, tab):
    """Route change, save with a second request after it, back-end spans; what the page does by itself is no wait."""
    stage.pages |= {"/app": page(APP, screen="List"), "/data": data}
    tab.goto(stage.url + "/app")
    tab.wait_for_timeout(900)
    tab.get_by_text("Open").click()
    tab.wait_for_timeout(250)
    tab.evaluate("setTimeout(() => fetch('/data?wait=2.5'))")  # the page's own doing
    tab.get_by_label("Forename").click()
    tab.keyboard.type("Zoë", delay=300)
    tab.get_by_role("button", name="Save").click()
    tab.wait_for_timeout(1_300)
    stage.wait_for(lambda: len(stage.spans("wait")) >= 3, "waits are missing")
    tab.wait_for_timeout(3_000)
    _, opened, saved = stage.spans("wait")
    assert 490 <= opened.lasted < 8_000 and opened.screen == "Case", opened
    assert 890 <= saved.lasted < 8_000 and not saved.outcome, saved
    assert [span.screen for span in stage.spans("navigation")] == ["List", "Case"]
    assert abs(stage.spans("navigation")[1].start - opened.end) < 1
    (entry,) = stage.spans("entry")
    assert entry.screen == "Case" and entry.digest == digest("zoë")
    posted = next(headers for method, _, headers, _ in stage.requests if method == "POST")
    assert posted["traceparent"] == f"00-{saved.trace}-{saved.id}-01"
    by_itself = [headers for _, path, headers, _ in stage.requests if "wait=2.5" in path]
    assert by_itself and not any("traceparent" in headers for headers in by_itself)


def requests_of_all_kinds_are_waited_for(stage, tab):
    """`Request`s, as what and as how; an XMLHttpRequest that is used again, aborted, or sent while the page stands still."""
    stage.pages |= {"/data": data, "/calls": page("""<button id="request">Request</button><button id="init">Init</button>
<button id="again">Again</button><button id="abort">Abort</button><button id="own">Own</button><button id="dead">Dead</button><script>
let over = 0;
const on = (id, then) => (document.getElementById(id).onclick = then);
const count = (request) => request.finally(() => over++);
const call = (request, wait) => { request.open("POST", "/data?wait=" + wait); return request; };
const calling = () => { const request = new XMLHttpRequest(); request.addEventListener("loadend", () => over++); return request; };
const shared = calling();
on("request", () => count(fetch(new Request("/data?wait=0.3", { method: "POST", body: "{}" }))));
on("init", () => count(fetch("/data?wait=0.3", new Request("/elsewhere", { method: "POST", headers: { "x-kept": "yes" } }))));
on("again", () => call(shared, 0.3).send());
on("abort", () => { const request = call(calling(), 20); request.send(); setTimeout(() => request.abort(), 150); });
on("own", () => { const request = call(calling(), 0.3); request.setRequestHeader("traceparent", "00-11111111111111111111111111111111-2222222222222222-01"); request.send(); });
on("dead", () => { const request = calling(); request.open("GET", "http://127.0.0.1:1/", false); try { request.send(); } catch { over++; } });
</script>""")}
    tab.goto(stage.url + "/calls")
    tab.wait_for_timeout(300)
    for count, name in enumerate(["Request", "Init", "Again", "Again", "Abort", "Own", "Dead"], 1):
        tab.get_by_role("button", name=name).click()
        tab.wait_for_function(f"over === {count}")
        tab.wait_for_timeout(300)
    stage.wait_for(lambda: len(stage.spans("wait")) == 8, "a wait is missing")
    waits = stage.spans("wait")[1:]
    assert [span.outcome for span in waits] == [None] * 6 + ["failed"]
    assert all(span.lasted >= 290 for at, span in enumerate(waits) if at not in (4, 6)) and waits[4].lasted < 10_000, waits
    posts = [headers for method, path, headers, _ in stage.requests if method == "POST"]
    parents = [headers["traceparent"] for headers in posts if "20" not in headers]
    expected = [f"00-{span.trace}-{span.id}-01" for span in waits[:6]]
    expected[5] = "00-11111111111111111111111111111111-2222222222222222-01"
    assert sorted(parents) == sorted(expected), (parents, expected)
    assert posts[1]["x-kept"] == "yes"


def a_page_that_leaves_a_request_open_is_waited_for_until_the_worker_does_something(stage, tab):
    """A long poll that begins with the page: the wait ends with the next act, and lasts no minutes that nobody waited."""
    poll = threading.Event()
    stage.pages |= {"/poll": lambda *_: (poll.wait(), (200, {}, "{}"))[1], "/data": data}
    stage.pages["/page"] = page("<script>fetch('/poll')</script><a href='#'>Open</a> <label>Notes <input></label>")
    tab.add_init_script(CLOCKS)
    for how in ["link", "field", "late", "answer"]:
        tab.goto(stage.url + "/page")
        tab.wait_for_timeout(700)
        if how in ["late", "answer"]:
            tab.evaluate("pass(300_000)")
        if how == "field":
            tab.get_by_label("Notes").click()
        elif how == "answer":
            poll.set()
        else:
            tab.get_by_text("Open").click()
    stage.wait_for(lambda: len(stage.spans("wait")) == 4, "a wait is missing")
    link, field, late, answer = stage.spans("wait")
    assert link.lasted >= 700 and link.end <= stage.spans("action")[0].end + 1, link
    assert field.lasted >= 700 and late.lasted < 30_000 and answer.lasted < 30_000, (field, late, answer)


def what_a_page_saves_while_somebody_types_is_no_wait(stage, tab):
    """An autosave of its own, though it begins right after a click."""
    stage.pages |= {"/data": data, "/page": page("""<label>Notes <textarea></textarea></label><button>Edit</button><script>
const notes = document.querySelector("textarea");
document.querySelector("button").onclick = () => notes.focus();
notes.onkeydown = () => fetch("/data?wait=1", { method: "POST", body: "{}" });
</script>""")}
    tab.goto(stage.url + "/page")
    tab.wait_for_timeout(300)
    tab.get_by_role("button", name="Edit").click()
    tab.keyboard.press("a")
    stage.wait_for(lambda: any(method == "POST" for method, _, _, _ in stage.requests), "nothing is saved")
    tab.wait_for_timeout(1_500)
    tab.goto("about:blank")
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert len(stage.spans("wait")) == 1, "an autosave is waited for"


def links_in_drawings_are_told(stage, tab):
    stage.pages["/drawing"] = page("""<svg width="300" height="60"><a href="#secret1"><text y="20">Secretname</text></a>
<a href="#map"><text y="50">Map</text></a></svg><label>Notes <input></label>""")
    tab.goto(stage.url + "/drawing")
    for text in ["Secretname", "Map"]:
        tab.get_by_text(text).click()
    tab.get_by_label("Notes").click()
    stage.wait_for(lambda: len(stage.spans("action")) == 2, "an action is missing")
    assert [span.field for span in stage.spans("action")] == ["a", "Map"]


def saves_that_fail_are_told(stage, tab):
    stage.pages |= {"/app": page(APP, screen="List"), "/data": data}
    tab.goto(stage.url + "/app#case")
    for status, outcome in [(500, "failed"), (422, "rejected"), (401, "lost")]:
        tab.get_by_label("Forename").click()
        tab.keyboard.type("a")
        tab.evaluate(f"window.status_ = {status}")
        tab.get_by_role("button", name="Save").click()
        tab.wait_for_timeout(800)
        stage.wait_for(lambda: any(span.outcome == outcome for span in stage.spans("wait")), f"no wait is {outcome}")


def invalid_fields_reject_the_action(stage, tab):
    stage.pages["/form"] = page('<form action="/saved" method="post"><label>Age <input required></label><button>Save</button></form>')
    tab.goto(stage.url + "/form")
    tab.get_by_role("button", name="Save").click()
    stage.wait_for(lambda: stage.spans("action"), "the action is missing")
    assert [span.outcome for span in stage.spans("action")] == ["rejected"]


def unsaved_input_that_is_left_is_lost(stage, tab):
    stage.pages |= {"/form": page(FORM), "/other": page("<p>Other", screen="Other")}
    tab.goto(stage.url + "/form")
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.goto(stage.url + "/other")
    stage.wait_for(lambda: any(span.outcome == "lost" for span in stage.spans("navigation")), "nothing is lost")
    (entry,) = stage.spans("entry")
    assert entry.digest == digest("abc"), "the field that had the focus"
    stage.wait_for(lambda: any(span.screen == "Other" for span in stage.spans()), "the next page is missing")
    assert {span.outcome for span in stage.spans() if span.screen == "Other"} == {None}


def a_form_that_meets_the_sign_in_page_is_lost(stage, tab):
    sign_in = '<form action="/in" method="post"><label>User <input name="u"></label><label>Password <input type="password" name="p"></label><button>Sign in</button></form>'
    stage.pages |= {"/form": page(FORM), "/saved": page(sign_in, screen="Sign in"), "/in": page("<p>Home", screen="Home")}
    tab.goto(stage.url + "/form")
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.get_by_role("button", name="Save contact").click()
    tab.get_by_label("User").click()
    tab.keyboard.type("someone", delay=10)
    tab.keyboard.press("Tab")
    tab.keyboard.type("hunter22", delay=10)
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/in")
    stage.wait_for(lambda: stage.spans("sign_in"), "the sign-in is missing")
    assert [span.outcome for span in stage.spans("wait")][1] == "lost"
    (sign_in,) = stage.spans("sign_in")
    assert 100 < sign_in.lasted < 10_000 and sign_in.keys is None and sign_in.field is None, sign_in
    assert [span.field for span in stage.spans("entry")] == ["Notes"]


def a_search_is_one_span(stage, tab):
    stage.pages |= {"/find": page('<form role="search" action="/find"><label>CRN <input name="q"></label><button>Find</button></form>', screen="Find")}
    tab.goto(stage.url + "/find")
    tab.get_by_label("CRN").click()
    tab.keyboard.type("X999999", delay=10)
    tab.keyboard.press("Enter")
    tab.wait_for_timeout(300)
    stage.wait_for(lambda: stage.spans("search"), "the search is missing")
    (search,) = stage.spans("search")
    assert (search.keys, search.field, search.digest) == (7, "CRN", None), search
    assert not stage.spans("entry")


def shadow_roots_and_frames_are_seen(stage, tab):
    stage.pages |= {
        "/frame": "<label>Inner <input value='held'></label><label>Next <input></label>",
        "/outer": page("""<my-field></my-field><iframe src="/frame"></iframe><script>
customElements.define("my-field", class extends HTMLElement { connectedCallback() {
  this.attachShadow({ mode: "open" }).innerHTML = `<label>One <input></label><label>Two <input></label><button>Shadow save</button>`; } });
</script>"""),
    }
    tab.goto(stage.url + "/outer")
    tab.get_by_label("One").click()
    tab.keyboard.type("a")
    tab.get_by_label("Two").click()
    tab.keyboard.type("bb")
    tab.frame_locator("iframe").get_by_label("Inner").click()
    tab.keyboard.type("c")
    tab.frame_locator("iframe").get_by_label("Next").click()
    tab.get_by_role("button", name="Shadow save").click()
    stage.wait_for(lambda: stage.spans("action"), "the action is missing")
    assert [(span.field, span.keys) for span in stage.spans("entry")] == [("One", 1), ("Two", 2), ("Inner", 1)]
    assert "Shadow save" in [span.field for span in stage.spans("action")]


def plain(body, screen, slow_s=0):
    """A document without the agent, which comes after a while; where it is that of a frame, the page's agent looks after it."""
    return lambda *_: (time.sleep(slow_s), (200, {}, f'<!doctype html><body data-casework-screen="{screen}" data-casework-case="X123456">{body}</body>'))[1]


def frameset(stage):
    """A menu, and beside it what it opens: only the page that holds both has the agent."""
    stage.pages |= {
        "/app": page("", screen="").split("<body")[0]
        + f"""<script src="/agent.js" data-system="ndelius" data-worker="w1" data-key="{PAGE_KEY}" data-rules="none"></script>
<frameset cols="200,*"><frame src="/menu" name="menu"><frame src="/start" name="main"></frameset>""",
        "/menu": """<a href="/contact" target="main">Contacts</a> <a href="/other" target="main">Elsewhere</a> <a href="/menu?more">More</a>""",
        "/start": plain("Hello", "Start"),
        "/contact": plain(FORM, "Contact", 0.6),
        "/saved": plain("Saved", "Saved", 0.6),
        "/other": plain("Other", "Other"),
    }
    return stage.url + "/app"


def framed(tab, name):
    return tab.frame_locator(f"frame[name={name}]")


def a_frame_that_shows_another_document_is_told_as_a_page_is(stage, tab):
    """Screens, waits and the save are those of the frame in which the worker acts; the page stays."""
    tab.goto(frameset(stage))
    stage.wait_for(lambda: stage.spans("navigation"), "the first screen is missing")
    framed(tab, "menu").get_by_text("Contacts").click()
    framed(tab, "main").get_by_label("Notes").click()
    tab.keyboard.type("abc")
    framed(tab, "main").get_by_role("button", name="Save contact").click()
    framed(tab, "main").get_by_text("Saved").wait_for()
    framed(tab, "menu").get_by_text("Elsewhere").click()
    framed(tab, "main").get_by_text("Other").wait_for()
    stage.wait_for(lambda: len(stage.spans("wait")) == 4, "a wait is missing")
    assert [(span.screen, span.outcome) for span in stage.spans("navigation")] == [(name, None) for name in ["Start", "Contact", "Saved", "Other"]]
    _, opened, saved, left = stage.spans("wait")
    assert (opened.screen, saved.screen, left.screen) == ("Contact", "Saved", "Other")
    assert opened.lasted >= 590 and saved.lasted >= 590 and not saved.outcome, "from the click until the answer is shown"
    (entry,) = stage.spans("entry")
    assert (entry.screen, entry.field, entry.digest) == ("Contact", "Notes", digest("abc"))
    assert {span.field: span.screen for span in stage.spans("view") if span.field} == {"Surname": "Contact"}
    assert [span.screen for span in stage.spans("action")] == ["Start", "Contact", "Saved"]


def unsaved_input_of_a_frame_that_is_left_is_lost(stage, tab):
    """By a link that leaves the frame, once; not by one that leads another frame elsewhere."""
    tab.goto(frameset(stage))
    framed(tab, "menu").get_by_text("Contacts").click()
    framed(tab, "main").get_by_label("Notes").click()
    tab.keyboard.type("abc")
    framed(tab, "menu").get_by_text("More").click()
    stage.wait_for(lambda: any(path == "/menu?more" for _, path, _, _ in stage.requests), "the menu is not asked for")
    framed(tab, "menu").get_by_text("Elsewhere").click()
    framed(tab, "main").get_by_text("Other").wait_for()
    stage.wait_for(lambda: any(span.screen == "Other" for span in stage.spans("navigation")), "the next screen is missing")
    tab.goto("about:blank")
    stage.wait_for(lambda: len(stage.spans("action")) == 3, "an action is missing")
    assert [(span.screen, span.outcome) for span in stage.spans("navigation")] == [("Start", None), ("Contact", None), ("Contact", "lost"), ("Other", None)]
    assert [span.digest for span in stage.spans("entry")] == [digest("abc")]


def a_frame_that_meets_the_sign_in_page_is_lost(stage, tab):
    address = frameset(stage)
    stage.pages["/saved"] = plain('<form><label>User <input></label><label>Password <input type="password"></label></form>', "Sign in")
    tab.goto(address)
    framed(tab, "menu").get_by_text("Contacts").click()
    framed(tab, "main").get_by_label("Date of birth").click()
    tab.keyboard.type("1/1/2000")
    tab.keyboard.press("Enter")
    stage.wait_for(lambda: len(stage.spans("wait")) == 3, "a wait is missing")
    assert [span.outcome for span in stage.spans("wait")] == [None, None, "lost"]
    assert {span.outcome for span in stage.spans("navigation")} == {None}, "the form was sent"


def the_frame_that_is_worked_in_says_which_screen_it_is(stage, tab):
    stage.pages |= {
        "/outer": page('<iframe src="/one"></iframe><iframe src="/two"></iframe>', screen="").replace(' data-casework-screen="" data-casework-case="X123456"', ""),
        "/one": plain("<label>First <input></label>", "One"),
        "/two": plain("<label>Second <input></label>", "Two"),
    }
    tab.goto(stage.url + "/outer")
    for place, label in [(0, "First"), (1, "Second"), (0, "First")]:
        tab.locator("iframe").nth(place).content_frame.get_by_label(label).click()
        tab.keyboard.type("a")
    tab.goto("about:blank")
    stage.wait_for(lambda: len(stage.spans("entry")) == 3, "an entry is missing")
    assert [(span.field, span.screen) for span in stage.spans("entry")] == [("First", "One"), ("Second", "Two"), ("First", "One")]
    assert [span.screen for span in stage.spans("navigation") if not span.outcome] [-3:] == ["One", "Two", "One"]


def frames_and_windows_with_the_script_look_after_themselves(stage, tab):
    """What is done in them is told once, in the session of the tab; what a page has sent is not what they have sent."""
    sign_in = page('<label>User <input></label><input type="password">', screen="Contact")
    stage.pages |= {"/outer": page(FORM + '<iframe src="/inner"></iframe>'), "/saved": page(FORM), "/window": sign_in,
                    "/inner": page("<label>Inner <input></label>", screen="Inner")}
    tab.goto(stage.url + "/outer")
    tab.frame_locator("iframe").get_by_label("Inner").click()
    tab.keyboard.type("bc")
    tab.get_by_label("Notes").click()
    tab.keyboard.type("a")
    tab.get_by_role("button", name="Save contact").click()
    tab.wait_for_url("**/saved")
    stage.wait_for(lambda: len(stage.spans("wait")) == 3, "a wait is missing")
    with tab.expect_popup() as opened:
        tab.evaluate("open('/window')")
    assert opened.value.evaluate("JSON.parse(sessionStorage.gilbreth).session") == stage.spans()[0].session
    stage.wait_for(lambda: len(stage.spans("wait")) == 4, "a wait is missing")
    assert not any(span.outcome for span in stage.spans("wait")), "the window has lost nothing"
    assert stage.spans("navigation")[-1].start > stage.spans("wait")[-1].start, "the window has been moved to"
    stage.pages["/saved"] = sign_in
    tab.goto(stage.url + "/outer")
    tab.frame_locator("iframe").get_by_label("Inner").wait_for()
    tab.get_by_label("Notes").click()
    tab.keyboard.type("d")
    tab.get_by_role("button", name="Save contact").click()
    tab.wait_for_url("**/saved")
    stage.wait_for(lambda: any(span.outcome == "lost" for span in stage.spans("wait")), "what the page has sent is not lost")
    assert [(span.field, span.keys, span.screen) for span in stage.spans("entry")] == [("Inner", 2, "Inner"), ("Notes", 1, "Contact"), ("Notes", 1, "Contact")]
    assert len({span.session for span in stage.spans()}) == 1


def an_editor_that_writes_its_frame_anew_is_heard(stage, tab):
    """`document.open` takes all listeners away; what is heard again is heard once."""
    stage.pages |= {"/frame": "<p>Wait", "/outer": page('<iframe src="/frame" title="Editor"></iframe><label>After <input></label>')}
    tab.goto(stage.url + "/outer")
    tab.frame(url="**/frame").wait_for_load_state()
    for _ in range(2):
        tab.evaluate("""() => { const of = document.querySelector("iframe").contentDocument;
            of.open(); of.write('<body contenteditable="true" aria-label="Narrative">'); of.close(); }""")
    tab.frame_locator("iframe").get_by_label("Narrative").click()
    tab.keyboard.type("abc")
    tab.get_by_label("After").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert [(span.field, span.keys, span.digest) for span in stage.spans("entry")] == [("Narrative", 3, digest("abc"))]


def frames_in_shadow_roots_are_heard(stage, tab):
    stage.pages |= {
        "/form": page("""<div id="host"></div><script>host.attachShadow({ mode: "open" }).innerHTML = '<iframe src="/inner"></iframe>'</script>"""),
        "/inner": "<label>In a root <input></label><input>",
    }
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.spans("wait"), "no wait")
    frame = tab.frame_locator("iframe")
    frame.get_by_label("In a root").click()
    tab.keyboard.type("abc")
    frame.locator("input").nth(1).click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert [(span.field, span.keys) for span in stage.spans("entry")] == [("In a root", 3)]


def a_frame_that_is_taken_away_is_no_wait(stage, tab):
    """A click in it moved within its document; its page closes it later."""
    stage.pages |= {"/form": page('<iframe src="/inner"></iframe>' + FORM), "/inner": '<a href="#there">Further down</a>'}
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.spans("wait"), "no wait")
    tab.frame_locator("iframe").get_by_text("Further").click()
    tab.wait_for_timeout(300)
    tab.evaluate("document.querySelector('iframe').remove()")
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert len(stage.spans("wait")) == 1, "nobody waited for a frame that went"


def batches_are_small(stage, tab):
    """However long names and numbers are: a page that goes can send no more than 64 KiB."""
    fields = "".join(f'<input aria-label="{chr(0x4e00 + at) * 200}" value="{"字" * 30} {at} b c d e f g">' for at in range(40))
    case = " ".join(chr(0x5000 + at) * 200 for at in range(10))
    settings = ('data-rules="none" ' + " ".join(f'data-casework-{what}="{"é" * 300}"' for what in ["record", "task", "taskid", "function"]))
    stage.pages["/form"] = page(fields, screen="名" * 300, case=case).replace("<body", f"<body {settings}")
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: len(stage.spans("view")) > 40, "the fields are not told")
    assert max(map(len, stage.bodies)) < 48_000, [len(body) for body in stage.bodies]


def a_shadow_root_that_is_removed_is_forgotten(stage, tab):
    """What it said of the case holds no longer; what stands in the next one does."""
    stage.pages["/outer"] = page("""<main></main><button>Next</button><script>
const show = (number) => { const host = document.createElement("div");
  host.attachShadow({ mode: "open" }).innerHTML = `<b data-casework-case="${number}"></b><label>Field ${number} <input></label>`;
  document.querySelector("main").replaceChildren(host); };
show("A"); document.querySelector("button").onclick = async () => { await fetch("/data?wait=0.1"); show("B"); };
</script>""", case="").replace(' data-casework-case=""', "")
    stage.pages["/data"] = data
    tab.goto(stage.url + "/outer")
    for number in "AB":
        tab.get_by_label(f"Field {number}").click()
        tab.keyboard.type("x")
        tab.get_by_role("button", name="Next").click()
        tab.get_by_label("Field B").wait_for()
    stage.wait_for(lambda: len(stage.spans("wait")) == 3, "a wait is missing")
    assert [(span.field, span.cases) for span in stage.spans("entry")] == [("Field A", ["A"]), ("Field B", ["B"])]
    assert [span.cases for span in stage.spans("action")] == [["A"], ["B"]]


def nothing_is_lost_while_the_collector_is_away(stage, tab):
    """Down when pages are left and when they stay; what is sent again is sent with the same ids."""
    stage.pages |= {"/form": page(FORM), "/saved": page(FORM, screen="Saved")}
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.spans("view"), "no view")
    stage.is_down = True
    for turn in range(3):
        tab.get_by_label("Notes").click()
        tab.keyboard.type("abcd"[: turn + 1])
        tab.get_by_role("button", name="Save contact").click()
        tab.wait_for_url("**/saved")
        tab.wait_for_timeout(300)
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("1/1/2000")
    tab.wait_for_timeout(6_000)
    tab.close(run_before_unload=False)
    stage.is_down = False
    again = tab.context.new_page()
    again.goto(stage.url + "/form")
    stage.wait_for(lambda: len(stage.spans("entry")) == 4, "entries are lost")
    assert [span.keys for span in stage.spans("entry")] == [1, 2, 3, 8]
    stage.wait_for(lambda: len(stage.spans("wait")) == 5, "waits are lost")
    assert len(stage.spans("action")) == 3


def what_was_put_by_stays_where_there_is_no_database(stage, tab):
    """A browser may refuse IndexedDB: what a page that was left has put by is not given up for it."""
    stage.pages["/form"] = page(FORM)
    tab.add_init_script("Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('refused', 'SecurityError'); } })")
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.spans("view"), "no view")
    stage.is_down = True
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.goto(stage.url + "/form")
    tab.wait_for_timeout(1_000)  # the next page has tried in vain
    stage.is_down = False
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.spans("entry"), "the entry is lost")


def a_network_that_comes_back_is_used(stage, tab):
    stage.pages["/form"] = page(FORM)
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.spans("view"), "no view")
    tab.context.set_offline(True)
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.get_by_label("Date of birth").click()
    tab.wait_for_timeout(6_000)
    assert not stage.spans("entry")
    tab.context.set_offline(False)
    stage.wait_for(lambda: stage.spans("entry"), "the entry is lost")


def a_collector_that_hangs_holds_up_nothing(stage, tab):
    """It takes requests and never answers: one connection is spent on it, and all is told once it answers again."""
    stage.pages |= {"/form": page(FORM), "/saved": page(FORM, screen="Saved")}
    stage.hanging = threading.Event()
    tab.goto(stage.url + "/form")
    for turn in range(3):
        tab.get_by_label("Notes").click()
        tab.keyboard.type("abcd"[: turn + 1])
        tab.get_by_role("button", name="Save contact").click()
        tab.wait_for_url("**/saved")
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("1/1/2000")
    tab.get_by_label("Notes").click()
    tab.wait_for_timeout(6_000)
    stage.hanging, hanging = None, stage.hanging
    hanging.set()
    stage.wait_for(lambda: len(stage.spans("entry")) == 4, "entries are lost", seconds=60)
    assert [span.keys for span in stage.spans("entry")] == [1, 2, 3, 8]
    stage.wait_for(lambda: len(stage.spans("wait")) == 4, "waits are lost")
    assert len(stage.spans("action")) == 3


def a_token_that_is_refused_is_kept_until_the_next_page(stage, tab):
    """Nothing is tried again by the page, and nothing is lost."""
    stage.pages["/form"] = page(FORM)
    tab.add_init_script(CLOCKS)
    stage.refusal = 401
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: stage.refused, "nothing is sent")
    tab.wait_for_timeout(500)  # whoever tries again begins after two seconds at most
    before = stage.refused
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.get_by_label("Date of birth").click()
    tab.wait_for_timeout(6_000)
    assert stage.refused == before, f"{stage.refused - before} more requests"
    stage.refusal = None
    tab.goto(stage.url + "/form")
    stage.wait_for(lambda: len(stage.spans("wait")) == 2 and stage.spans("entry"), "what was refused is lost")


# Time that passes without anybody waiting for it: both clocks, or the wall's alone.
CLOCKS = """const wall = Date.now, ticks = performance.now.bind(performance); let passed = 0, jumped = 0;
Date.now = () => wall() + passed + jumped; performance.now = () => ticks() + passed;
window.pass = (ms) => { passed += ms; }; window.jump = (ms) => { jumped += ms; };"""


def a_pause_splits_an_entry(stage, tab):
    """30 s without input end it at the last input; what follows continues it and has the value."""
    stage.pages["/form"] = page(FORM)
    tab.add_init_script(CLOCKS)
    tab.goto(stage.url + "/form")
    tab.get_by_label("Notes").click()
    tab.evaluate("pass(40_000)")  # looks before writing: not yet an entry
    tab.keyboard.type("ab", delay=20)
    tab.evaluate("pass(35_000)")
    tab.keyboard.type("cde", delay=20)
    tab.evaluate("pass(45_000)")
    tab.get_by_label("Date of birth").click()
    stage.wait_for(lambda: len(stage.spans("entry")) == 2, "an entry is missing")
    first, second = stage.spans("entry")
    assert (first.keys, second.keys) == (2, 3) and second.continues == first.id and first.continues is None
    assert first.digest is None and second.digest == digest("abcde")
    assert first.lasted < 10_000 and second.lasted < 10_000, (first.lasted, second.lasted)
    assert 35_000 <= second.start - first.end < 45_000


def a_clock_that_jumps_moves_no_time(stage, tab):
    """The machine sleeps, or its clock is set: what is open ends by the old clock, the rest has the new one."""
    stage.pages["/form"] = page(FORM)
    tab.add_init_script(CLOCKS)
    tab.goto(stage.url + "/form")
    began = time.time() * 1e3
    tab.get_by_label("Notes").click()
    tab.keyboard.type("ab", delay=20)
    tab.evaluate("jump(3_600_000)")
    tab.wait_for_timeout(250)
    tab.keyboard.type("c", delay=20)
    tab.get_by_label("Date of birth").click()
    stage.wait_for(lambda: len(stage.spans("entry")) == 2, "an entry is missing")
    first, second = stage.spans("entry")
    assert began <= first.start and first.lasted < 10_000 and second.lasted < 10_000
    assert 3_600_000 <= second.start - first.start < 3_620_000 and second.continues == first.id
    assert second.digest == digest("abc") and (first.keys, second.keys) == (2, 1)


def a_page_that_comes_back_goes_on(stage, tab):
    """Out of the cache of pages: nothing is told twice, and what is done then is told."""
    stage.pages["/form"] = page(FORM)
    tab.goto(stage.url + "/form")
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    tab.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("1/1/2000")
    tab.get_by_label("Notes").click()
    stage.wait_for(lambda: len(stage.spans("entry")) == 2, "an entry is missing")
    assert [span.field for span in stage.spans("entry")] == ["Notes", "Date of birth"]
    assert [span.outcome for span in stage.spans("navigation")] == [None, "lost", None]
    assert len(stage.spans("wait")) == 1


def a_page_out_of_the_cache_of_pages_goes_on(stage, tab):
    """The same for real: the agent keeps no page out of the cache, and what it holds lives on there."""
    stage.pages |= {"/form": page(FORM + "<script>addEventListener('pageshow', (event) => event.persisted && navigator.sendBeacon('/back'))</script>"),
                    "/other": page("<p>Other", screen="Other"), "/back": ""}
    chromium = launch(tab.context.browser.browser_type, ignore_default_args=["--disable-back-forward-cache"])
    try:
        tab = chromium.new_page()
        tab.goto(stage.url + "/form")
        tab.get_by_label("Notes").click()
        tab.keyboard.type("abc")
        born, notes = [tab.get_by_label(label).bounding_box() for label in ["Date of birth", "Notes"]]
        tab.goto(stage.url + "/other")
        stage.wait_for(lambda: any(span.screen == "Other" for span in stage.spans("navigation")), "the next page is missing")
        session = tab.context.new_cdp_session(tab)
        session.send("Runtime.evaluate", {"expression": "setTimeout(() => history.back())"})
        stage.wait_for(lambda: any(path == "/back" for _, path, _, _ in stage.requests), "the page did not come out of the cache")
        for box in [born, notes]:  # Playwright knows nothing of what stands in such a page
            tab.mouse.click(box["x"] + 5, box["y"] + 5)
            tab.keyboard.type("1/1/2000" if box is born else "")
        stage.wait_for(lambda: len(stage.spans("entry")) == 2, "an entry is missing")
    finally:
        chromium.close()
    assert [(span.field, span.keys) for span in stage.spans("entry")] == [("Notes", 3), ("Date of birth", 8)]
    assert [(span.screen, span.outcome) for span in stage.spans("navigation")] == [("Contact", None), ("Contact", "lost"), ("Other", None), ("Contact", None)]
    assert len(stage.spans("wait")) == 2 and len({span.session for span in stage.spans()}) == 1


def two_tabs_are_two_sessions(stage, tab):
    stage.pages["/form"] = page(FORM)
    other = tab.context.new_page()
    for one in [tab, other]:
        one.goto(stage.url + "/form")
    for one, text in [(tab, "a"), (other, "bb"), (tab, "ccc")]:
        one.bring_to_front()
        one.get_by_label("Notes").fill("")
        one.keyboard.type(text)
        one.get_by_label("Surname").click()
    stage.wait_for(lambda: len(stage.spans("entry")) == 3, "an entry is missing")
    assert len({span.session for span in stage.spans("entry")}) == 2
    assert len({span.id for span in stage.seen}) == len(stage.seen)


def a_task_without_a_number_is_done_once_on_its_case(stage, tab):
    """A trace that names a task is one time of doing it: had two cases one trace, the second would count as done again."""
    of = lambda case, task="": page(f"<main {task}></main>" + FORM, case=case)
    named = 'data-casework-task="Register"'
    stage.pages |= {"/a1": of("X1", named), "/a2": of("X1", named), "/b": of("X2", named), "/n": of("X2"), "/m": of("X3"),
                    "/t": of("X3", named + ' data-casework-taskid="77"'), "/u": of("X4", named + ' data-casework-taskid="77"')}
    traces = []
    for path in ["/a1", "/a2", "/b", "/n", "/m", "/t", "/u"]:
        seen = len(stage.spans("wait"))
        tab.goto(stage.url + path)
        stage.wait_for(lambda: len(stage.spans("wait")) > seen, "the page was not told")
        traces.append(stage.spans("view")[-1].trace)
    a1, a2, b, n, m, t, u = traces
    assert a1 == a2 and n == m and t == u, traces
    assert len({a1, b, n, t}) == 4, traces


def pages_by_plain_http_have_the_same_digests(stage, tab):
    stage.pages["/form"] = page(FORM)
    tab.goto(stage.plain_url + "/form")
    assert not tab.evaluate("isSecureContext"), "the page is a secure context"
    tab.get_by_label("Notes").click()
    tab.keyboard.type("Zo\u00eb")
    tab.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert stage.spans("entry")[0].digest == digest("zo\u00eb")


def a_strict_policy_of_the_page_is_kept(stage, tab):
    """Its policy allows the collector and nothing else: neither inline script or style, nor strings as scripts."""
    policy = f"default-src 'none'; script-src {stage.other_url}; connect-src {stage.other_url}; form-action 'self'; require-trusted-types-for 'script'"
    body = page(notice(stage.other_url) + FORM, agent=stage.other_url + "/agent.js")
    stage.pages["/form"] = lambda *_: (200, {"content-security-policy": policy}, body)
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(stage.url + "/form")
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert tab.get_by_text("This page is measured").is_visible()
    assert not [text for text in complaints if "Security" in text], complaints


def notice(origin=""):
    return f'<script src="{origin}/notice.js" data-text="This page is measured"></script>'


def the_worker_can_pause(stage, tab):
    """Nothing is noted until they resume, on the next page neither."""
    stage.pages["/form"] = page(notice() + FORM)
    tab.goto(stage.url + "/form")
    tab.get_by_role("button", name="Pause").click()
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.goto(stage.url + "/form")
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("1/1/2000")
    tab.get_by_label("Notes").click()
    tab.get_by_role("button", name="Resume").click()
    tab.get_by_label("Notes").click()
    tab.keyboard.type("x")
    tab.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert [(span.field, span.keys) for span in stage.spans("entry")] == [("Notes", 1)]
    assert not stage.spans("action"), "the notice itself is told of"


def a_pause_holds_in_all_tabs_at_once(stage, tab):
    stage.pages["/form"] = page(notice() + FORM)
    other = tab.context.new_page()
    for one in [tab, other]:
        one.goto(stage.url + "/form")
    for name, label, text in [("Pause", "Notes", "abc"), ("Resume", "Date of birth", "1/1/2000")]:
        tab.get_by_role("button", name=name).click()
        other.get_by_role("button", name="Resume" if name == "Pause" else "Pause").wait_for()
        other.get_by_label(label).click()
        other.keyboard.type(text)
    other.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert [span.field for span in stage.spans("entry")] == ["Date of birth"]


def a_page_that_clears_its_storage_resumes_nothing(stage, tab):
    """Applications do so as somebody signs out."""
    stage.pages["/form"] = page(notice() + FORM)
    other = tab.context.new_page()
    for one in [tab, other]:
        one.goto(stage.url + "/form")
    tab.get_by_role("button", name="Pause").click()
    other.get_by_role("button", name="Resume").wait_for()
    tab.evaluate("localStorage.clear()")
    other.wait_for_function("localStorage['gilbreth-paused']")
    for one in [tab, other]:
        one.get_by_label("Notes").click()
        one.keyboard.type("abc")
        one.get_by_label("Surname").click()
    tab.get_by_role("button", name="Resume").click()
    tab.get_by_label("Date of birth").click()
    tab.keyboard.type("1")
    tab.get_by_label("Surname").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert [span.field for span in stage.spans("entry")] == ["Date of birth"]


def fields_are_named_as_a_person_would(stage, tab):
    stage.pages["/names"] = page("""
<table><tr><td>Surname :</td><td><input name="ctl00$main$txt7"></td></tr></table>
<table><tr><th>Date</th><th>Outcome</th></tr><tr><td><input name="r1c1"></td><td><input name="r1c2"></td></tr></table>
<span id="l1">Home</span> <span id="l2">phone</span><input aria-labelledby="l1 l2"> <input aria-label="Case 1234567 number"> <input placeholder="Postcode">
<label for="pt1:r1:it5::content">PNC *</label><input id="pt1:r1:it5::content"> <input name="occupation"> <input id="x99">
<label>E-mail <input></label> <div data-casework-field="Telephone"><input aria-label="nothing"></div>
<div contenteditable="true" aria-label="Narrative"></div><input type="number" aria-label="Age">""")
    tab.goto(stage.url + "/names")
    for of in tab.locator("input, [contenteditable]").all():
        of.click()
        tab.keyboard.type("7")
    tab.get_by_label("Narrative").click()
    stage.wait_for(lambda: len(stage.spans("entry")) == 13, "an entry is missing")
    assert [(span.field, span.value_kind) for span in stage.spans("entry")] == [
        ("Surname", "name"), ("Date", "date"), ("Outcome", "text"), ("Home phone", "phone"), ("Case # number", "identifier"),
        ("Postcode", "postcode"), ("PNC", "identifier"), ("occupation", "text"), ("input", "text"), ("E-mail", "email"),
        ("Telephone", "phone"), ("Narrative", "text"), ("Age", "number")]


RULES = {"screens": [{"url": "/cases/:case/contacts/:record", "screen": "Contact", "task": "Record a contact", "function": "case_management"}],
         "fields": [{"on": "#f1", "name": "Notes", "kind": "text"}, {"on": ".secret", "ignore": True}],
         "worker": "#who", "case": ".crn, #pnc", "signOut": ".leave", "key": "another"}


def rules_name_what_the_page_does_not(stage, tab):
    stage.pages |= {
        "/cases/X123456/contacts/77": f"""<!doctype html><script src="/agent.js" data-system="ndelius"></script>
<b id="who"> jsmith </b><i class="crn">X123456</i> <i id="pnc">2001/0045678A</i>
<input id="f1"><p class="secret"><input aria-label="Hidden"></p><a class="leave" href="#">Bye</a>""",
        "/agent/ndelius.json": lambda *_: (200, {"content-type": "application/json"}, json.dumps(RULES)),
    }
    tab.goto(stage.url + "/cases/X123456/contacts/77?tab=2")
    stage.wait_for(lambda: stage.spans("view"), "no view")
    for of in ["#f1", "[aria-label=Hidden]"]:
        tab.locator(of).click()
        tab.keyboard.type("abc")
    tab.get_by_text("Bye").click()
    stage.wait_for(lambda: stage.spans("sign_out"), "the sign-out is missing")
    notes, hidden = stage.spans("entry")
    about = notes.about
    assert (notes.field, notes.screen, notes.cases) == ("Notes", "Contact", ["X123456", "2001/0045678A"]), notes
    assert about["casework.record.id"] == "77" and about["casework.task.name"] == "Record a contact"
    assert about["casework.function"] == "case_management" and about["enduser.pseudo.id"] == "jsmith"
    assert notes.digest == hmac.new(b"another", b"abc", hashlib.sha256).hexdigest()[:16], "the key of the rules"
    assert (hidden.field, hidden.digest) == ("Hidden", None)


def no_value_is_told_before_the_rules_are_there(stage, tab):
    """One of them may say that it is to be ignored, and the key is in them."""
    body = '<!doctype html><script src="/agent.js" data-system="ndelius"></script><p class="secret"><input aria-label="Hidden"></p><input aria-label="Shown">'
    come = threading.Event()
    for refusal in [(503, {}, "{}"), (200, {"content-type": "application/json"}, "no rules"), None]:
        def slow(*_):
            come.wait(5)
            return 200, {"content-type": "application/json"}, json.dumps(RULES)
        stage.pages |= {"/page": body, "/agent/ndelius.json": (lambda *_: refusal) if refusal else slow}
        before = len(stage.spans("entry"))
        tab.goto(stage.url + "/page")
        for label in ["Hidden", "Shown", "Hidden"]:
            tab.get_by_label(label).click()
            tab.keyboard.type("abc")
        come.set()
        tab.get_by_label("Shown").click()
        stage.wait_for(lambda: len(stage.spans("entry")) == before + 3, "an entry is missing")
    told = stage.spans("entry")
    assert len(told) == 9 and all(span.keys == 3 for span in told)
    assert not [span for span in told if span.digest], "a value was told"


def rules_may_be_given_as_they_are(stage, tab):
    """Then nobody is asked for any, and their key is the page key."""
    stage.pages |= {
        "/cases/X123456/contacts/77": f"""<!doctype html><script src="/agent.js"></script>
<script>gilbreth.start({{ system: "ndelius", endpoint: location.origin, rules: {json.dumps(RULES)} }})</script><input id="f1">""",
        "/agent/ndelius.json": "{}",
    }
    tab.goto(stage.url + "/cases/X123456/contacts/77")
    tab.locator("#f1").click()
    tab.keyboard.type("abc")
    tab.goto("about:blank")
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    (entry,) = stage.spans("entry")
    assert (entry.field, entry.screen, entry.digest) == ("Notes", "Contact", hmac.new(b"another", b"abc", hashlib.sha256).hexdigest()[:16])
    assert not any(path.startswith("/agent/") for _, path, _, _ in stage.requests), "rules are asked for"


def what_the_server_refuses_is_told(stage, tab):
    """A page that comes back with a field marked as invalid; one that comes as an error; one that signs out."""
    stage.pages |= {
        "/form": page(FORM),
        "/saved": page(FORM.replace('name="s"', 'name="s" aria-invalid="true"').replace("/saved", "/broken"), screen="Contact"),
        "/broken": lambda *_: (500, {}, page('<button>Sign out</button>', screen="Error")),
    }
    tab.goto(stage.url + "/form")
    for _ in range(2):
        tab.get_by_label("Notes").click()
        tab.keyboard.type("abc")
        tab.get_by_role("button", name="Save contact").click()
        tab.wait_for_timeout(400)
    tab.get_by_role("button", name="Sign out").click()
    stage.wait_for(lambda: stage.spans("sign_out"), "the sign-out is missing")
    assert [span.outcome for span in stage.spans("wait")] == [None, "rejected", "failed"]


def ten_thousand_fields_are_no_burden(stage, tab):
    stage.pages["/large"] = page("".join(f'<label>F{n % 97} <input value="v{n}"></label>' for n in range(10_000)))
    tab.goto(stage.url + "/large")
    stage.wait_for(lambda: len(stage.spans("view")) == 51, "the first fifty and the screen")
    tab.locator("input").nth(5_000).click()
    tab.keyboard.type("abc", delay=5)
    tab.locator("input").nth(5_001).click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert stage.spans("entry")[0].keys == 3
    tab.wait_for_timeout(1_000)
    assert len([span for span in stage.spans("view")]) <= 52


def the_shared_vectors_hold(stage, tab):
    """Every case of normalisation that the collector's own implementation is held to, and digests by another's hand."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../collector/conventions/vectors")
    with open(os.path.join(folder, "normalise.json")) as file:
        vectors = json.load(file)
    with open(os.path.join(folder, "digest.json")) as file:
        by_hand = json.load(file)
    assert len(vectors) >= 300 and by_hand["page_key"] == PAGE_KEY
    stage.pages["/page"] = page("")
    tab.goto(stage.url + "/page")
    got = tab.evaluate("(all) => all.map(({ value, kind }) => gilbreth.digestsOf(value, kind))", vectors + by_hand["values"])
    wrong = []
    for vector, got in zip(vectors + by_hand["values"], got):
        if "client" in vector:
            expected = {"digest": vector["client"], "parts": vector["parts"]}
        elif vector.get("digested", vector["canonical"] != ""):
            expected = {"digest": digest(vector["canonical"]), "parts": [digest(part) for part in vector["parts"]]}
        else:
            expected = {}
        if got != expected:
            wrong.append((vector, got))
    assert not wrong, wrong


TESTS = [test for test in list(globals().values()) if callable(test) and getattr(test, "__code__", None) and test.__code__.co_varnames[:2] == ("stage", "tab")]


def run(chromium, scripts, test):
    """Why a test does not hold; None if it does."""
    stage = Stage(*scripts)
    context = chromium.new_context()
    errors = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    try:
        test(stage, context.new_page())
        assert not errors, errors
        return None
    except Exception:
        return "\n".join([traceback.format_exc(), *errors, *map(str, stage.spans())])
    finally:
        context.close()
        stage.close()


def run_all(scripts, names):
    """Runs some tests in a browser of their own; gives how many do not hold."""
    failed = 0
    with browser() as chromium:
        for name in names:
            why = run(chromium, scripts, globals()[name])
            failed += why is not None
            print(f"FAILED  {name}\n{why}" if why else f"ok      {name}", flush=True)
    return failed


def main():
    where = sys.argv[1]
    read = lambda where: urllib.request.urlopen(where).read() if where.startswith("http") else open(where, "rb").read()
    scripts = [read(where), read(os.path.dirname(where) + "/notice.js")]
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    names = [test.__name__ for test in TESTS if wanted in test.__name__]
    assert names, f"no test has {wanted} in its name"
    # Most of the time is waiting for what is sent late.
    shares = [names[place::SIDE_BY_SIDE] for place in range(min(SIDE_BY_SIDE, len(names)))]
    with multiprocessing.Pool(len(shares)) as pool:
        failed = sum(pool.starmap(run_all, [(scripts, share) for share in shares], chunksize=1))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
