// @ts-check
/**
 * Says in a corner of a page that it is measured, beside a button that pauses and resumes.
 *
 *   <script src="https://collector.example/notice.js" data-text="How long this page takes you is measured."></script>
 *
 * Before or behind the line of the agent. In a frame the line shows nothing: the page at the top has its own. Without a
 * script element (in an extension, behind `agent.js`) it waits for `gilbreth.showNotice(text)`.
 */
(() => {
  "use strict";
  /** The agent, once there is one. @type {() => any} */
  const agent = () => /** @type {any} */ (globalThis).gilbreth;
  const MARK = "notice"; // tells the extension, too, which button is this one

  // Set by script, which no Content-Security-Policy forbids, and above whatever the page says of such elements.
  const BOX =
    "all:initial;position:fixed;right:0;bottom:0;z-index:2147483647;display:block;box-sizing:border-box;max-width:100%;padding:8px;" +
    "font:14px/20px sans-serif;color:#000;background:#fff;border:1px solid #000;color-scheme:light;";
  const BUTTON =
    "all:revert;display:inline-block;margin:0 0 0 8px;padding:1px 8px;font:14px/20px sans-serif;color:#000;background:#eee;" +
    "border:1px solid #000;border-radius:3px;cursor:pointer;";
  const style = (/** @type {HTMLElement} */ of, /** @type {string} */ text) => (of.style.cssText = text.replaceAll(";", " !important;"));
  const heard = (/** @type {string} */ what) => new Promise((then) => addEventListener(what, then, { once: true }));

  /** Shows it, once the page is there and has an agent. A page has one, and none if it only holds frames. */
  const show = async (/** @type {string} */ text) => {
    if (document.readyState === "loading") await heard("DOMContentLoaded");
    if (!agent()) await heard("gilbreth-paused");
    if (document.querySelector(`aside[data-casework-ignore=${MARK}]`)) return;

    const box = document.createElement("aside");
    const button = document.createElement("button");
    box.dataset.caseworkIgnore = MARK;
    button.type = "button";
    style(box, BOX);
    style(button, BUTTON);
    const label = () => (button.textContent = agent().isPaused ? "Resume" : "Pause");
    button.addEventListener("click", () => (agent().isPaused ? agent().resume() : agent().pause()));
    addEventListener("gilbreth-paused", label);
    label();
    box.append(text, button);

    // Some pages change their whole body for another.
    const place = () => {
      if (!box.isConnected && document.body?.localName === "body") document.body.append(box);
    };
    new MutationObserver(place).observe(document.documentElement, { childList: true });
    place();
  };

  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  if (!script) Object.assign(agent() ?? {}, { showNotice: show });
  else if (script.dataset.text && parent === window) show(script.dataset.text);
})();
