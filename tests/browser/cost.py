"""What the agent costs a page: the same work in the same page, in turns, without the agent and with it.

    cost.py AGENT.JS [rounds]

fills in a form of 40 fields by the keyboard, presses 20 buttons, and prints what the agent adds to the time of the page's
own scripts (Chromium's ScriptDuration) for each interaction: a key that is pressed in a field, a move to the next field,
a click; at full speed and on a processor made six times slower. Beside it stands what the same listeners add if they do
nothing, which is the least that any agent costs, and how much longer all tasks of the page take (TaskDuration). Last
comes the longest task of a page of 10,000 fields. A benchmark: it asserts nothing.
"""

import re
import statistics
import sys
import urllib.request

from stage import Stage, browser, page

FIELDS = 40
KEYS = "12345678"
BUTTONS = 20
BOUNDS_MS = {1: 0.1, 6: 0.5}
EACH = {"a key": FIELDS * len(KEYS), "a move to the next field": FIELDS, "a click": BUTTONS}
IDLE = """<script>for (const name of ["focusin", "focusout", "keydown", "input", "pointerdown", "click"])
    document.addEventListener(name, () => {}, true);</script>"""


def form():
    fields = "".join(f'<label>Name of field {n} <input name="f{n}"></label><br>' for n in range(FIELDS))
    buttons = "".join(f'<button type="button">Do it {"ABCDEFGHIJKLMNOPQRST"[n]}</button>' for n in range(BUTTONS))
    return page(f'<form action="/saved" method="post">{fields}{buttons}</form>')


def without_agent(whole, instead=""):
    return re.sub("<script.*</script>", instead, whole, count=1)


def measured(chromium, stage, path, slower):
    """Milliseconds of script that each kind of interaction took, and of all tasks that the work took."""
    context = chromium.new_context()
    tab = context.new_page()
    session = context.new_cdp_session(tab)
    session.send("Performance.enable")
    tab.goto(stage.url + path)
    tab.wait_for_timeout(300)
    tab.locator("input").first.focus()
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})

    def read(name):
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] * 1e3 for metric in metrics if metric["name"] == name)

    took = dict.fromkeys(EACH, 0)
    began = last = read("ScriptDuration")
    tasks = read("TaskDuration")

    def took_so_long(what):
        nonlocal last
        before, last = last, read("ScriptDuration")
        took[what] += last - before

    for _ in range(FIELDS):
        tab.keyboard.type(KEYS)
        took_so_long("a key")
        tab.keyboard.press("Tab")
        took_so_long("a move to the next field")
    for button in tab.locator("button").all():
        x, y, width, height = button.bounding_box().values()
        last = read("ScriptDuration")
        tab.mouse.click(x + width / 2, y + height / 2)
        took_so_long("a click")
    took = {what: of / EACH[what] for what, of in took.items()}
    tasks = read("TaskDuration") - tasks
    context.close()
    return took, tasks


def longest_task(chromium, stage, path):
    tab = chromium.new_page()
    tab.add_init_script("""window.longest = 0; new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) longest = Math.max(longest, entry.duration); }).observe({ type: "longtask", buffered: true });""")
    tab.goto(stage.url + path)
    tab.wait_for_timeout(1_500)
    longest = tab.evaluate("longest")
    tab.close()
    return longest


def main():
    where, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    stage = Stage(urllib.request.urlopen(where).read() if where.startswith("http") else open(where, "rb").read())
    large = page("".join(f'<label>F{n % 97} <input value="v{n}"></label>' for n in range(10_000)))
    stage.pages |= {"/with": form(), "/without": without_agent(form()), "/idle": without_agent(form(), IDLE),
                    "/large-with": large, "/large-without": without_agent(large)}
    with browser() as chromium:
        measured(chromium, stage, "/with", 1)
        for slower, bound in BOUNDS_MS.items():
            runs = [[measured(chromium, stage, path, slower) for path in ("/without", "/idle", "/with")] for _ in range(rounds)]
            print(f"{slower} times slower (bound {bound} ms an interaction)")
            for what in EACH:
                idle, added = (sorted(run[at][0][what] - run[0][0][what] for run in runs) for at in (1, 2))
                print(f"  {what:25}{statistics.median(added):6.3f} ms added ({added[0]:.3f} to {added[-1]:.3f}), "
                      f"{statistics.median(idle):.3f} of them by listeners that do nothing")
            print(f"  all tasks                {statistics.median(having[1] / without[1] for without, _, having in runs):6.2f} "
                  "times those of the page without agent")
        longest = [(longest_task(chromium, stage, "/large-without"), longest_task(chromium, stage, "/large-with")) for _ in range(rounds)]
        print("10,000 fields, longest task: " + ", ".join(f"{without:.0f} ms without and {having:.0f} with" for without, having in longest))
    stage.close()


if __name__ == "__main__":
    main()
