// @ts-check
/**
 * Says in a corner of a page that it is measured, beside a button that pauses and resumes.
 *
 *   <script src="https://collector.example/notice.js" data-text="How long this page takes you is measured."></script>
 *
 * Before or behind the line of the agent. In a frame the line shows nothing: the page at the top has its own, which shows it
 * in its largest frame if it has nothing but frames. Without a script element (in an extension, behind `agent.js`) it waits
 * for `gilbreth.showNotice(text)`.
 */
(() => {
  "use strict";
  /** The agent, once there is one. @type {() => any} */
  const agent = () => /** @type {any} */ (globalThis).gilbreth;
  const MARK = "notice"; // tells the extension, too, which button is this one
  const SHOWN = `aside[data-casework-ignore=${MARK}]`;

  // Set by script, which no Content-Security-Policy forbids, and above whatever the page says of such elements.
  const BOX =
    "all:initial;position:fixed;right:0;bottom:0;z-index:2147483647;display:block;box-sizing:border-box;max-width:100%;padding:8px;" +
    "font:14px/20px sans-serif;color:#000;background:#fff;border:1px solid #000;color-scheme:light;";
  const BUTTON =
    "all:revert;display:inline-block;margin:0 0 0 8px;padding:1px 8px;font:14px/20px sans-serif;color:#000;background:#eee;" +
    "border:1px solid #000;border-radius:3px;cursor:pointer;";
  const style = (/** @type {HTMLElement} */ of, /** @type {string} */ text) => (of.style.cssText = text.replaceAll(";", " !important;"));
  const heard = (/** @type {string} */ what) => new Promise((then) => addEventListener(what, then, { once: true }));

  /** What it stands in: the page, or of a page of frames the largest that is of its origin. @type {(of: Document) => HTMLElement | undefined} */
  const home = (of) => {
    if (of.body?.localName !== "frameset") return of.body ?? undefined;
    const room = (/** @type {HTMLElement} */ { offsetWidth, offsetHeight }) => offsetWidth * offsetHeight;
    const frames = [.../** @type {NodeListOf<HTMLFrameElement>} */ (of.querySelectorAll("frame"))].sort((one, other) => room(other) - room(one));
    // Those of other origins show no document.
    return frames.map(({ contentDocument }) => contentDocument && home(contentDocument)).find((body) => body) ?? undefined;
  };

  /** Shows it, once the page is there and has an agent. A page has one. */
  const show = async (/** @type {string} */ text) => {
    if (document.readyState === "loading") await heard("DOMContentLoaded");
    if (!agent()) await heard("gilbreth-paused");
    /** @type {HTMLElement | undefined} */
    let box;
    const label = () => {
      const button = box?.querySelector("button");
      if (button) button.textContent = agent().isPaused ? "Resume" : "Pause";
    };
    // Some pages change their whole body for another, and frames what they show. Nodes of a document that has gone hear
    // nothing any more: each gets its own.
    const place = () => {
      const body = home(document);
      if (!body || body.querySelector(SHOWN)) return;
      box?.remove();
      box = document.createElement("aside");
      const button = document.createElement("button");
      box.dataset.caseworkIgnore = MARK;
      button.type = "button";
      style(box, BOX);
      style(button, BUTTON);
      button.addEventListener("click", () => (agent().isPaused ? agent().resume() : agent().pause()));
      box.append(text, button);
      label();
      body.append(box);
    };
    addEventListener("gilbreth-paused", label);
    new MutationObserver(place).observe(document.documentElement, { childList: true });
    document.addEventListener("load", place, true);
    place();
  };

  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  if (!script) Object.assign(agent() ?? {}, { showNotice: show });
  else if (script.dataset.text && parent === window) show(script.dataset.text);
})();
