"""What the agent tells of pages, and what it never tells, in a real browser: each of its promises is a test.

    agent.py AGENT.JS [part of a test's name]

AGENT.JS is a file, or the address of one. Needs playwright, and Chromium (`GILBRETH_TEST_CHROMIUM` says where it is) or
websockets and Firefox (`GILBRETH_TEST_FIREFOX` says where that is; if it is set, Firefox is used).
"""

import multiprocessing
import os
import sys
import traceback
import urllib.request

import firefox
from promises import delivery, fields, pages
from stage import Stage, browser

SIDE_BY_SIDE = 3
TESTS = {
    name: test
    for group in (fields, pages, delivery)
    for name, test in vars(group).items()
    if getattr(test, "__module__", None) == group.__name__ and test.__code__.co_varnames[:2] == ("stage", "tab")
}


def run(opened, scripts, test):
    """Why a test does not hold; None if it does."""
    stage = Stage(*scripts)
    context = opened.new_context()
    errors = []
    context.on("weberror", lambda error: firefox.is_its_own(str(error.error)) or errors.append(str(error.error)))
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
    with browser(is_firefox=bool(firefox.path())) as opened:
        for name in names:
            why = run(opened, scripts, TESTS[name])
            failed += why is not None
            print(f"FAILED  {name}\n{why}" if why else f"ok      {name}", flush=True)
    return failed


def main():
    where = sys.argv[1]
    read = lambda where: urllib.request.urlopen(where).read() if where.startswith("http") else open(where, "rb").read()
    scripts = [read(where), read(os.path.dirname(where) + "/notice.js")]
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    names = [name for name in TESTS if wanted in name]
    assert names, f"no test has {wanted} in its name"
    # Most of the time is waiting for what is sent late.
    shares = [names[place::SIDE_BY_SIDE] for place in range(min(SIDE_BY_SIDE, len(names)))]
    with multiprocessing.Pool(len(shares)) as pool:
        failed = sum(pool.starmap(run_all, [(scripts, share) for share in shares], chunksize=1))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
