// @ts-check
/**
 * The browser agent: one OpenTelemetry span for each interaction with a page of a case system.
 *
 *   <script src="https://collector.example/agent.js" data-system="ndelius" data-token="…" data-key="…"></script>
 *
 * The settings are those of `Settings` below, as `data-` attributes. Without a script element of its own (imported, or
 * in an extension) it waits for `gilbreth.start({ system, endpoint, … })`.
 *
 * In the order of the file: digests, clock, storage, names, spans, sending, screens, fields, errands, actions, waits,
 * and what the browser is asked to tell. Values leave it only as digests (`digestsOf`), and nothing else that stands in
 * the page does but for names of fields and buttons (`nameOf`, `buttonName`) and numbers of cases. It never asks again
 * and again: it is told, and where it must look (`look`) it does so when the browser is idle.
 *
 * @typedef {object} Settings
 * @property {string} system     the case system, as it is called everywhere: `service.name`
 * @property {string} [release]  its version
 * @property {string} [endpoint] where the collector is, without a slash behind it; by default where the script came from
 * @property {string} [token]    the page token
 * @property {string} [key]      the page key, by which values are digested; by default the one that comes with the rules
 * @property {string} [worker]   who works here: an opaque name if there is one
 * @property {string} [rules]    address of the rules; `none` if there are none
 * @property {string} [notice]   what a notice says; none is shown without it
 * @property {string} [titles]   `yes`: the page's title names its screen where neither an attribute nor a rule does
 * @property {(body: string) => Promise<boolean>} [send] in place of sending: whether it needs no more sending
 *
 * @typedef {object} Rules
 * @property {string} [key]     the page key: the same in all systems of an estate
 * @property {string} [worker]  selector of the element that names the worker
 * @property {string} [case]    selector of every element that names the case by a number
 * @property {string} [record]  selector of the element that names the record
 * @property {string} [search]  selector of forms and fields that search
 * @property {string} [signOut] selector of what signs out
 * @property {{ url?: string, on?: string, screen: string, task?: string, function?: string }[]} [screens] the first whose
 *   `url` (a URLPattern; its groups `:case`, `:record` and `:taskid` say which) fits, and whose selector `on` finds something
 * @property {{ on: string, name?: string, kind?: string, ignore?: boolean }[]} [fields] the first whose selector fits
 *
 * @typedef {Record<string, any>} Place where the worker is, and of what: attributes of every span
 * @typedef {Record<string, any>} Span a span of OTLP
 */
(() => {
  "use strict";
  if ("gilbreth" in globalThis) return;

  const PAUSE_MS = 30_000; // an entry without input for so long has ended, and what follows continues it
  const BATCH_BYTES = 44_000; // browsers take 64 KiB of all that a page sends as it goes
  const SEND_AFTER_MS = 5_000;
  const KEPT_MAX = 200; // batches kept while the collector cannot be reached
  const STASHES_MAX = 20; // batches of pages that were left
  const VIEWS_MAX = 50; // prefilled fields of a screen
  const CAUSED_MS = 100; // a request so soon after what the worker did is one that they wait for
  const JUMP_MS = 1_000; // the clock was set, or the machine slept
  const CHECK_MS = 200; // nobody goes on typing so soon after the machine slept

  // ── Digests ──────────────────────────────────────────────────────────────────────────────────────────────────────
  // Pages on plain http have no WebCrypto, so SHA-256 (FIPS 180-4) is here; its constants are the first 32 bits of the
  // fractions of the square and cube roots of the first primes.

  const encoder = new TextEncoder();
  const START = /** @type {number[]} */ ([]);
  const ROUND = /** @type {number[]} */ ([]);
  for (let n = 2; ROUND.length < 64; n++) {
    let divisor = 2;
    while (n % divisor) divisor++;
    if (divisor < n) continue;
    const bits = (/** @type {number} */ root) => ((root % 1) * 2 ** 32) | 0;
    if (START.length < 8) START.push(bits(n ** (1 / 2)));
    ROUND.push(bits(n ** (1 / 3)));
  }
  const words = new Int32Array(64);
  const turn = (/** @type {number} */ word, /** @type {number} */ by) => (word >>> by) | (word << (32 - by));

  /** Adds whole blocks of 64 bytes to a state. */
  const addBlocks = (/** @type {Int32Array} */ from, /** @type {Uint8Array} */ bytes) => {
    const state = from.slice();
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 64) {
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i++) {
        const x = words[i - 15];
        const y = words[i - 2];
        words[i] = i < 16 ? view.getInt32(at + i * 4) : (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10)) + words[i - 7] + words[i - 16];
        const one = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i] + words[i];
        const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        (h = g), (g = f), (f = e), (e = (d + one) | 0), (d = c), (c = b), (b = a), (a = (one + two) | 0);
      }
      [a, b, c, d, e, f, g, h].forEach((more, i) => (state[i] += more));
    }
    return state;
  };
  /** Ends a message with these bytes, whose first `before` bytes (whole blocks) are in the state already. */
  const sha256 = (/** @type {Int32Array} */ state, /** @type {Uint8Array} */ bytes, before = 64) => {
    const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6);
    padded.set(bytes);
    padded[bytes.length] = 128;
    new DataView(padded.buffer).setUint32(padded.length - 4, (before + bytes.length) * 8);
    const view = new DataView(new ArrayBuffer(32));
    addBlocks(state, padded).forEach((word, i) => view.setInt32(i * 4, word));
    return new Uint8Array(view.buffer);
  };

  const hex = (/** @type {Uint8Array} */ bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  /** HMAC-SHA-256 (RFC 2104) with a key: text → its first 8 bytes as hex. */
  const digester = (/** @type {string} */ key) => {
    const start = Int32Array.from(START);
    const bytes = encoder.encode(key);
    const short = bytes.length > 64 ? sha256(start, bytes, 0) : bytes;
    const [inner, outer] = [0x36, 0x5c].map((pad) => addBlocks(start, Uint8Array.from({ length: 64 }, (_, i) => short[i] ^ pad)));
    return (/** @type {string} */ text) => hex(sha256(outer, sha256(inner, encoder.encode(text))).slice(0, 8));
  };

  // Normalisation: the conventions' rules, held to `vectors/normalise.json` as the collector's own are.

  const MONTHS = Array.from({ length: 12 }, (_, month) => new Date(0, month).toLocaleString("en-GB", { month: "long" }).toLowerCase());
  const tokens = (/** @type {string} */ text) => text.split(/[^\p{Alphabetic}\p{N}]+/u).filter(Boolean);
  const plainOf = (/** @type {string} */ value) =>
    value.normalize("NFKC").toLowerCase().normalize("NFKC").split(/\p{White_Space}+/u).filter(Boolean).join(" ");

  const dateOf = (/** @type {string} */ plain) => {
    let [, day, , month, year] = /^(\d\d?)([/.-])(\d\d?)\2(\d{4}|\d\d)$/.exec(plain) ?? [];
    if (!day) [, year, month, day] = /^(\d{4})-(\d\d?)-(\d\d?)$/.exec(plain) ?? [];
    if (!day) {
      [, day, month, year] = /^(\d\d?) (\p{L}+) (\d{4}|\d\d)$/u.exec(plain) ?? [];
      month = String(1 + MONTHS.findIndex((name) => month === name || month === name.slice(0, 3)));
    }
    if (!day) return;
    if (year.length < 4) year = (+year < 30 ? "20" : "19") + year;
    const date = new Date(0);
    date.setUTCFullYear(+year, +month - 1, +day);
    if (+year && date.getUTCMonth() + 1 === +month && date.getUTCDate() === +day) return date.toISOString().slice(0, 10);
  };

  const numberOf = (/** @type {string} */ plain) => {
    const bare = plain.replace(/ |\p{Sc}/gu, "").replace("\u2212", "-");
    const [, whole, fraction = ""] = /^(-?\d+(?:,\d{3})*)(?:\.(\d*?)0*)?$/.exec(bare) ?? [];
    return whole && whole.replaceAll(",", "") + (fraction && "." + fraction);
  };

  const joined = (/** @type {string} */ plain) => tokens(plain).join("");
  /** @type {Record<string, (plain: string) => string | undefined>} */
  const KINDS = {
    date: dateOf,
    number: numberOf,
    phone: (plain) => plain.replace(/\D/g, "").replace(/^(00)?44/, "0"),
    email: (plain) => plain,
    identifier: joined,
    postcode: joined,
  };
  /** A value as typed → the form that is digested; empty if nothing is left of it. */
  const normalise = (/** @type {string} */ value, /** @type {string} */ kind) => {
    const plain = plainOf(value);
    return KINDS[kind]?.(plain) || tokens(plain).join(" ");
  };

  /** The tokens of a value that are digested alone. */
  const parts = (/** @type {string} */ value, /** @type {string} */ kind) => {
    const of = kind === "date" ? [] : tokens(plainOf(value)).filter((token) => [...token].length > 1).slice(0, 16);
    return of.length > 1 ? of : [];
  };

  let digest = digester("gilbreth");
  /** What is told of a value: nothing if it is empty or long free text. */
  const digestsOf = (/** @type {string} */ value, /** @type {string} */ kind) => {
    const whole = (kind !== "text" || [...plainOf(value)].length <= 60) && normalise(value, kind);
    return whole ? { digest: digest(whole), parts: parts(value, kind).map(digest) } : {};
  };

  // ── Clock and ids ────────────────────────────────────────────────────────────────────────────────────────────────
  // Instants are milliseconds of the monotonic clock; `epoch` makes them Unix time.

  let epoch = Date.now() - performance.now();
  let checked = -Infinity;
  const now = () => {
    const at = performance.now();
    if (at - checked > CHECK_MS && Math.abs(Date.now() - (checked = at) - epoch) > JUMP_MS) jumped(at);
    return at;
  };
  /** The clock was set or the machine slept: what is open ends by the old clock. */
  const jumped = (/** @type {number} */ at) => {
    if (field?.changed) pauseField(field);
    if (field) field.from = field.last = at;
    if (wait) endWait(wait.last);
    epoch = Date.now() - at;
  };
  const unixNanos = (/** @type {number} */ at) => Math.round((epoch + at) * 1_000) * 1_000;
  const randomId = (/** @type {number} */ bytes) => hex(crypto.getRandomValues(new Uint8Array(bytes)));

  // ── Storage ──────────────────────────────────────────────────────────────────────────────────────────────────────
  // A page may have none; then each page is a session of its own, and what cannot be sent is gone with it.

  const STORED = "gilbreth";
  const attempt = (/** @type {() => any} */ what) => {
    try {
      return what();
    } catch {}
  };
  /** Of this tab: outlives the page. */
  const tab = /** @type {{ session: string, trace: string, task?: string, screen?: string, unsaved?: number }} */ (
    attempt(() => JSON.parse(sessionStorage[STORED])) ?? { session: randomId(16), trace: randomId(16) }
  );
  const storeTab = () => attempt(() => (sessionStorage[STORED] = JSON.stringify(tab)));

  // ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────
  // Attributes first, then rules, then what a screen reader would say. Whatever could be somebody's data is not asked:
  // neither the text of links in lists and tables, nor headings, nor paths but for their fixed parts.

  /** @type {Rules} */
  let rules = {};
  const PRESSED = "[type=submit],[type=button],[type=reset],[type=image]";
  const FIELDS = `input:not([type=hidden],[type=file],${PRESSED}),select,textarea`;
  const BUTTONS = "button,a[href],summary,[role=button],[role=link],[role=tab],[role=menuitem]," + PRESSED;
  const DATA = "tr,li,dd,h1,h2,h3,h4,article,[role=heading],[role=row],[role=option],[role=listitem]";

  const short = (/** @type {string | null | undefined} */ text) =>
    (text ?? "").replace(/\s+/g, " ").replace(/\d{3,}/g, "#").replace(/[\s:*]+$/, "").trim().slice(0, 80);

  /** The text of an element, without that of fields in it. */
  const textOf = (/** @type {Node | null | undefined} */ node) => {
    if (!node) return "";
    let text = node.nodeType === 3 ? /** @type {string} */ (node.nodeValue) : "";
    for (const child of node.childNodes) if (!isIn(child, "select,textarea,script,style,option,[contenteditable]")) text += textOf(child);
    return text;
  };
  const isIn = (/** @type {any} */ node, /** @type {string} */ selector) => node.matches?.(selector);

  /** The nearest element that fits, over the borders of shadow roots. */
  const nearest = (/** @type {Element | null} */ from, /** @type {string | undefined} */ selector) => {
    for (let at = from; at && selector; at = /** @type {ShadowRoot} */ (at.getRootNode()).host ?? null) {
      const found = attempt(() => at?.closest(selector));
      if (found) return /** @type {HTMLElement} */ (found);
    }
  };
  const said = (/** @type {Element} */ from, /** @type {string} */ what) => nearest(from, `[data-casework-${what}]`)?.getAttribute("data-casework-" + what);

  /** What other elements say of one: `aria-labelledby`, `aria-label`, labels. */
  const labelled = (/** @type {any} */ of) => {
    const ids = of.getAttribute("aria-labelledby")?.split(/\s+/) ?? [];
    const root = of.getRootNode();
    return short(
      ids.map((/** @type {string} */ id) => root.getElementById?.(id)).map((/** @type {any} */ by) => (by === of ? "" : textOf(by))).join(" ").trim() ||
        of.getAttribute("aria-label") ||
        textOf(of.labels?.[0]),
    );
  };

  /** What heads a cell of a table: the head of its column, or for a field the cell before it. */
  const headed = (/** @type {Element} */ of) => {
    const cell = /** @type {HTMLTableCellElement | null} */ (of.closest("td,th"));
    const head = cell?.closest("table")?.querySelector("tr")?.cells[cell.cellIndex];
    if (head && head !== cell && isIn(head, "th,thead *")) return short(textOf(head));
    const before = cell?.previousElementSibling;
    return before && isIn(of, FIELDS) && !before.querySelector(FIELDS) ? short(textOf(before)) : "";
  };

  /** A name that is no generated one: `ctl00$txt7` says nothing to anybody. */
  const written = (/** @type {string | null} */ id) => (id && !/\d|[:$]/.test(id) ? id : "");

  /** @typedef {{ name: string, kind: string, form: string, isIgnored: boolean }} Naming */
  /** @type {WeakMap<Element, Naming>} */
  let namings = new WeakMap();
  const namingOf = (/** @type {HTMLElement} */ of) => {
    let naming = namings.get(of);
    if (!naming) namings.set(of, (naming = nameField(of)));
    return naming;
  };

  /** @returns {Naming} */
  const nameField = (/** @type {any} */ of) => {
    const rule = rules.fields?.find((rule) => nearest(of, rule.on));
    const group = of.type === "radio" && of.closest("[role=radiogroup],fieldset");
    const name =
      short(said(of, "field") ?? rule?.name) ||
      (group && (labelled(group) || short(textOf(group.querySelector("legend"))))) ||
      (of.type !== "radio" && !(of.type === "checkbox" && of.closest(DATA)) && labelled(of)) ||
      headed(of) ||
      short(of.title || of.placeholder || written(of.name) || written(of.id)) ||
      of.localName;
    return {
      name,
      kind: said(of, "kind") ?? rule?.kind ?? kindOf(of, name.toLowerCase()),
      form: errandOf(of),
      isIgnored: /passw|\bpin\b/i.test(`${of.type} ${of.autocomplete} ${name}`) || !!rule?.ignore || said(of, "ignore") !== undefined,
    };
  };

  /** The kind of value that a field takes, by its type, and where that says nothing by its name. */
  const kindOf = (/** @type {any} */ of, /** @type {string} */ name) => {
    if (/^(select|radio|checkbox)/.test(of.type)) return "choice";
    if (of.isContentEditable || of.localName === "textarea") return "text";
    const hints = /** @type {[string, RegExp][]} */ ([
      ["number", /^number/],
      ["date", /\bdate|\bd\.?o\.?b\b|bday/],
      ["postcode", /post ?code|postal-code/],
      ["phone", /\btel\b|phone|mobile/],
      ["email", /e-?mail/],
      ["identifier", /\b(number|no|ref|reference|id|crn|pnc|cro)\b\.?$/],
      ["name", /name\b/],
    ]);
    return hints.find(([, hint]) => hint.test(`${of.type} ${of.autocomplete} ${name}`))?.[0] ?? "text";
  };

  /**
   * What a button says. In tables, lists and headings, and in links to something with a number, that may be a person's
   * name: there it is what heads its column, where a link leads, or nothing, but for buttons in tables without heads,
   * which only lay out a page.
   */
  const buttonName = (/** @type {any} */ of) => {
    const isData = /\d/.test(of.pathname) || (of.closest(DATA) && !of.closest("nav,[role=navigation],[role=menu],[role=tablist]"));
    const isLaidOut = of.localName !== "a" && of.closest("table") && !of.closest("table").querySelector("th");
    return (
      short(said(of, "action")) ||
      (!isData || isLaidOut ? labelled(of) || (isIn(of, "[aria-haspopup=listbox],[role=combobox]") ? "" : short(textOf(of) || of.value || of.title || of.alt)) : headed(of) || (of.origin === location.origin && template(of))) ||
      of.localName
    );
  };
  /** A path without what could name anybody: parts with digits in them, and what follows it. */
  const template = (/** @type {{ pathname: string }} */ of) => short(of.pathname.replace(/[^/]*\d[^/]*/g, "#"));

  /** The value of a field as a person reads it, since systems have codes of their own for the same choice. */
  const valueOf = (/** @type {any} */ of) => {
    if (of.type === "checkbox") return of.checked ? "yes" : "no";
    if (of.type === "radio") {
      const chosen = [...of.getRootNode().querySelectorAll("input[type=radio]:checked")].find((other) => isSameField(other, of));
      return chosen ? labelled(chosen) || chosen.value : "";
    }
    if (of.localName === "select") return [...of.selectedOptions].filter((option) => option.value).map((option) => option.text).join(" ");
    return of.value ?? of.textContent ?? "";
  };

  // ── Spans and sending ────────────────────────────────────────────────────────────────────────────────────────────

  /** @type {Settings} */
  let settings;
  let worker = "";
  let isPaused = false;
  let sending = 0; // timer
  let waitMs = 0; // before the next try
  let coming = 0; // timer: the next try
  /** @type {Span[]} */
  let queue = [];

  const attribute = (/** @type {string} */ key, /** @type {any} */ value) => ({
    key,
    value:
      value.map ? { arrayValue: { values: value.map((/** @type {string} */ stringValue) => ({ stringValue })) } }
      : typeof value === "number" ? { intValue: value }
      : { stringValue: value.toWellFormed() },
  });
  const attributes = (/** @type {Record<string, any>} */ of) =>
    Object.entries(of).filter(([, value]) => value?.length || typeof value === "number").map(([key, value]) => attribute(key, value));

  /** Notes what happened from one instant to another; gives the span, which may still be told its outcome. */
  const note = (/** @type {string} */ kind, /** @type {number} */ from, /** @type {number} */ to, /** @type {Record<string, any>} */ about = {}, on = screen, spanId = randomId(8)) => {
    const span = {
      traceId: tab.trace,
      spanId,
      name: kind,
      startTimeUnixNano: unixNanos(from),
      endTimeUnixNano: unixNanos(Math.max(from, to)),
      attributes: attributes({
        "casework.interaction": kind,
        "session.id": tab.session,
        "enduser.pseudo.id": worker,
        ...on,
        ...about,
      }),
    };
    if (isPaused) return span;
    queue.push(span);
    sending ||= setTimeout(flush, SEND_AFTER_MS);
    return span;
  };
  const setOutcome = (/** @type {Span} */ span, /** @type {string} */ outcome) => span.attributes.push(attribute("casework.outcome", outcome));

  const resource = () => ({ "service.name": settings.system, "service.version": settings.release });
  const bodyOf = (/** @type {string[]} */ spans, /** @type {object} */ of) =>
    `{"resourceSpans":[{"resource":{"attributes":${JSON.stringify(
      attributes({ ...of, "casework.clock.sent": Date.now() * 1e6 }),
    )}},"scopeSpans":[{"spans":[${spans}]}]}]}`;
  const address = () => settings.endpoint + "/v1/traces" + (settings.token ? "?token=" + settings.token : "");

  /** Batches that are neither known to have arrived nor kept. */
  const flying = /** @type {Set<string[]>} */ (new Set());
  /** What waits, as batches that fit into one request. */
  const batches = () => {
    const all = /** @type {string[][]} */ ([]);
    let left = 0;
    for (const span of queue.splice(0)) {
      const text = JSON.stringify(span);
      const bytes = encoder.encode(text).length + 1;
      if ((left -= bytes) < 0) {
        all.push([]);
        left = BATCH_BYTES - bytes;
      }
      all.at(-1)?.push(text);
    }
    return all;
  };

  /** Sends a batch; says whether it needs no more sending. `text/plain` spares the browser from asking first. */
  const send = async (/** @type {string[]} */ spans, /** @type {object | undefined} */ of = undefined) => {
    const body = bodyOf(spans, of ?? resource());
    try {
      if (settings.send) return await settings.send(body);
      const answer = await askCollector(address(), { method: "POST", keepalive: !of, credentials: "omit", headers: { "content-type": "text/plain" }, body });
      // What is refused for what it is will be refused again.
      return answer.ok || answer.status === 400 || answer.status === 413;
    } catch {
      return false;
    }
  };

  const flush = async () => {
    sending = 0;
    const all = batches();
    all.forEach((spans) => flying.add(spans));
    for (const spans of all) {
      if (coming || !(await send(spans))) await keep(spans);
      flying.delete(spans);
    }
  };

  /** Keeps a batch for later, and comes again: after 2 s, 4 s … 2 minutes. Says whether there is anything to keep it in. */
  const keep = async (/** @type {string[]} */ spans, from = resource()) => {
    const kept = await store();
    kept?.add({ spans, from });
    const count = await result(kept?.count());
    if (count > KEPT_MAX) kept?.openCursor().addEventListener("success", (/** @type {any} */ event) => event.target.result?.delete());
    again();
    return kept;
  };
  const again = () => {
    if (coming) return;
    waitMs = Math.min(120_000, waitMs * 2 || 2_000);
    coming = setTimeout(drain, waitMs * (1 - Math.random() / 4));
  };
  const drain = async () => {
    clearTimeout(coming);
    coming = 0;
    for (;;) {
      const first = await result((await store())?.openCursor());
      if (!first) break;
      const { spans, from } = first.value;
      if (!(await send(spans, from))) return again();
      (await store())?.delete(first.key);
    }
    waitMs = 0;
  };

  const result = (/** @type {IDBRequest | undefined} */ request) =>
    new Promise((resolve) => {
      if (request) request.onsuccess = request.onerror = () => resolve(attempt(() => request.result));
      else resolve(undefined);
    });
  /** @type {IDBDatabase | undefined} */
  let database;
  const store = async () => {
    if (!database) {
      const opening = attempt(() => indexedDB.open(STORED, 1));
      if (opening) opening.onupgradeneeded = () => opening.result.createObjectStore("batches", { autoIncrement: true });
      database = await result(opening);
    }
    return attempt(() => database?.transaction("batches", "readwrite").objectStore("batches"));
  };

  // A page that is left cannot wait for an answer. What it still has goes by beacon, and is put by where the next page of
  // the same origin finds it and sends it again: the collector drops what it has already.
  const STASH = STORED + ".";
  const stashed = () => Object.keys(localStorage).filter((key) => key.startsWith(STASH)).sort().reverse();
  const stash = (/** @type {string[]} */ spans) =>
    attempt(() => {
      for (const key of stashed().slice(STASHES_MAX - 1)) localStorage.removeItem(key);
      localStorage[STASH + Date.now() + randomId(2)] = JSON.stringify({ spans, from: resource() });
    });
  const sendStashed = () =>
    attempt(() => {
      for (const key of stashed()) {
        const { spans, from } = JSON.parse(localStorage[key]);
        send(spans, from).then(async (isIn) => (isIn || (await keep(spans, from))) && localStorage.removeItem(key));
      }
    });
  /** Sends what the page has as it goes. */
  const leave = () => {
    clearTimeout(sending);
    sending = 0;
    flying.forEach(stash);
    for (const spans of batches()) {
      stash(spans);
      const body = bodyOf(spans, resource());
      settings.send ? settings.send(body) : navigator.sendBeacon(address(), body);
    }
  };

  // ── Screens ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @type {Place} */
  let screen = {};
  const NAME = "app.screen.name";
  /** The documents that are watched: the page and the frames of its origin. */
  const documents = /** @type {Set<Document>} */ (new Set());
  /** Open shadow roots in which something happened, or that were seen. */
  const roots = /** @type {Set<Document | ShadowRoot>} */ (new Set());
  const findAll = (/** @type {string | undefined} */ selector) =>
    selector ? [...roots].filter((root) => root.isConnected || !roots.delete(root)).flatMap((root) => /** @type {HTMLElement[]} */ (attempt(() => [...root.querySelectorAll(selector)]) ?? [])) : [];
  const shown = (/** @type {any} */ of) => (of.value ?? of.textContent ?? "").trim().slice(0, 80);

  const { URLPattern, navigation } = /** @type {any} */ (globalThis);
  /** Which screen this is, and of what: attributes, rules, the path. */
  const readScreen = () => {
    /** @type {Record<string, any>} */
    let taken = {};
    const rule = /** @type {any} */ (rules.screens?.find(({ url, on }) => {
      const fits = url ? attempt(() => new URLPattern(url, location.origin).exec(location.href)) : {};
      return fits && (!on || findAll(on)[0]) && (taken = { ...fits.pathname?.groups, ...fits.hash?.groups });
    }));
    const one = (/** @type {string} */ what) =>
      findAll(`[data-casework-${what}]`)[0]?.getAttribute("data-casework-" + what) || (rule?.[what] ?? taken[what] ?? findAll(/** @type {any} */ (rules)[what]).map(shown)[0]);
    const cases = findAll("[data-casework-case]").flatMap((of) => (of.getAttribute("data-casework-case") || shown(of)).split(/\s+/));
    const task = one("taskid");
    worker = settings.worker ?? one("worker") ?? worker;
    if (task !== tab.task) {
      tab.task = task;
      tab.trace = randomId(16);
    }
    return {
      [NAME]: short(one("screen") || (settings.titles === "yes" && document.title)) || template(location),
      "casework.case.id": [...new Set([...cases, taken.case, ...findAll(rules.case).map(shown)])].filter(Boolean).slice(0, 8),
      "casework.record.id": one("record"),
      "casework.task.name": one("task"),
      "casework.task.id": task,
      "casework.function": one("function"),
    };
  };

  let isArriving = false;
  let path = location.href;
  /** The page shows another screen, once it is drawn and what it waits for is there. */
  const routed = () => {
    if (path === (path = location.href)) return;
    closeField(now());
    isArriving = true;
    afterFrame(() => isArriving && !wait && arrive(now()));
  };
  /** The screen can be used: where the worker now is, and what it shows. */
  const arrive = (/** @type {number} */ at) => {
    isArriving = false;
    screen = readScreen();
    if (field && !field.on[NAME]) field.on = screen;
    if (screen[NAME] !== tab.screen) note("navigation", at, at);
    note("view", at, at);
    tab.screen = screen[NAME];
    storeTab();
    look();
  };

  // What the screen shows is read when the browser is idle, a little at a time.
  /** @type {Generator<undefined, void> | undefined} */
  let looking;
  const whenIdle = globalThis.requestIdleCallback ?? setTimeout;
  const look = () => {
    const isUnderWay = looking;
    looking = seen(now(), screen);
    if (!isUnderWay) whenIdle(lookOn);
  };
  const lookOn = (/** @type {IdleDeadline | undefined} */ deadline = undefined) => {
    while (looking && (!deadline || deadline.timeRemaining() > 1)) if (looking.next().done) looking = undefined;
    if (looking) whenIdle(lookOn);
  };
  /** What was told of before, so that nothing is told twice. */
  const told = /** @type {WeakMap<Element, string>} */ (new WeakMap());

  /** The elements of all watched documents, those in open shadow roots included. */
  /** @returns {Generator<HTMLElement, void>} */
  function* elements(/** @type {Node} */ under) {
    const walker = document.createTreeWalker(under, NodeFilter.SHOW_ELEMENT);
    for (let at; (at = /** @type {HTMLElement} */ (walker.nextNode())); ) {
      yield at;
      if (at.shadowRoot) {
        watchRoot(at.shadowRoot);
        yield* elements(at.shadowRoot);
      }
    }
  }
  /** Notes prefilled fields and elements that are said to hold a value, as seen at an instant. */
  function* seen(/** @type {number} */ at, /** @type {Place} */ on) {
    let fields = 0;
    for (const root of documents) {
      for (const of of elements(root)) {
        yield undefined;
        const isField = fields < VIEWS_MAX && of !== field?.of && isIn(of, FIELDS) && !/checkbox|search/.test(/** @type {any} */ (of).type);
        if (!isField && !isIn(of, "[data-casework-value]")) continue;
        if (/** @type {any} */ (of).type === "radio" && !(/** @type {any} */ (of).checked)) continue;
        const value = isField ? valueOf(of) : of.getAttribute("data-casework-value") || textOf(of);
        const naming = namingOf(of);
        if (!value.trim() || told.get(of) === value || naming.form || naming.isIgnored) continue;
        told.set(of, value);
        fields += +isField;
        note("view", at, at, holds(of, value), on);
      }
    }
    const read = readScreen();
    if (read[NAME] === screen[NAME]) screen = read; // shadow roots may have told more
  }
  const holds = (/** @type {HTMLElement} */ of, /** @type {string} */ value) => {
    const { name, kind, isIgnored } = namingOf(of);
    const { digest, parts } = isIgnored || /** @type {any} */ (of).type === "password" ? {} : digestsOf(value, kind);
    return { "app.widget.name": name, "casework.value.kind": digest && kind, "casework.value.digest": digest, "casework.value.parts": parts };
  };

  // ── Fields ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * @typedef {object} Field the one with the focus
   * @property {HTMLElement} of
   * @property {Place} on
   * @property {string} before    its value when it was focused: kept here alone
   * @property {number} from
   * @property {number} last      the last input
   * @property {boolean} changed
   * @property {number} keys
   * @property {number} corrections
   * @property {string} [origin]
   * @property {string} [continues]
   */
  /** @type {Field | undefined} */
  let field;
  let unsaved = tab.unsaved ?? 0; // fields changed since something was saved

  const isField = (/** @type {any} */ of) => of.isContentEditable || isIn(of, FIELDS);
  const isSameField = (/** @type {any} */ one, /** @type {any} */ other) => one === other || (one.type === "radio" && one.name === other.name && one.form === other.form);

  const openField = (/** @type {HTMLElement} */ of, /** @type {number} */ at) => {
    if (field && isSameField(field.of, of)) return;
    closeField(at);
    field = { of, on: screen, before: valueOf(of), from: at, last: at, changed: false, keys: 0, corrections: 0 };
    if (namingOf(of).form) openErrand(of, at);
    else closeErrand(at, "abandoned");
  };

  const entry = (/** @type {Field} */ of, /** @type {number} */ to, value = {}) => {
    const { name, kind } = namingOf(of.of);
    const isChoice = kind === "choice";
    return note(isChoice ? "choice" : "entry", of.from, to, {
      "app.widget.name": name,
      "casework.input.origin": of.origin, // typed or selected, where none is told
      "casework.input.keystrokes": of.keys,
      "casework.input.corrections": of.corrections,
      "casework.continues": of.continues,
      ...value,
    }, of.on);
  };

  /** What follows input after a pause continues what came before it. */
  const pauseField = (/** @type {Field} */ of) => {
    if (!namingOf(of.of).form) of.continues = entry(of, of.last).spanId;
    of.keys = of.corrections = 0;
  };
  const input = (/** @type {Field} */ of, /** @type {number} */ at) => {
    if (at - of.last > PAUSE_MS) {
      if (of.changed) pauseField(of);
      of.from = at;
    }
    of.last = at;
  };

  const closeField = (/** @type {number} */ at) => {
    const closed = field;
    field = undefined;
    if (!closed) return;
    const { name, form, isIgnored } = namingOf(closed.of);
    const value = valueOf(closed.of);
    told.set(closed.of, value);
    if (form) return;
    if (value !== closed.before || closed.continues) {
      entry(closed, at - closed.last > PAUSE_MS ? closed.last : at, holds(closed.of, value));
      unsaved++;
    } else if (value && !isIgnored && name) note("view", closed.from, closed.from, holds(closed.of, value), closed.on);
  };

  // ── Errands: sign-in and search, one span each from the first focus until it is sent ─────────────────────────────

  /** @typedef {{ kind: string, name: string, from: number, of: HTMLElement, keys: number, corrections: number }} Errand */
  /** @type {Errand | undefined} */
  let errand;
  const home = (/** @type {any} */ of) => of.form ?? of.closest("form,[role=search]") ?? of.getRootNode();
  const isSignIn = (/** @type {any} */ of) => {
    const form = home(of);
    return form.querySelector("input[type=password]:not([autocomplete=new-password])") && form.querySelectorAll(FIELDS).length < 5;
  };
  const isSearch = (/** @type {any} */ of) => of.type === "search" || nearest(of, "[role=search],[data-casework-search]") || nearest(of, rules.search);
  const errandOf = (/** @type {HTMLElement} */ of) => (isSignIn(of) ? "sign_in" : isSearch(of) ? "search" : "");
  const openErrand = (/** @type {HTMLElement} */ of, /** @type {number} */ at) => {
    if (errand && home(errand.of) === home(of)) return;
    errand = { kind: errandOf(of), name: namingOf(of).name, from: at, of, keys: 0, corrections: 0 };
  };
  const closeErrand = (/** @type {number} */ at, outcome = "") => {
    const closed = errand;
    errand = undefined;
    if (!closed || (outcome && !closed.keys)) return;
    const counts = closed.kind === "search" && { "app.widget.name": closed.name, "casework.input.keystrokes": closed.keys, "casework.input.corrections": closed.corrections };
    note(closed.kind, closed.from, at, { ...counts, "casework.outcome": outcome });
  };

  // ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  let pressed = 0;
  let caused = -Infinity; // when the worker last did what a page answers by asking a server
  let isSent = false; // what was entered was sent by its form: if the page goes now, nothing is lost
  /** @type {Span | undefined} */
  let lastAction;

  const clicked = (/** @type {HTMLElement} */ target, /** @type {number} */ at) => {
    const of = nearest(target, BUTTONS);
    if (!of || nearest(of, "[data-casework-ignore]") || isField(of)) return;
    caused = at;
    if (errand && home(errand.of) === home(of)) return closeErrand(at);
    const name = buttonName(of);
    const isSignOut = nearest(of, rules.signOut) || /^(sign|log) ?o(ut|ff)\b/i.test(name);
    const from = at - pressed < 5_000 ? pressed : at;
    lastAction = note(isSignOut ? "sign_out" : "action", from, at, { "app.widget.name": name });
    setTimeout(judge, 0, lastAction);
  };
  const submitted = (/** @type {HTMLFormElement} */ form, /** @type {number} */ at) => {
    caused = at;
    if (errand && home(errand.of) === form) closeErrand(at);
  };
  const isInvalid = () => !!findAll("[aria-invalid=true]")[0];
  let wasInvalid = false;
  /** An action after which a field that was well is invalid was rejected. */
  const judge = (/** @type {Span} */ action) => {
    if (!wasInvalid && (wasInvalid = isInvalid())) reject(action);
  };
  const reject = (/** @type {Span | undefined} */ action) => {
    if (action) setOutcome(action, "rejected");
    lastAction = undefined;
  };

  // ── Waits ────────────────────────────────────────────────────────────────────────────────────────────────────────
  // From a request until the page can be used: its answer is read, and the frame after it is drawn. Only requests that
  // follow what the worker did, or another that they wait for, block them.

  /** @typedef {{ id: string, trace: string, on: Place, from: number, last: number, pending: number, outcome: string, saves: boolean, freed?: number }} Wait */
  /** @type {Wait | undefined} */
  let wait;
  let answered = -Infinity; // when the last request was answered that was waited for
  let isLoading = true;

  const openWait = (/** @type {number} */ at, saves = false) => {
    if (wait?.freed) endWait(at);
    const of = (wait ??= { id: randomId(8), trace: tab.trace, on: screen, from: at, last: at, pending: 0, outcome: "", saves });
    of.saves ||= saves;
    of.pending++;
    return of;
  };
  const settle = (/** @type {Wait} */ of, outcome = "") => {
    of.outcome ||= outcome;
    of.pending--;
    of.last = now();
    if (!of.freed) answered = of.last;
    afterFrame(() => of === wait && !of.pending && endWait(now()));
  };
  // A page out of sight draws nothing: it is waited for until it is seen again, or the worker does something else.
  const afterFrame = (/** @type {() => void} */ then) => {
    requestAnimationFrame(() => setTimeout(then));
  };
  const endWait = (/** @type {number} */ at) => {
    const ended = wait;
    wait = undefined;
    if (!ended) return;
    const read = readScreen();
    isArriving ||= JSON.stringify(read) !== JSON.stringify(screen);
    if (isArriving) ended.on = screen = read;
    const isBad = isInvalid();
    const outcome = ended.outcome || (isBad && !wasInvalid ? "rejected" : "");
    wasInvalid = isBad;
    note("wait", ended.from, ended.freed ?? at, { "casework.outcome": outcome }, ended.on, ended.id).traceId = ended.trace;
    if (ended.saves && !outcome) unsaved = 0;
    if (isArriving) arrive(at);
    else look();
  };
  /** Who goes on working is not kept waiting. */
  const goOn = (/** @type {number} */ at) => {
    if (!wait || wait.freed || at - wait.from < CAUSED_MS) return;
    wait.freed = at;
    if (isArriving) endWait(at);
  };

  /** A request of the page begins; the wait, if the worker waits for it. */
  const requested = (/** @type {string} */ method) => {
    const at = now();
    const saves = !/^(get|head)$/i.test(method);
    if (isPaused) return;
    const isAwaited = isLoading || at - caused < CAUSED_MS || at - answered < CAUSED_MS;
    if (isAwaited) return openWait(at, saves);
    if (saves) unsaved = 0; // a page that saves by itself
  };
  const judged = (/** @type {number} */ status, /** @type {Wait} */ of) =>
    status >= 500 || !status ? "failed"
    : status === 401 && of.saves && unsaved ? "lost"
    : status === 400 || status === 422 ? "rejected"
    : "";
  const traceparent = (/** @type {Wait} */ of) => `00-${of.trace}-${of.id}-01`;
  const isOwnOrigin = (/** @type {string} */ url) => attempt(() => new URL(url, document.baseURI).origin) === location.origin;

  /** Watches the requests of a window. */
  const watchRequests = (/** @type {any} */ view) => {
    const { fetch } = view;
    view.fetch = async function (/** @type {any} */ what, /** @type {any} */ how) {
      const blocking = requested(how?.method ?? what?.method ?? "get");
      if (!blocking) return fetch(what, how);
      let outcome = "failed";
      try {
        const request = new view.Request(what, how);
        if (isOwnOrigin(request.url) && !request.headers.has("traceparent")) request.headers.set("traceparent", traceparent(blocking));
        const answer = await fetch(request);
        outcome = judged(answer.status || 200, blocking);
        for (const read of ["json", "text"]) {
          const own = answer[read];
          attempt(() => {
            answer[read] = async () => {
              const reading = requested("get");
              try {
                return await own.call(answer);
              } finally {
                if (reading) settle(reading);
              }
            };
          });
        }
        return answer;
      } catch (error) {
        if (/** @type {any} */ (error)?.name === "AbortError") outcome = "";
        throw error;
      } finally {
        settle(blocking, outcome);
      }
    };
    const { open, send } = view.XMLHttpRequest.prototype;
    view.XMLHttpRequest.prototype.open = function (/** @type {string} */ method, /** @type {string} */ url) {
      this.gilbreth = { method, isOwn: isOwnOrigin(url) };
      return open.apply(this, arguments);
    };
    view.XMLHttpRequest.prototype.send = function () {
      const blocking = requested(this.gilbreth?.method ?? "get");
      if (blocking) {
        if (this.gilbreth?.isOwn) this.setRequestHeader("traceparent", traceparent(blocking));
        let isAborted = false;
        this.addEventListener("abort", () => (isAborted = true), { once: true });
        this.addEventListener("loadend", () => settle(blocking, isAborted ? "" : judged(this.status, blocking)), { once: true });
      }
      return send.apply(this, arguments);
    };
  };

  /** The page itself was waited for, from when it was asked for until it could be used. */
  const loaded = (/** @type {Wait} */ of) => {
    const entry = /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType("navigation")[0]);
    const isSignInPage = findAll("input[type=password]")[0];
    wasInvalid = isInvalid();
    const outcome =
      (entry?.responseStatus ?? 200) >= 500 ? "failed"
      : unsaved && isSignInPage ? "lost"
      : unsaved && wasInvalid ? "rejected"
      : "";
    if (!outcome) unsaved = 0;
    isArriving = true;
    isLoading = false;
    // Who came late to a page that could be used does not make it later.
    const usable = entry?.domContentLoadedEventEnd && Math.max(of.last, entry.domContentLoadedEventEnd);
    settle(of, outcome);
    if (of !== wait) arrive(now());
    else if (usable && !of.pending) endWait(usable);
  };

  // ── What the browser tells ───────────────────────────────────────────────────────────────────────────────────────

  const inner = (/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.composedPath()[0]);
  const listeners = /** @type {Record<string, (event: any, at: number) => void>} */ ({
    focusin(event, at) {
      const of = inner(event);
      watchRoot(/** @type {ShadowRoot} */ (of.getRootNode()));
      if (!isField(of)) return;
      goOn(at);
      openField(of, at);
    },
    focusout(event, at) {
      // The window lost the focus, not the field.
      if (field && event.target.ownerDocument.hasFocus() && !(event.relatedTarget && isSameField(field.of, event.relatedTarget))) closeField(at);
    },
    keydown(event, at) {
      pressed = at;
      if (!field && isField(inner(event))) openField(inner(event), at);
      if (!field || event.repeat) return;
      const isDeletion = event.key === "Backspace" || event.key === "Delete";
      const isKey = isDeletion || ((event.key.length === 1 || /Process|Unidentified/.test(event.key)) && !event.ctrlKey && !event.metaKey);
      if (event.key === "Enter" && field.of.localName !== "textarea") {
        caused = at;
        if (errand && !(/** @type {any} */ (field.of).form)) closeErrand(at);
      }
      if (!isKey || /** @type {any} */ (field.of).type === "password") return;
      input(field, at);
      goOn(at);
      const of = namingOf(field.of).form && errand ? errand : field;
      of.keys++;
      of.corrections += +isDeletion;
    },
    input(event, at) {
      if (!field) {
        const of = /** @type {any} */ (inner(event));
        if (isField(of) && of.matches(":autofill")) note("entry", at, at, { ...holds(of, valueOf(of)), "casework.input.origin": "autofilled" });
        return;
      }
      input(field, at);
      isSent = false;
      field.changed = true;
      if (namingOf(field.of).kind === "choice") caused = at;
      if (/^insertFrom(Paste|Drop)/.test(event.inputType)) field.origin = "pasted";
      else if (event.inputType === "insertReplacementText") field.origin = "selected";
      else if (!field.keys && field.of.matches(":autofill")) field.origin = "autofilled";
    },
    pointerdown(_, at) {
      pressed = at;
    },
    click(event, at) {
      clicked(inner(event), at);
    },
    submit(event, at) {
      submitted(event.target, at);
      setTimeout(() => event.defaultPrevented || (isSent = true));
    },
    invalid(_, at) {
      if (at - caused < CAUSED_MS) reject(lastAction);
    },
    load(event) {
      if (/^i?frame$/.test(event.target.localName)) watchFrame(event.target);
    },
  });
  const listen = (/** @type {EventTarget} */ to, names = Object.keys(listeners)) => {
    for (const name of names) to.addEventListener(name, (event) => event.isTrusted && !isPaused && listeners[name](event, now()), { capture: true, passive: true });
  };

  const watchRoot = (/** @type {ShadowRoot} */ root) => {
    if (roots.has(root)) return;
    roots.add(root);
    // These do not leave a shadow root, or not always.
    listen(root, ["focusin", "focusout", "submit", "invalid"]);
  };
  const watchFrame = (/** @type {HTMLIFrameElement} */ frame) => attempt(() => frame.contentWindow && watch(frame.contentWindow));
  /** Watches a window; throws if it is of another origin. */
  const watch = (/** @type {any} */ view) => {
    const of = view.document;
    if (documents.has(of) || (view !== window && view.gilbreth)) return;
    documents.add(of);
    roots.add(of);
    listen(of);
    watchRequests(view);
    const { submit } = view.HTMLFormElement.prototype;
    view.HTMLFormElement.prototype.submit = function () {
      if (!isPaused) submitted(this, now());
      isSent = true;
      return submit.call(this);
    };
    of.querySelectorAll("iframe,frame").forEach(watchFrame);
    if (view !== window)
      view.addEventListener("pagehide", () => {
        documents.delete(of);
        roots.delete(of);
      });
  };

  // ── Start, pause, notice ─────────────────────────────────────────────────────────────────────────────────────────

  let isGone = false;
  const hide = () => {
    const at = now();
    isGone = true;
    closeField(at);
    closeErrand(at, "abandoned");
    lookOn();
    endWait(at);
    if (unsaved && !isSent) note("navigation", at, at, { "casework.outcome": "lost" });
    tab.unsaved = isSent ? unsaved : 0;
    storeTab();
    leave();
    database?.close();
    database = undefined;
  };
  const comeBack = () => {
    unsaved = 0;
    isGone = isSent = false;
    tab.screen = "";
    arrive(now());
  };

  const PAUSED = STORED + "-paused";
  /** Notes nothing any more, in all pages of the origin, until the worker resumes. */
  const pause = () => {
    closeField(now());
    isPaused = true;
    attempt(() => (localStorage[PAUSED] = "yes"));
  };
  const resume = () => {
    isPaused = false;
    attempt(() => localStorage.removeItem(PAUSED));
    arrive(now());
  };

  /** Says in a corner of the page that it is measured, with a button that stops and resumes that. */
  const showNotice = (/** @type {string} */ text) => {
    const box = document.createElement("aside");
    const button = document.createElement("button");
    box.dataset.caseworkIgnore = "";
    box.style.cssText = "position:fixed;right:8px;bottom:8px;z-index:2147483647;padding:6px 10px;font:14px sans-serif;color:#222;background:#fff;border:1px solid";
    button.style.cssText = "margin-left:8px;font:inherit";
    const label = () => (button.textContent = isPaused ? "Resume" : "Pause");
    button.addEventListener("click", () => {
      isPaused ? resume() : pause();
      label();
    });
    label();
    box.append(text, button);
    document.body.append(box);
  };

  /** Those that the browser has hold at once; what the collector has by now holds from the next page on. */
  const readRules = async () => {
    const address = settings.rules ?? `${settings.endpoint}/agent/${settings.system}.json`;
    const ask = (/** @type {RequestCache} */ cache) =>
      askCollector(address, { credentials: "omit", cache, signal: AbortSignal.timeout(2_000) })
        .then((answer) => (answer.ok ? answer.json() : {}))
        .catch(() => ({}));
    rules = await ask("force-cache");
    namings = new WeakMap();
    if (settings.key === undefined && rules.key) digest = digester(rules.key);
    ask("no-cache");
  };

  const start = async (/** @type {Settings} */ given) => {
    if (settings) return;
    settings = { ...given, endpoint: given.endpoint ?? "" };
    digest = digester(settings.key ?? "gilbreth");
    worker = settings.worker ?? "";
    isPaused = !!attempt(() => localStorage[PAUSED]);
    const loading = openWait(0);
    watch(window);
    navigation?.addEventListener("currententrychange", routed);
    addEventListener("pagehide", hide);
    addEventListener("pageshow", (event) => event.persisted && comeBack());
    addEventListener("online", drain);
    document.addEventListener("visibilitychange", () => {
      const at = now();
      if (isGone) return;
      note(document.hidden ? "hidden" : "shown", at, at);
      if (document.hidden) flush();
    });
    if (document.readyState === "loading") await new Promise((then) => document.addEventListener("DOMContentLoaded", then));
    if (settings.rules !== "none") await readRules();
    loaded(loading);
    if (settings.notice) showNotice(settings.notice);
    sendStashed();
    drain();
  };

  /** The browser's own `fetch`: what the agent asks is no request of the page. */
  const askCollector = globalThis.fetch.bind(globalThis);
  Object.assign(globalThis, { gilbreth: { start, pause, resume, digestsOf } });
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  if (script?.dataset.system) start({ endpoint: new URL(script.src).origin, .../** @type {any} */ (script.dataset) });
})();
