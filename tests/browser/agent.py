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
import time
import traceback
import urllib.request

from stage import PAGE_KEY, Stage, browser, page

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
    assert 790 <= wait.lasted < 1_800 and wait.screen == "Saved" and not wait.outcome, wait
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
        <input aria-label="Reveal" onfocus="this.type='password'"><a href="mailto:secret@example.org">Secretmail</a>""",
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
    for text in ["Secretcrumb", "Secretcard", "Secretvalue"]:
        tab.get_by_text(text).click()
    tab.locator("[type=checkbox]").check()
    tab.get_by_label("Reveal").click()
    tab.keyboard.type("secret7")
    tab.get_by_label("Mail", exact=True).click()
    stage.wait_for(lambda: len(stage.spans("action")) == 5, "the clicks are not told")
    tab.close()
    stage.wait_for(lambda: any(span.field == "Reveal" for span in stage.spans("entry")), "the last field is missing")
    sent = b"\n".join(stage.bodies).lower()
    for secret in [b"secret", b"canary", b"smith", b"long free"]:
        assert secret not in sent, f"{secret} was sent: {sent[max(0, sent.index(secret) - 80):][:200]}"
    told = {span.field: span for span in stage.spans("entry")}
    assert told["Hidden from us"].digest is None and told["Notes"].digest is None
    assert "Password" not in told, "a password is entered"
    assert told["Reveal"].digest is None, "a field that turned into a password"
    assert [span.field for span in stage.spans("action")] == ["Name", "button", "/cases/#", "/form", "Status"]


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
    assert 490 <= opened.lasted < 1_500 and opened.screen == "Case", opened
    assert 890 <= saved.lasted < 1_900 and not saved.outcome, saved
    assert [span.screen for span in stage.spans("navigation")] == ["List", "Case"]
    assert abs(stage.spans("navigation")[1].start - opened.end) < 1
    (entry,) = stage.spans("entry")
    assert entry.screen == "Case" and entry.digest == digest("zoë")
    posted = next(headers for method, _, headers, _ in stage.requests if method == "POST")
    assert posted["traceparent"] == f"00-{saved.trace}-{saved.id}-01"
    by_itself = [headers for _, path, headers, _ in stage.requests if "wait=2.5" in path]
    assert by_itself and not any("traceparent" in headers for headers in by_itself)


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
    assert 100 < sign_in.lasted < 2_000 and sign_in.keys is None and sign_in.field is None, sign_in
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
    stage.wait_for(lambda: stage.spans("entry"), "the entry is lost", seconds=4)


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
    assert first.lasted < 1_000 and second.lasted < 1_000, (first.lasted, second.lasted)
    assert 35_000 <= second.start - first.end < 36_500


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
    assert began <= first.start and first.lasted < 1_000 and second.lasted < 1_000
    assert 3_600_000 <= second.start - first.start < 3_603_000 and second.continues == first.id
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
    body = page(FORM, settings='data-notice="This page is measured" data-rules="none"', agent=stage.other_url + "/agent.js")
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


def the_worker_can_pause(stage, tab):
    """Nothing is noted until they resume, on the next page neither."""
    stage.pages["/form"] = page(FORM, settings='data-notice="This page is measured" data-rules="none"')
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


def run(chromium, agent, test):
    """Why a test does not hold; None if it does."""
    stage = Stage(agent)
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


def run_all(agent, names):
    """Runs some tests in a browser of their own; gives how many do not hold."""
    failed = 0
    with browser() as chromium:
        for name in names:
            why = run(chromium, agent, globals()[name])
            failed += why is not None
            print(f"FAILED  {name}\n{why}" if why else f"ok      {name}", flush=True)
    return failed


def main():
    where = sys.argv[1]
    agent = urllib.request.urlopen(where).read() if where.startswith("http") else open(where, "rb").read()
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    names = [test.__name__ for test in TESTS if wanted in test.__name__]
    assert names, f"no test has {wanted} in its name"
    # Most of the time is waiting for what is sent late.
    shares = [names[place::SIDE_BY_SIDE] for place in range(min(SIDE_BY_SIDE, len(names)))]
    with multiprocessing.Pool(len(shares)) as pool:
        failed = sum(pool.starmap(run_all, [(agent, share) for share in shares], chunksize=1))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
