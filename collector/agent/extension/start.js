// @ts-check
/**
 * Starts the agent in the page's own world, behind `agent.js` and `notice.js`, before any script of the page. What it needs
 * comes from the relay, and its batches go there, as events of the document: these arrive at once, even while the page is
 * left.
 */
(() => {
  "use strict";
  const { gilbreth } = /** @type {any} */ (globalThis);
  const { start, pause, resume, showNotice } = gilbreth ?? {};
  const remove = () => delete (/** @type {any} */ (globalThis).gilbreth);
  /** A frame whose parent has the same origin is watched by the parent's agent. */
  const isWatched = () => {
    try {
      return parent !== window && "gilbreth" in parent;
    } catch {
      return false;
    }
  };
  if (!start || isWatched()) return void remove();

  const ANSWER_MS = 10_000; // as long as a batch may take to be kept
  const tell = (/** @type {string} */ what, /** @type {any} */ detail = undefined) =>
    document.dispatchEvent(new CustomEvent("gilbreth-" + what, { detail: JSON.stringify(detail) }));
  const hear = (/** @type {string} */ what, /** @type {(told: any) => void} */ then) =>
    document.addEventListener("gilbreth-" + what, (event) => then(JSON.parse(/** @type {CustomEvent} */ (event).detail)));

  /** @type {Map<number, (isKept: boolean) => void>} */
  const waiting = new Map();
  let sent = 0;
  const send = (/** @type {string} */ body) =>
    new Promise((resolve) => {
      const id = sent++;
      waiting.set(id, resolve);
      setTimeout(() => answer({ id, isKept: false }), ANSWER_MS);
      tell("spans", { id, body });
    });
  const answer = (/** @type {{ id: number, isKept: boolean }} */ { id, isKept }) => {
    waiting.get(id)?.(isKept);
    waiting.delete(id);
  };

  let isStarted = false;
  hear("kept", answer);
  hear("hold", (isPaused) => {
    if (isPaused !== gilbreth.isPaused) isPaused ? pause() : resume();
  });
  addEventListener("gilbreth-paused", () => tell("held", gilbreth.isPaused));
  hear("start", ({ isPaused, notice, ...settings }) => {
    if (isStarted) return;
    isStarted = true;
    // The pause is the browser's, not that of one origin, whose storage may remember another.
    try {
      isPaused ? (localStorage["gilbreth-paused"] = "yes") : localStorage.removeItem("gilbreth-paused");
    } catch {}
    start({ ...settings, send });
    if (isPaused) pause();
    if (notice && parent === window) showNotice(notice);
  });
  tell("ready");
})();
