"""What is told of fields: entries, choices, views, names and digests, and what never leaves a page."""

import hashlib
import hmac
import json
import os
import threading
import time

import firefox
from stage import FORM, PAGE_KEY, data, digest, page


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


NAMED = """<input title="Secrettip" placeholder="When" value="Secrettip"> <input title="Secrettip too">
<span data-casework-value title="Secretfull" aria-label="Secretlabel">Secretshown</span>
<table><tr><th>Alias</th></tr><tr><td><b data-casework-value>Secretcell</b></td></tr></table>
<label>Passcode <input></label> <label>Security answer <input></label> <label>Memorable word <input></label>
<label>Security category <input></label>"""


def names_are_not_what_fields_hold(stage, tab):
    """Tooltips and labels of elements repeat what these hold; and what opens a door is no value."""
    stage.pages["/form"] = page(NAMED)
    tab.goto(stage.url + "/form")
    for label in ["Passcode", "Security answer", "Memorable word", "Security category"]:
        tab.get_by_label(label).click()
        tab.keyboard.type("7431")
    tab.locator("input").nth(1).click()
    tab.keyboard.type("7431")
    tab.goto("about:blank")
    stage.wait_for(lambda: len(stage.spans("entry")) == 5, "an entry is missing")
    assert b"secret" not in b"\n".join(stage.bodies).lower()
    views = {span.field: span.digest for span in stage.spans("view") if span.field}
    assert views == {"When": digest("secrettip"), "span": digest("secretshown"), "Alias": digest("secretcell")}, views
    assert {span.field: bool(span.digest) for span in stage.spans("entry")} == {
        "Passcode": False, "Security answer": False, "Memorable word": False, "Security category": True, "input": True}


def pasted_text_is_told_as_pasted(stage, tab):
    stage.pages["/form"] = page(FORM)
    if not firefox.path():  # where a setting allows it
        tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stage.url)
    tab.goto(stage.url + "/form")
    tab.evaluate("navigator.clipboard.writeText('1 Apr 1990')")
    tab.get_by_label("Date of birth").click()
    tab.keyboard.press("Control+v")
    tab.get_by_label("Notes").click()
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    (entry,) = stage.spans("entry")
    assert (entry.origin, entry.keys, entry.digest) == ("pasted", 0, digest("1990-04-01")), entry


def links_in_drawings_are_told(stage, tab):
    stage.pages["/drawing"] = page("""<svg width="300" height="60"><a href="#secret1"><text y="20">Secretname</text></a>
<a href="#map"><text y="50">Map</text></a></svg><label>Notes <input></label>""")
    tab.goto(stage.url + "/drawing")
    for text in ["Secretname", "Map"]:
        tab.get_by_text(text).click()
    tab.get_by_label("Notes").click()
    stage.wait_for(lambda: len(stage.spans("action")) == 2, "an action is missing")
    assert [span.field for span in stage.spans("action")] == ["a", "Map"]


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


def any_element_may_name_the_case(stage, tab):
    """Items of lists have values of their own, and so may elements of frameworks."""
    stage.pages["/form"] = page("""<ul><li data-casework-case>X123456</li></ul> <button data-casework-case>2016/99 K</button>
<my-case data-casework-case>T7</my-case> <input data-casework-case value="S4"> <input type="hidden" data-casework-case value="H9"> <p data-casework-case="A1 B2">Two</p>
<script>document.querySelector("my-case").value = { number: 7 }</script><label>Notes <input></label>""", case="").replace(' data-casework-case=""', "")
    tab.goto(stage.url + "/form")
    tab.get_by_label("Notes").click()
    tab.keyboard.type("abc")
    tab.goto("about:blank")
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    assert {tuple(span.cases) for span in stage.spans()} == {("X123456", "2016/99 K", "T7", "S4", "H9", "A1", "B2")}


# Firefox before 142 has no URLPattern: there the second fits.
RULES = {"screens": [{"url": "/cases/:case/contacts/:record", "screen": "Contact", "task": "Record a contact", "function": "case_management"},
                     {"on": "#f1", "screen": "By element", "task": "Record a contact", "function": "case_management"}],
         "fields": [{"on": "#f1", "name": "Notes", "kind": "text"}, {"on": ".secret", "ignore": True}],
         "worker": "#who", "case": ".crn, #pnc", "signOut": ".leave", "key": "another"}


def has_patterns(tab):
    return tab.evaluate("'URLPattern' in window")


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
    screen, record = ("Contact", "77") if has_patterns(tab) else ("By element", None)
    assert (notes.field, notes.screen, notes.cases) == ("Notes", screen, ["X123456", "2001/0045678A"]), notes
    assert about.get("casework.record.id") == record and about["casework.task.name"] == "Record a contact"
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
    screen = "Contact" if has_patterns(tab) else "By element"
    tab.locator("#f1").click()
    tab.keyboard.type("abc")
    tab.goto("about:blank")
    stage.wait_for(lambda: stage.spans("entry"), "the entry is missing")
    (entry,) = stage.spans("entry")
    assert (entry.field, entry.screen, entry.digest) == ("Notes", screen, hmac.new(b"another", b"abc", hashlib.sha256).hexdigest()[:16])
    assert not any(path.startswith("/agent/") for _, path, _, _ in stage.requests), "rules are asked for"


def a_screen_tells_of_fifty_fields(stage, tab):
    """However often it is looked at; another case is another screen."""
    fields = "".join(f'<label>F{chr(97 + n % 26)}{chr(97 + n // 26)} <input value="v{n}"></label>' for n in range(300))
    stage.pages |= {"/form": page(fields + """<button>Refresh</button><button id="next">Next</button><script>
document.querySelector("button").onclick = () => fetch("/data?wait=0.1");
document.querySelector("#next").onclick = async () => { await fetch("/data?wait=0.1"); document.body.dataset.caseworkCase = "Y7";
  document.querySelectorAll("input").forEach((of) => of.value += "y"); };</script>"""), "/data": data}
    tab.goto(stage.url + "/form")
    told = lambda case: [span for span in stage.spans("view") if span.field and span.cases == [case]]
    stage.wait_for(lambda: len(told("X123456")) == 50, "not fifty are told")
    for turn in range(3):
        tab.get_by_role("button", name="Refresh").click()
        stage.wait_for(lambda: len(stage.spans("wait")) == 2 + turn, "no wait")
    tab.get_by_role("button", name="Next").click()
    stage.wait_for(lambda: len(told("Y7")) == 50, "not fifty of the next case are told")
    tab.wait_for_timeout(6_000)
    assert (len(told("X123456")), len(told("Y7"))) == (50, 50)


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
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../collector/conventions/vectors")
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
