"""A worker fills in a form whose page has the agent of a real collector.

    send.py COLLECTOR

prints the page's origin, reads a page token from standard input, works, and ends once the page was closed.
"""

import sys

from stage import Stage, browser

collector = sys.argv[1]
stage = Stage(b"")
print(stage.url, flush=True)
token = sys.stdin.readline().strip()
stage.pages["/form"] = f"""<!doctype html><body data-casework-screen="Contact" data-casework-case="X123456">
<script src="{collector}/agent.js" data-system="ndelius" data-worker="jsmith" data-token="{token}"></script>
<form action="/saved" method="post"><label>Surname <input></label><label>Date of birth <input></label><button>Save</button></form>"""
stage.pages["/saved"] = stage.pages["/form"].replace('"Contact"', '"Saved"')
with browser() as chromium:
    tab = chromium.new_page()
    tab.goto(stage.url + "/form")
    for label, text in [("Surname", "Canary"), ("Date of birth", "11/03/1986")]:
        tab.get_by_label(label).click()
        tab.keyboard.type(text, delay=10)
    tab.get_by_role("button").click()
    tab.wait_for_url("**/saved")
    tab.get_by_label("Surname").click()
    tab.keyboard.type("ab")
    tab.wait_for_timeout(6_000)
    tab.close()
    chromium.new_page().goto("about:blank")
stage.close()
