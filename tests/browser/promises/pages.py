"""What is told of pages: waits, screens, frames, sign-ins, what is refused and what is lost."""

import threading
import time

from stage import CLOCKS, FORM, PAGE_KEY, data, digest, page

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
    stage.pages["/page"] = page("<script>fetch('/poll').catch(() => {})</script><a href='#'>Open</a> <label>Notes <input></label>")
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


CHECKED = """<form><label>Born <input id="born"></label> <button type="button" id="help">Help</button> <button>Save</button></form><script>
const born = document.querySelector("#born");
const check = () => born.value.length === 4 ? born.removeAttribute("aria-invalid") : born.setAttribute("aria-invalid", "true");
born.addEventListener("blur", check);
document.querySelector("form").addEventListener("submit", (event) => { check(); event.preventDefault(); });
</script>"""


def a_click_is_rejected_for_what_it_does_itself(stage, tab):
    """A page finds a field invalid as it is left: no button that is pressed later is to blame; each save that it refuses is."""
    stage.pages["/form"] = page(CHECKED)
    tab.goto(stage.url + "/form")
    tab.get_by_label("Born").click()
    tab.keyboard.type("86")
    tab.keyboard.press("Tab")
    tab.wait_for_timeout(2_500)
    for name in ["Help", "Save", "Save", "Help"]:
        tab.get_by_role("button", name=name).click()
        tab.wait_for_timeout(200)
    tab.get_by_label("Born").click()
    tab.keyboard.type("19")
    tab.get_by_role("button", name="Save").click()
    tab.goto("about:blank")
    stage.wait_for(lambda: len(stage.spans("action")) == 5, "a click is missing")
    assert [(span.field, span.outcome) for span in stage.spans("action")] == [
        ("Help", None), ("Save", "rejected"), ("Save", "rejected"), ("Help", None), ("Save", None)]


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


LEAVING = """<main></main><script>
const show = async () => {
  const screen = location.hash === "#case" ? "Case" : "List";
  await fetch("/data?wait=0.1");
  document.body.dataset.caseworkScreen = screen;
  document.querySelector("main").innerHTML = screen === "Case" ? '<label>Forename <input></label><a href="#list">Cancel</a>' : '<label>Filter <input></label><a href="#case">Open</a>';
};
addEventListener("hashchange", show); show();
</script>"""


def input_of_a_screen_that_was_left_is_not_lost_later(stage, tab):
    """An application shows another screen: what was entered and not saved was given up, and the page may go."""
    stage.pages |= {"/app": page(LEAVING, screen=""), "/data": data}
    tab.goto(stage.url + "/app#case")
    tab.get_by_label("Forename").click()
    tab.keyboard.type("abc")
    tab.get_by_text("Cancel").click()
    tab.get_by_label("Filter").wait_for()
    tab.wait_for_timeout(300)
    tab.goto("about:blank")
    stage.wait_for(lambda: [span.screen for span in stage.spans("navigation")] == ["Case", "List"], "a screen is missing")
    assert not [span for span in stage.spans() if span.outcome], list(map(str, stage.spans()))


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


SHARED = """<main></main><script>
const show = (user) => {
  document.body.dataset.caseworkScreen = user ? "Home" : "Sign in";
  if (user) document.body.dataset.caseworkWorker = user; else delete document.body.dataset.caseworkWorker;
  document.querySelector("main").innerHTML = user ? '<label>Notes <input></label><button>Sign out</button>'
    : '<form><label>User <input></label><label>Word <input type="password"></label><button>Sign in</button></form>';
  const form = document.querySelector("form");
  if (form) form.onsubmit = async (event) => { event.preventDefault(); await fetch("/data?wait=0.2", { method: "POST" }); show(form[0].value); };
  else document.querySelector("button").onclick = async () => { await fetch("/data?wait=0.2", { method: "DELETE" }); show(); };
};
show();
</script>"""


def who_comes_next_is_another(stage, tab):
    """On a machine that people share: a sign-in is of who then works, and of no one before; so is the session."""
    body = SHARED.replace("<main>", '<script src="/agent.js" data-system="ndelius"></script><main>')
    stage.pages |= {"/app": "<!doctype html><body>" + body, "/data": data}
    tab.goto(stage.url + "/app")
    for user in ["alice", "bob"]:
        tab.get_by_label("User").click()
        tab.keyboard.type(user)
        tab.get_by_label("Word").click()
        tab.keyboard.type("secret")
        tab.get_by_role("button", name="Sign in").click()
        tab.get_by_label("Notes").click()
        tab.keyboard.type("abc")
        tab.get_by_role("button", name="Sign out").click()
        tab.get_by_label("User").wait_for()
        tab.wait_for_timeout(300)
    tab.goto("about:blank")
    stage.wait_for(lambda: len(stage.spans("sign_out")) == 2, "a sign-out is missing")
    who = lambda kind: [span.about.get("enduser.pseudo.id") for span in stage.spans(kind)]
    assert who("sign_in") == who("entry") == who("sign_out") == ["alice", "bob"], [who("sign_in"), who("entry"), who("sign_out")]
    sessions = [span.session for span in stage.spans("entry")]
    assert sessions == [span.session for span in stage.spans("sign_in")] and len(set(sessions)) == 2


def a_page_that_still_names_who_signed_out_names_nobody_else(stage, tab):
    """It asks the server to end the session and leads to the door, as it is: the next sign-in is of whom that page names."""
    door = """<!doctype html><body data-casework-screen="Sign in"><script src="/agent.js" data-system="ndelius"></script>
<form action="/bob" method="post"><label>User <input></label><label>Word <input type="password"></label><button>Sign in</button></form>"""
    home = """<!doctype html><body data-casework-screen="Home" data-casework-worker="%s"><script src="/agent.js" data-system="ndelius"></script>
<button onclick="fetch('/data?wait=0.1', { method: 'DELETE' }).then(() => setTimeout(() => { location = '/door' }, 200))">Sign out</button>"""
    stage.pages |= {"/door": door, "/alice": home % "alice", "/bob": home % "bob", "/data": data}
    tab.goto(stage.url + "/alice")
    tab.get_by_role("button", name="Sign out").click()
    tab.wait_for_url("**/door")
    for label in ["User", "Word"]:
        tab.get_by_label(label).click()
        tab.keyboard.type("secret")
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url("**/bob")
    stage.wait_for(lambda: stage.spans("sign_in") and len(stage.spans("wait")) == 4, "the sign-in is missing")
    worker = lambda kind: [span.about.get("enduser.pseudo.id") for span in stage.spans(kind)]
    assert (worker("sign_out"), worker("sign_in"), worker("wait")[-1]) == (["alice"], ["bob"], "bob"), list(map(str, stage.spans()))
    (left,), (come,) = stage.spans("sign_out"), stage.spans("sign_in")
    assert left.session != come.session and left.trace != come.trace


def a_sign_in_is_of_whom_the_next_page_names(stage, tab):
    """The page that asks for a name does not know it yet. After the session has ended by itself it is the one who worked before."""
    door = """<!doctype html><body data-casework-screen="Sign in"><script src="/agent.js" data-system="ndelius"></script>
<form action="/home" method="post"><label>User <input></label><label>Word <input type="password"></label><button>Sign in</button></form>"""
    home = """<!doctype html><body data-casework-screen="Home" data-casework-worker="alice"><script src="/agent.js" data-system="ndelius"></script><a href="/door">Ended</a>"""
    stage.pages |= {"/door": door, "/home": home}
    tab.goto(stage.url + "/door")
    for turn in range(2):
        tab.get_by_label("User").click()
        tab.keyboard.type("alice")
        tab.get_by_label("Word").click()
        tab.keyboard.type("secret")
        tab.get_by_role("button", name="Sign in").click()
        tab.wait_for_url("**/home")
        tab.wait_for_timeout(300)
        if turn == 0:
            tab.get_by_text("Ended").click()
    stage.wait_for(lambda: len(stage.spans("sign_in")) == 2 and len(stage.spans("wait")) == 4, "a sign-in is missing")
    assert {span.about.get("enduser.pseudo.id") for span in stage.spans("sign_in")} == {"alice"}, list(map(str, stage.spans()))


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


def a_frame_that_holds_frames_is_waited_for_once(stage, tab):
    """Those in it go with it, and nobody waits for them."""
    stage.pages |= {
        "/outer": page('<a href="/next" target="main">On</a><iframe name="main" src="/main"></iframe>', screen=""),
        "/main": plain('Main <iframe src="/inner"></iframe>', "Main"),
        "/inner": "<label>Inner <input></label>",
        "/next": plain("<label>Next <input></label>", "Next", 0.4),
    }
    tab.goto(stage.url + "/outer")
    stage.wait_for(lambda: stage.spans("wait"), "no wait")
    tab.get_by_text("On").click()
    tab.frame_locator("iframe").get_by_label("Next").wait_for()
    stage.wait_for(lambda: len(stage.spans("wait")) == 2, "the wait for the frame is missing")
    opened = stage.spans("wait")[1]
    assert 390 <= opened.lasted < 8_000 and opened.screen == "Next", opened


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


def unsaved_input_outlives_a_glance_at_another_frame(stage, tab):
    """Each frame names its screen: whoever clicks in others has not left the first."""
    frame = lambda name: page(f"<label>Notes of {name} <input></label>", screen=name).replace(page("").split("\n")[2], "")
    stage.pages |= {"/top": page('<iframe src="/one"></iframe><iframe src="/two"></iframe><iframe src="/three"></iframe>', screen="").replace(' data-casework-screen=""', ""),
                    "/one": frame("One"), "/two": frame("Two"), "/three": frame("Three")}
    tab.goto(stage.url + "/top")
    tab.frames[1].get_by_label("Notes").click()
    tab.keyboard.type("abc")
    for place in (2, 3):
        tab.frames[place].get_by_label("Notes").click()
        tab.wait_for_timeout(300)
    tab.goto("about:blank")
    stage.wait_for(lambda: [span for span in stage.spans("navigation") if span.outcome == "lost"], "what was lost is not told")


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
        "/outer": page('<iframe src="/one"></iframe><iframe src="/two"></iframe><iframe src="/three"></iframe>', screen="").replace(' data-casework-screen="" data-casework-case="X123456"', ""),
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
