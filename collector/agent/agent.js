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
 * the page does but for names of screens, fields and buttons (`nameField`, `buttonName`), numbers of cases, records and tasks,
 * and who works. It never asks again and again: it is told, and where it must look (`look`) it does so when the browser is
 * idle.
 *
 * @typedef {object} Settings
 * @property {string} system     the case system, as it is called everywhere: `service.name`
 * @property {string} [release]  its version
 * @property {string} [endpoint] where the collector is, without a slash behind it: where the script came from if it has an
 *   element, not needed beside `send`
 * @property {string} [token]    the page token
 * @property {string} [key]      the page key, by which values are digested; by default the one that comes with the rules
 * @property {string} [worker]   who works here: an opaque name if there is one
 * @property {string | Rules} [rules] the rules, or their address; `none` if there are none; by default those that the collector has
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
 * @property {{ like: string, kind: string }[]} [kinds] the first whose pattern finds something in type, `autocomplete` and
 *   name of a field, in small letters, says what kind of value it takes
 *
 * @typedef {Record<string, any>} Place where the worker is, and of what: attributes of every span
 * @typedef {Record<string, any>} Span a span of OTLP; its attributes are made of `about` when it is sent
 */
(() => {
  "use strict";
  if ("gilbreth" in globalThis) return;

  const PAUSE_MS = 30_000; // an entry without input for so long has ended, and what follows continues it
  const SPANS_MAX = 9; // of a batch: below 48 kB even if all names and numbers are as long as they may be
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
    if (START.length < 8) START.push(((n ** (1 / 2) % 1) * 2 ** 32) | 0);
    ROUND.push(((n ** (1 / 3) % 1) * 2 ** 32) | 0);
  }
  const words = new Int32Array(64);
  const turn = (/** @type {number} */ word, /** @type {number} */ by) => (word >>> by) | (word << (32 - by));

  const sha256 = (/** @type {number[]} */ bytes) => {
    const state = Int32Array.from(START);
    const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6);
    const view = new DataView(padded.buffer);
    padded.set([...bytes, 128]);
    view.setUint32(padded.length - 4, bytes.length * 8);
    for (let at = 0; at < padded.length; at += 64) {
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
    state.forEach((word, i) => view.setInt32(i * 4, word));
    return [...padded.slice(0, 32)];
  };

  const hex = (/** @type {Iterable<number>} */ bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  /** HMAC-SHA-256 (RFC 2104) with a key: text → its first 8 bytes as hex. */
  const digester = (/** @type {string} */ key) => {
    const bytes = [...encoder.encode(key)];
    const short = bytes.length > 64 ? sha256(bytes) : bytes;
    const [inner, outer] = [0x36, 0x5c].map((pad) => Array.from({ length: 64 }, (_, i) => short[i] ^ pad));
    return (/** @type {string} */ text) => hex(sha256([...outer, ...sha256([...inner, ...encoder.encode(text)])]).slice(0, 8));
  };

  // Normalisation: the conventions' rules, held to `vectors/normalise.json` as the collector's own are.

  const MONTHS = Array.from({ length: 12 }, (_, month) => new Date(0, month).toLocaleString("en-GB", { month: "long" }).toLowerCase());
  const tokens = (/** @type {string} */ text) => text.split(/[^\p{Alphabetic}\p{N}]+/u).filter(Boolean);

  const dateOf = (/** @type {string} */ plain) => {
    const figures = plain.replace(/ (\p{L}+) /u, (_, said) => `/${1 + MONTHS.findIndex((name) => said === name || said === name.slice(0, 3))}/`);
    let [, day, , month, year] = /^(\d\d?)([/.-])(\d\d?)\2(\d{4}|\d\d)$/.exec(figures) ?? [];
    if (!day) [, year, month, day] = /^(\d{4})-(\d\d?)-(\d\d?)$/.exec(figures) ?? [];
    if (!day) return;
    if (year.length < 4) year = (+year < 30 ? "20" : "19") + year;
    const iso = [year, month, day].map((part) => part.padStart(2, "0")).join("-");
    // A day that does not exist is none, or another.
    if (+year && attempt(() => new Date(iso).toISOString().slice(0, 10)) === iso) return iso;
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
  let digest = digester("gilbreth");
  /** What is told of a value: nothing if it is empty or long free text. */
  const digestsOf = (/** @type {string} */ value, /** @type {string} */ kind) => {
    const plain = value.normalize("NFKC").toLowerCase().normalize("NFKC").split(/\p{White_Space}+/u).filter(Boolean).join(" ");
    const all = tokens(plain);
    const whole = (kind !== "text" || [...plain].length <= 60) && (KINDS[kind]?.(plain) || all.join(" "));
    const parts = all.filter((token) => [...token].length > 1).slice(0, 16);
    return whole ? { digest: digest(whole), parts: kind === "date" || parts.length < 2 ? [] : parts.map(digest) } : {};
  };

  // ── Clock and ids ────────────────────────────────────────────────────────────────────────────────────────────────
  // Instants are milliseconds of the monotonic clock; `epoch` makes them Unix time.

  let epoch = Date.now() - performance.now();
  let checked = -Infinity;
  const now = () => {
    const at = performance.now();
    if (at - checked > CHECK_MS && Math.abs(Date.now() - (checked = at) - epoch) > JUMP_MS) {
      // The clock was set or the machine slept: what is open ends by the old clock.
      if (field) pauseField(field, at);
      if (wait) endWait(wait.last);
      epoch = Date.now() - at;
    }
    return at;
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
  const stored = (/** @type {string} */ key) => attempt(() => JSON.parse(sessionStorage[key]));
  const storeFor = (/** @type {string} */ key, /** @type {any} */ value) => attempt(() => (sessionStorage[key] = JSON.stringify(value)));
  /** Of this tab: outlives the page. Who works is known in the page of the next sign-in as well, until somebody signs out. */
  const tab = /** @type {{ session: string, trace: string, task?: string, worker?: string }} */ (stored(STORED) ?? { trace: randomId(16), session: randomId(16) });
  // What the last page in the same frame left: the screen moved to, whether it sent what was not saved, and what is not
  // sent until it is known of whom it is. It is stored while one follows the other and no longer, since a window that a
  // page opens begins with a copy of all that is stored.
  const LEFT = STORED + (parent === window) + name;
  let [arrivedAt, hadUnsaved, queue = []] = /** @type {[string?, boolean?, Span[]?]} */ (stored(LEFT) ?? []);

  // ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────
  // Attributes first, then rules, then what a screen reader would say. Whatever could be somebody's data is not asked:
  // neither the text of links in lists and tables, nor headings, nor paths but for their fixed parts.

  /** @type {Rules} */
  let rules = {};
  let hasRules = false; // no value is digested before: one may have to be ignored, and the key is in them
  const PRESSED = "[type=submit],[type=button],[type=reset],[type=image]";
  const FIELDS = `input:not([type=hidden],[type=file],${PRESSED}),select,textarea`;
  const BUTTONS = "button,a[href],summary,[role=button],[role=link],[role=tab],[role=menuitem]," + PRESSED;
  const DATA = "tr,li,dd,h1,h2,h3,h4,article,[role=heading],[role=row],[role=option],[role=listitem]";

  const short = (/** @type {string | false | null | undefined} */ text) =>
    (text || "").replace(/\s+/g, " ").replace(/\d{3,}/g, "#").replace(/[\s:*]+$/, "").trim().slice(0, 80);

  /** The text of an element, without that of fields in it. */
  const textOf = (/** @type {Node | null | undefined} */ node) => {
    if (!node) return "";
    let text = node.nodeType === 3 ? /** @type {string} */ (node.nodeValue) : "";
    for (const child of node.childNodes) if (!isIn(child, "select,textarea,script,style,option,[contenteditable]")) text += textOf(child);
    return text;
  };
  const isIn = (/** @type {any} */ node, /** @type {string} */ selector) => node.matches?.(selector);

  /** The nearest element that fits, over the borders of shadow roots. */
  const nearest = (/** @type {Element} */ from, /** @type {string | undefined} */ selector) => {
    for (let at = from; at && selector; at = /** @type {ShadowRoot} */ (at.getRootNode()).host) {
      const found = attempt(() => at.closest(selector));
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

  /** What heads a cell of a table: the head of its column or row, or for a field the cell before it where none has a head. */
  const headed = (/** @type {Element} */ of) => {
    const cell = /** @type {HTMLTableCellElement | null} */ (of.closest("td,th"));
    const head = cell?.closest("table")?.querySelector("tr")?.cells[cell.cellIndex];
    if (head && head !== cell && isIn(head, "th,thead *")) return short(textOf(head));
    const before = cell?.previousElementSibling;
    const isLayout = !cell?.closest("table")?.querySelector("th");
    return before && (isLayout || isIn(before, "th")) && isIn(of, FIELDS) && !before.querySelector(FIELDS) ? short(textOf(before)) : "";
  };

  /** A name that is no generated one: `ctl00$txt7` says nothing to anybody. */
  const written = (/** @type {string | null} */ id) => (id && !/\d|[:$]/.test(id) ? id : "");

  /** How a field is called, what kind of value it takes, and which errand it is of, if any. */
  /** @typedef {{ called: string, takes: string, errand: string, isIgnored: boolean, isSecret: boolean }} Naming */
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
      (isField(of) && of.type !== "radio" && !(of.type === "checkbox" && of.closest(DATA)) && labelled(of)) ||
      headed(of) ||
      short(of.placeholder || written(of.name) || written(of.id)) ||
      of.localName;
    // Firefox knows no `autocomplete` but those that it fills in itself.
    const hint = `${of.type} ${of.getAttribute("autocomplete")} ${name}`.toLowerCase();
    const isSecret = /passw|passc|\bpin\b|one-time|cc-|security [aq]|memora/.test(hint);
    return {
      called: name,
      isSecret, // and stays so if the page shows what is typed
      takes: said(of, "kind") ?? rule?.kind ?? kindOf(of, hint),
      errand: errandOf(of),
      isIgnored: isSecret || !!rule?.ignore || !!nearest(of, "[data-casework-ignore]"),
    };
  };

  /** The kind of value that a field takes, by its type, what it may be completed with, and its name. */
  const kindOf = (/** @type {any} */ of, /** @type {string} */ hint) => {
    if (/^(select|radio|checkbox)/.test(hint)) return "choice";
    if (of.isContentEditable || of.localName === "textarea") return "text";
    return rules.kinds?.find(({ like }) => attempt(() => new RegExp(like).test(hint)))?.kind ?? "text";
  };

  /**
   * What a button says. In tables, lists and headings, and in links to something with a number, that may be a person's
   * name: there it is what heads its column, where a link leads, or nothing, but for buttons in tables without heads,
   * which only lay out a page.
   */
  const buttonName = (/** @type {any} */ of) => {
    const isData = /^(?!javascript:).*[\d@]/.test(of.getAttribute("href")) || (of.closest(DATA) && !of.closest("nav,[role=navigation],[role=menu],[role=tablist]"));
    const table = of.closest("table");
    const isLaidOut = of.localName !== "a" && table && !table.querySelector("th");
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
    return isIn(of, "input,textarea") ? of.value : textOf(of);
  };

  // ── Spans and sending ────────────────────────────────────────────────────────────────────────────────────────────

  /** @type {Settings} */
  let settings;
  let isPaused = false;
  /** @type {any} */
  let sending; // timer: one batch after the other, so that a collector that hangs takes one connection
  let waitMs = 0; // before the next try
  let coming = 0; // timer: the next try

  const text = (/** @type {string} */ value) => ({ stringValue: value.slice(0, 80).toWellFormed() });
  const attributes = (/** @type {Record<string, any>} */ of) =>
    Object.entries(of).filter(([, value]) => value?.length ?? value >= 0).map(([key, value]) => ({
      key,
      value:
        value?.map ? { arrayValue: { values: value.map(text) } }
        : value?.length ? text(value)
        : { intValue: value },
    }));

  /**
   * Notes what happened from one instant to another; gives the span, which may still be told its outcome. What takes
   * longer is left until it is sent: digests, as `held`, which go with the page if nothing was sent by then.
   */
  const note = (/** @type {string} */ kind, /** @type {number} */ from, to = from, /** @type {Record<string, any>} */ about = {}, on = screen, spanId = randomId(8)) => {
    const span = {
      traceId: tab.trace,
      spanId,
      name: kind,
      startTimeUnixNano: unixNanos(from),
      endTimeUnixNano: unixNanos(Math.max(from, to)),
      about: { "casework.interaction": kind, "session.id": tab.session, [WORKER]: tab.worker, ...on, ...about },
    };
    if (!isPaused) {
      queue.push(span);
      sending ||= setTimeout(flush, SEND_AFTER_MS);
    }
    return span;
  };

  /** Batches that are neither known to have arrived nor kept. */
  const flying = /** @type {Set<string>} */ (new Set());
  /** What waits first, as a batch: what the body of a request says after the instant when it is sent. */
  const batch = () => {
    const spans = queue.splice(0, SPANS_MAX).map(({ about, ...span }) => ({ ...span, attributes: attributes({ ...about, ...about.held?.() }) }));
    const resource = JSON.stringify(attributes({ "service.name": settings.system, "service.version": settings.release }));
    return `}},${resource.slice(1)}},"scopeSpans":[{"spans":${JSON.stringify(spans)}}]}]}`;
  };

  /** Sends a batch; says whether it needs no more sending. `text/plain` spares the browser from asking first. */
  const send = async (/** @type {string} */ batch, keepalive = false) => {
    const body = `{"resourceSpans":[{"resource":{"attributes":[{"key":"casework.clock.sent","value":{"intValue":${Date.now() * 1e6}${batch}`;
    try {
      if (settings.send) return await settings.send(body);
      const address = settings.endpoint + "/v1/traces" + (settings.token ? "?token=" + settings.token : "");
      // Firefox before 133 forgets a request of a page that has gone, unless it is a beacon.
      if (keepalive && !("keepalive" in Request.prototype)) return navigator.sendBeacon(address, body);
      const { ok, status } = await askCollector(address, {
        method: "POST",
        keepalive,
        credentials: "omit",
        headers: { "content-type": "text/plain" },
        signal: AbortSignal.timeout(PAUSE_MS),
        body,
      });
      // A token that is refused is tried again by the next page; what is refused for what it is will be refused again.
      if (status === 401 || status === 403) coming ||= -1;
      return ok || status === 400 || status === 413;
    } catch {
      return false;
    }
  };

  const flush = async () => {
    while (queue[0]) {
      const next = batch();
      flying.add(next);
      if (coming || !(await send(next, true))) await keep(next);
      flying.delete(next);
    }
    sending = undefined;
  };

  /** Keeps a batch for later, and comes again: after 2 s, 4 s … 2 minutes. Says by which key, if any, it is kept. */
  const keep = async (/** @type {string} */ batch) => {
    const kept = await store();
    const key = await result(kept?.add(batch));
    if (key) kept?.delete(IDBKeyRange.upperBound(key - KEPT_MAX));
    again();
    return key;
  };
  const again = () => {
    coming ||= setTimeout(drain, (waitMs = Math.min(120_000, waitMs * 2 || 2_000)) * (1 - Math.random() / 4));
  };
  const drain = async () => {
    clearTimeout(coming);
    coming = 0;
    for (;;) {
      const first = await result((await store())?.openCursor());
      if (!first) return void (waitMs = 0);
      if (!(await send(first.value))) return again();
      (await store())?.delete(first.key);
    }
  };

  const result = (/** @type {IDBRequest | undefined} */ request) =>
    request && new Promise((resolve) => (request.onsuccess = request.onerror = () => resolve(attempt(() => request.result))));
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

  // A page that is left cannot wait for an answer. What it still has is sent, and put by where the next page of the same
  // origin finds it and sends it again: the collector drops what it has already.
  const STASH = STORED + ".";
  const stashed = () => Object.keys(localStorage).filter((key) => key.startsWith(STASH)).sort().reverse();
  const stash = (/** @type {string} */ batch) =>
    attempt(() => {
      for (const key of stashed().slice(STASHES_MAX - 1)) localStorage.removeItem(key);
      localStorage[STASH + Date.now() + randomId(2)] = batch;
    });
  const sendStashed = () =>
    attempt(() => {
      for (const key of stashed()) {
        const batch = localStorage[key];
        send(batch).then(async (isIn) => (isIn || (await keep(batch))) && localStorage.removeItem(key));
      }
    });
  /** Sends what the page has as it goes. */
  const leave = () => {
    flying.forEach(stash);
    // Who signs in is known when the next page says so.
    while (queue[0] && !queue.some((span) => span.name === "sign_in" && !span.about[WORKER])) {
      const next = batch();
      stash(next);
      send(next, true);
    }
  };

  // ── Screens ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @type {Place} */
  let screen = {};
  const NAME = "app.screen.name";
  const WORKER = "enduser.pseudo.id";
  /** What is watched: the page, the frames of its origin, and open shadow roots in which something happened, or that were seen. */
  const roots = /** @type {Set<Document | ShadowRoot>} */ (new Set());
  /** The window that the worker acts in: what its document says goes before what those of other frames say. */
  let active = /** @type {Window | null} */ (window);
  /** The window that a node is shown in, if any. */
  const viewOf = (/** @type {Node} */ of) => (of.ownerDocument ?? /** @type {Document} */ (of)).defaultView;
  const findAll = (/** @type {string | undefined} */ selector) => {
    if (!selector) return [];
    // In Firefox a document that a frame showed before still says that it is in its window.
    for (const root of roots) attempt(() => /** @type {Window} */ (viewOf(root)).document === root.getRootNode({ composed: true })) || roots.delete(root);
    const all = [...roots].flatMap((root) => /** @type {HTMLElement[]} */ (attempt(() => [...root.querySelectorAll(selector)]) ?? []));
    const here = all.filter((of) => viewOf(of) === active);
    return here[0] ? here : all;
  };
  const shown = (/** @type {HTMLElement} */ of) => valueOf(of).trim().slice(0, 80);

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
    const told = findAll("[data-casework-case]").flatMap((of) => (of.dataset.caseworkCase ? of.dataset.caseworkCase.split(/\s+/) : shown(of)));
    const cases = [...new Set([...told, taken.case, ...findAll(rules.case).map(shown)])].filter(Boolean).slice(0, 8);
    tab.worker = settings.worker ?? one("worker") ?? tab.worker;
    queue.forEach(({ about }) => (about[WORKER] ||= tab.worker)); // who signed in
    // A trace is a task done once: where only its name is known, on these cases.
    if (tab.task !== (tab.task = one("taskid") ?? (one("task") && one("task") + cases))) {
      tab.trace = randomId(16);
      storeFor(STORED, tab);
    }
    return {
      [NAME]: short(one("screen") || (settings.titles === "yes" && document.title)) || template(location),
      "casework.case.id": cases,
      "casework.record.id": one("record"),
      "casework.task.name": one("task"),
      "casework.task.id": one("taskid"),
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
    afterFrame(arriveUnlessWaiting);
  };
  /** Reads the screen anew; another one is arrived at. */
  const readAgain = () => {
    const read = readScreen();
    isArriving ||= JSON.stringify(read) !== JSON.stringify(screen);
    if (isArriving) screen = read;
  };
  /** The screen can be used: where the worker now is, if that is another, and what it shows. */
  const arrive = (/** @type {number} */ at) => {
    readAgain();
    if (isArriving) {
      storeFor(STORED, tab);
      isArriving = false;
      views = 0;
      if (field && !field.place[NAME]) field.place = screen;
      if (arrivedAt !== (arrivedAt = screen[NAME])) {
        note("navigation", at);
        // Whoever goes on to another screen without saving has given up, or goes on with it there. A form that was refused
        // comes back with what was entered.
        if (!isInvalid()) unsaved.delete(active);
      }
      note("view", at);
    }
    look();
  };
  /** What is waited for is arrived at when it can be used. */
  const arriveUnlessWaiting = (at = now()) => wait || !screen[NAME] || arrive(at);
  /** The worker acts in another frame, or one that they asked for is shown. */
  const enter = (/** @type {Window | null} */ view, /** @type {number} */ at) => {
    if (active !== (active = view)) arriveUnlessWaiting(at);
  };

  // What the screen shows is read when the browser is idle, a little at a time.
  /** @type {Generator<undefined, void> | undefined} */
  let looking;
  const whenIdle = globalThis.requestIdleCallback ?? setTimeout;
  const look = () => {
    if (!looking) whenIdle(lookOn);
    looking = seen(now(), screen);
  };
  const lookOn = (/** @type {IdleDeadline | undefined} */ deadline = undefined) => {
    while (looking && (!deadline || deadline.timeRemaining() > 1)) if (looking.next().done) looking = undefined;
    if (looking) whenIdle(lookOn);
  };
  /** What was told of before, so that nothing is told twice. */
  const told = /** @type {WeakMap<Element, string>} */ (new WeakMap());

  let views = 0; // of this screen
  /**
   * Notes prefilled fields and elements that are said to hold a value, as seen at an instant. A shadow root that it comes
   * upon is looked through in its turn.
   */
  function* seen(/** @type {number} */ at, /** @type {Place} */ on) {
    for (const root of roots) {
      for (const of of /** @type {Iterable<HTMLElement>} */ (root.querySelectorAll("*"))) {
        yield undefined;
        if (of.shadowRoot) watchRoot(of.shadowRoot);
        if (/** @type {any} */ (of).contentWindow) watchFrame(/** @type {any} */ (of));
        const isField = of !== field?.of && isIn(of, FIELDS) && !/checkbox|search/.test(/** @type {any} */ (of).type);
        if (views >= (isField ? VIEWS_MAX : KEPT_MAX) || (!isField && !isIn(of, "[data-casework-value]"))) continue;
        if (/** @type {any} */ (of).type === "radio" && !(/** @type {any} */ (of).checked)) continue;
        const value = of.dataset.caseworkValue || valueOf(of);
        const naming = namingOf(of);
        if (!value.trim() || told.get(of) === value || naming.errand || naming.isIgnored) continue;
        told.set(of, value);
        views++;
        note("view", at, at, holds(of, value), on);
      }
    }
    const read = readScreen();
    if (read[NAME] === screen[NAME]) screen = read; // shadow roots may have told more
  }
  const holds = (/** @type {HTMLElement} */ of, /** @type {string} */ value) => {
    const { called, takes, isIgnored } = namingOf(of);
    const isTold = hasRules && !isIgnored && /** @type {any} */ (of).type !== "password";
    const held = () => {
      const { digest, parts } = isTold ? digestsOf(value, takes) : {};
      return { "casework.value.kind": digest && takes, "casework.value.digest": digest, "casework.value.parts": parts };
    };
    return { "app.widget.name": called, held };
  };

  // ── Fields ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * @typedef {object} Field the one with the focus
   * @property {HTMLElement} of
   * @property {Place} place
   * @property {string} before    its value when it was focused: kept here alone
   * @property {number} since
   * @property {number} last      the last input
   * @property {boolean} changed
   * @property {number} keystrokes
   * @property {number} corrections
   * @property {string} [means]
   * @property {string} [continues]
   */
  /** @type {Field | undefined} */
  let field;
  /** The windows in which something was changed and not saved. */
  const unsaved = /** @type {Set<Window | null>} */ (new Set(hadUnsaved ? [window] : []));

  const isField = (/** @type {any} */ of) => of.isContentEditable || isIn(of, FIELDS);
  const isSameField = (/** @type {any} */ one, /** @type {any} */ other) => one === other || (one.type === "radio" && one.name === other?.name && one.form === other?.form);

  const openField = (/** @type {HTMLElement} */ of, /** @type {number} */ at) => {
    if (field && isSameField(field.of, of)) return;
    closeField(at);
    field = { of, place: screen, before: valueOf(of), since: at, last: at, changed: false, keystrokes: 0, corrections: 0 };
    const isErrand = namingOf(of).errand;
    if (!isErrand || (errand && home(errand.of) !== home(of))) closeErrand(at, "abandoned");
    if (isErrand) errand ??= { ...field };
  };

  const counts = (/** @type {Field} */ of) => ({
    "app.widget.name": namingOf(of.of).called,
    "casework.input.keystrokes": of.keystrokes,
    "casework.input.corrections": of.corrections,
  });
  const entry = (/** @type {Field} */ of, /** @type {number} */ to, value = {}) => {
    const isChoice = namingOf(of.of).takes === "choice";
    return note(isChoice ? "choice" : "entry", of.since, to, {
      ...counts(of),
      "casework.input.origin": of.means, // typed or selected, where none is told
      "casework.continues": of.continues,
      ...value,
    }, of.place);
  };

  /** What follows input after a pause continues what came before it. */
  const pauseField = (/** @type {Field} */ of, /** @type {number} */ at) => {
    if (of.changed && !namingOf(of.of).errand) of.continues = entry(of, of.last).spanId;
    of.keystrokes = of.corrections = 0;
    of.since = of.last = at;
  };
  const input = (/** @type {Field} */ of, /** @type {number} */ at) => {
    if (at - of.last > PAUSE_MS) pauseField(of, at);
    of.last = at;
  };

  const closeField = (/** @type {number} */ at) => {
    const closed = field;
    field = undefined;
    if (!closed) return;
    const { errand, isIgnored } = namingOf(closed.of);
    const value = valueOf(closed.of);
    told.set(closed.of, value);
    if (errand) return;
    if (value !== closed.before || closed.continues) {
      entry(closed, at - closed.last > PAUSE_MS ? closed.last : at, holds(closed.of, value));
      unsaved.add(viewOf(closed.of));
      // What the page says of it by itself is no answer to what is clicked later.
      setTimeout(() => (wasInvalid = isInvalid()), 2_000);
    } else if (value && !isIgnored) note("view", closed.since, closed.since, holds(closed.of, value), closed.place);
  };

  // ── Errands: sign-in and search, one span each from the first focus until it is sent ─────────────────────────────

  /** @type {Field | undefined} the first field of it, with the keystrokes of all */
  let errand;
  const home = (/** @type {any} */ of) => of.form ?? of.closest("form,[role=search]") ?? of.getRootNode();
  const errandOf = (/** @type {any} */ of) => {
    const form = home(of);
    const isSignIn = form.querySelector("input[type=password]:not([autocomplete=new-password])") && form.querySelectorAll(FIELDS).length < 5;
    const isSearch = of.type === "search" || nearest(of, "[role=search],[data-casework-search]") || nearest(of, rules.search);
    return isSignIn ? "sign_in" : isSearch ? "search" : "";
  };
  const closeErrand = (/** @type {number} */ at, outcome = "") => {
    const closed = errand;
    errand = undefined;
    if (!closed || (outcome && !closed.keystrokes)) return;
    const kind = namingOf(closed.of).errand;
    note(kind, closed.since, at, { ...(kind === "search" && counts(closed)), "casework.outcome": outcome });
  };

  // ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  let pressed = 0;
  let typed = 0; // what begins after it is not what the worker waits for
  let caused = -Infinity; // when the worker last did what a page answers by asking a server
  let isSent = false; // what was entered was sent by its form: if the page goes now, nothing is lost
  /** @type {Span | undefined} */
  let lastAction;

  const clicked = (/** @type {HTMLElement} */ target, /** @type {number} */ at) => {
    const of = nearest(target, BUTTONS);
    if (!of || nearest(of, "[data-casework-ignore]") || isField(of)) return;
    caused = at;
    if (!wait?.since) goOn(at);
    if (errand && home(errand.of) === home(of)) return closeErrand(at);
    const name = buttonName(of);
    const isSignOut = nearest(of, rules.signOut) || /^(sign|log) ?o(ut|ff)\b/i.test(name);
    const from = at - pressed < 5_000 ? pressed : at;
    lastAction = note(isSignOut ? "sign_out" : "action", from, at, { "app.widget.name": name });
    if (isSignOut) {
      // Who comes next is another.
      tab.worker = "";
      tab.session = randomId(16);
      tab.trace = randomId(16);
      storeFor(STORED, tab);
    }
    // After which a field that was well is invalid.
    setTimeout(() => !wasInvalid && (wasInvalid = isInvalid()) && reject());
  };
  const submitted = (/** @type {HTMLFormElement} */ form, /** @type {number} */ at) => {
    caused = at;
    if (errand && home(errand.of) === form) closeErrand(at);
  };
  const isInvalid = () => !!findAll("[aria-invalid=true]")[0];
  let wasInvalid = false;
  const reject = () => {
    if (lastAction) lastAction.about["casework.outcome"] ||= "rejected";
  };

  // ── Waits ────────────────────────────────────────────────────────────────────────────────────────────────────────
  // From a request until the page can be used: its answer is read, and the frame after it is drawn. Only requests that
  // follow what the worker did, or another that they wait for, block them.

  /** @typedef {{ header: string, place: Place, since: number, last: number, pending: number, drawing: number, outcome: string, saves: boolean, freed?: number }} Wait */
  /** @type {Wait | undefined} */
  let wait;
  let answered = -Infinity; // when the last request was answered that was waited for
  let isLoading = true;

  const openWait = (/** @type {number} */ at, saves = false) => {
    if (wait?.freed) endWait(at);
    const of = (wait ??= { header: `00-${tab.trace}-${randomId(8)}-01`, place: screen, since: at, last: at, pending: 0, drawing: 0, outcome: "", saves });
    of.saves ||= saves;
    of.pending++;
    return of;
  };
  /** A request that a page has left open for long since it came has kept nobody waiting. */
  const waitedUntil = (/** @type {Wait} */ of, /** @type {number} */ at) => (of.since || isLoading || at - of.last < PAUSE_MS ? at : of.last);
  const settle = (/** @type {Wait} */ of, outcome = "") => {
    of.outcome ||= outcome;
    of.pending--;
    of.last = waitedUntil(of, now());
    if (!of.freed) answered = of.last;
    of.drawing++;
    afterFrame(() => {
      of.drawing--;
      if (of === wait) of.pending ? isLoading && (of.last = now()) : endWait(now());
    });
  };
  // A page out of sight draws nothing: it is waited for until it is seen again, or the worker does something else.
  const afterFrame = (/** @type {any} */ then) => {
    requestAnimationFrame(() => setTimeout(then));
  };
  const endWait = (/** @type {number} */ at) => {
    const ended = wait;
    wait = undefined;
    if (!ended) return;
    readAgain();
    if (isArriving) ended.place = screen;
    const isBad = isInvalid();
    const outcome = ended.outcome || (isBad && !wasInvalid ? "rejected" : "");
    wasInvalid = isBad;
    const [, traceId, spanId] = ended.header.split("-");
    at = waitedUntil(ended, ended.freed ?? at);
    note("wait", ended.since, at, { "casework.outcome": outcome }, ended.place, spanId).traceId = traceId;
    if (ended.saves && !outcome) unsaved.clear();
    arrive(at);
  };
  /** Who goes on working is not kept waiting. */
  const goOn = (/** @type {number} */ at) => {
    if (!wait || wait.freed || at - wait.since < CAUSED_MS) return;
    wait.freed = at;
    if (isArriving) endWait(at);
  };

  /** A request of the page begins; the wait, if the worker waits for it. */
  const requested = (/** @type {string} */ method) => {
    const at = now();
    const saves = !/^(get|head)$/i.test(method);
    if (isPaused) return;
    const since = Math.max(caused, answered);
    if ((isLoading && !wait?.freed) || (at - since < CAUSED_MS && since >= typed)) return openWait(at, saves);
    if (saves) unsaved.clear(); // a page that saves by itself
  };
  const judged = (/** @type {number} */ status, /** @type {Wait} */ of) =>
    status >= 500 || !status ? "failed"
    : status === 401 && of.saves && unsaved.size ? "lost"
    : status === 400 || status === 422 ? "rejected"
    : "";
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
        if (isOwnOrigin(request.url) && !request.headers.has("traceparent")) request.headers.set("traceparent", blocking.header);
        const answer = await fetch(request);
        outcome = judged(answer.status || 200, blocking);
        for (const read of ["json", "text"]) {
          const own = answer[read];
          answer[read] = async () => {
            const reading = requested("get");
            try {
              return await own.call(answer);
            } finally {
              if (reading) settle(reading);
            }
          };
        }
        return answer;
      } catch (error) {
        if (/** @type {any} */ (error)?.name === "AbortError") outcome = "";
        throw error;
      } finally {
        settle(blocking, outcome);
      }
    };
    const { prototype } = view.XMLHttpRequest;
    const { open, send, setRequestHeader } = prototype;
    prototype.open = function (/** @type {string} */ method, /** @type {string} */ url) {
      this.gilbreth = { method, traced: isOwnOrigin(url) };
      return open.apply(this, arguments);
    };
    prototype.setRequestHeader = function (/** @type {string} */ name) {
      if (this.gilbreth && /^traceparent$/i.test(name)) this.gilbreth.traced = false;
      return setRequestHeader.apply(this, arguments);
    };
    prototype.send = function () {
      let blocking = requested(this.gilbreth?.method ?? "get");
      const end = (outcome = "") => {
        if (blocking) settle(blocking, outcome);
        blocking = undefined;
      };
      try {
        if (blocking) {
          this.addEventListener("abort", () => end(), { once: true });
          this.addEventListener("loadend", () => blocking && end(judged(this.status, blocking)), { once: true });
          if (this.gilbreth?.traced) setRequestHeader.call(this, "traceparent", blocking.header);
        }
        return send.apply(this, arguments);
      } catch (error) {
        end("failed");
        throw error;
      }
    };
  };

  /** A document was waited for; gives what the browser says of its load. */
  const shownIn = (/** @type {any} */ view, /** @type {Wait} */ of) => {
    active = view;
    const entry = /** @type {PerformanceNavigationTiming | undefined} */ (attempt(() => view.performance.getEntriesByType("navigation")[0]));
    wasInvalid = isInvalid();
    isArriving = true;
    settle(
      of,
      judged(entry?.responseStatus || 200, of) ||
        (!of.saves || !unsaved.size ? ""
        : findAll("input[type=password]")[0] ? "lost"
        : wasInvalid ? "rejected"
        : ""),
    );
    return entry;
  };
  /** The page itself was waited for, from when it was asked for until it could be used. */
  const loaded = (/** @type {Wait} */ of) => {
    const { last } = of;
    const drawn = shownIn(window, of)?.domContentLoadedEventEnd;
    isLoading = false;
    if (of !== wait) arrive(now());
    // Who comes late to a page does not make it later; what is being drawn still is waited for.
    else if (drawn && !of.pending && (of.drawing < 2 || document.hidden)) endWait(Math.max(last, drawn));
  };

  // ── What the browser tells ───────────────────────────────────────────────────────────────────────────────────────

  const inner = (/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.composedPath()[0]);
  const listeners = /** @type {Record<string, (event: any, at: number) => void>} */ ({
    focusin(event, at) {
      const of = inner(event);
      enter(event.view, at);
      watchRoot(/** @type {ShadowRoot} */ (of.getRootNode()));
      if (!isField(of)) return;
      goOn(at);
      openField(of, at);
    },
    focusout(event, at) {
      // The window lost the focus, not the field.
      if (field && document.hasFocus() && !isSameField(field.of, event.relatedTarget)) closeField(at);
    },
    keydown(event, at) {
      pressed = at;
      if (!field && isField(inner(event))) openField(inner(event), at);
      if (!field || event.repeat) return;
      const isDeletion = /^(Backspace|Delete)$/.test(event.key);
      const isKey = isDeletion || (/^(.|Process|Unidentified)$/u.test(event.key) && !event.ctrlKey && !event.metaKey);
      if (event.key === "Enter" && field.of.localName !== "textarea") {
        caused = at;
        if (errand && !(/** @type {any} */ (field.of).form)) closeErrand(at);
      }
      if (!isKey || namingOf(field.of).isSecret) return;
      typed = at;
      input(field, at);
      goOn(at);
      const of = (namingOf(field.of).errand && errand) || field;
      of.keystrokes++;
      of.corrections += +isDeletion;
    },
    input(event, at) {
      const of = event.target === field?.of ? event.target : inner(event);
      if (of !== field?.of && isIn(of, ":autofill")) {
        const value = valueOf(of);
        told.set(of, value);
        if (!namingOf(of).errand) note("entry", at, at, { ...holds(of, value), "casework.input.origin": "autofilled" });
        return;
      }
      if (!field) return;
      input(field, at);
      isSent = false;
      field.changed = true;
      if (namingOf(field.of).takes === "choice") caused = at;
      if (/Paste|Drop/.test(event.inputType)) field.means = "pasted";
      else if (event.inputType === "insertReplacementText") field.means = "selected";
      else if (!field.keystrokes && isIn(of, ":autofill")) field.means = "autofilled";
    },
    pointerdown(event, at) {
      pressed = at;
      enter(event.view, at);
    },
    click(event, at) {
      clicked(inner(event), at);
    },
    submit(event, at) {
      submitted(event.target, at);
      setTimeout(() => {
        event.defaultPrevented ? wait || (isInvalid() && reject()) : (isSent = true);
      });
    },
    invalid(_, at) {
      if (at - caused < CAUSED_MS) reject();
    },
    load(event) {
      if (!event.target.contentWindow) return;
      watchFrame(event.target);
      afterFrame(arriveUnlessWaiting);
    },
  });
  const hear = (/** @type {Event} */ event) => event.isTrusted && !isPaused && listeners[event.type](event, now());
  const listen = (/** @type {EventTarget} */ to, names = Object.keys(listeners)) => {
    for (const name of names) to.addEventListener(name, hear, true);
  };

  const watchRoot = (/** @type {ShadowRoot} */ root) => {
    if (roots.has(root)) return;
    roots.add(root);
    // These do not leave a shadow root, or not always.
    listen(root, ["focusin", "focusout", "submit", "invalid", "load"]);
  };
  const watchFrame = (/** @type {HTMLIFrameElement} */ frame) => attempt(() => watch(frame.contentWindow));
  /** Windows whose requests are watched, by an object that is theirs alone. */
  const realms = new WeakSet();
  /** Watches a window; throws if it is of another origin. Done again, it hears again what has written itself anew. */
  const watch = (/** @type {any} */ view) => {
    const of = view.document;
    // One with a script of its own looks after itself; while it is read, that may still come.
    if (view !== window && (view.gilbreth || of.readyState === "loading")) return;
    roots.add(of);
    listen(of);
    of.querySelectorAll("iframe,frame").forEach(watchFrame);
    if (view !== window) view.addEventListener("beforeunload", frameAsks);
    view.addEventListener("pagehide", frameLeaves);
    if (realms.has(view.Object)) return;
    realms.add(view.Object);
    watchRequests(view);
    const { prototype } = view.HTMLFormElement;
    const { submit } = prototype;
    prototype.submit = function () {
      if (!isPaused) submitted(this, now());
      isSent = true;
      return submit.call(this);
    };
  };

  // A frame may show another document while the page stays: it is asked for, the old one goes, the new one is loaded.
  // What asks with it are the frames in it, which nobody waits for.
  const frameAsks = (/** @type {any} */ { target }) => {
    const at = now();
    target.gilbreth = at - caused < CAUSED_MS && !(at - /** @type {any} */ (viewOf(target)).frameElement?.ownerDocument.gilbreth < CAUSED_MS) ? at : NaN;
  };
  const frameLeaves = (/** @type {any} */ event) => {
    const view = event.currentTarget;
    const from = event.target.gilbreth;
    const at = now();
    if (isGone) return;
    if (field && viewOf(field.of) === view) closeField(at);
    if (!isSent && unsaved.delete(view)) note("navigation", at, at, { "casework.outcome": "lost" });
    if (isPaused || !view.frameElement || !(from >= typed && from >= caused)) return;
    const waiting = openWait(from, isSent);
    isSent = false;
    view.frameElement.addEventListener("load", () => shownIn(view, waiting), { once: true });
  };

  // ── Start, pause ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** What is open ends. */
  const end = (/** @type {number} */ at) => {
    closeField(at);
    closeErrand(at, "abandoned");
    lookOn();
    endWait(at);
  };
  let isGone = false;
  const hide = () => {
    const at = now();
    isGone = true;
    end(at);
    if (unsaved.size && !isSent) note("navigation", at, at, { "casework.outcome": "lost" });
    leave();
    storeFor(LEFT, [arrivedAt, isSent && unsaved.size, queue]);
    database?.close();
    database = undefined;
  };
  const comeBack = () => {
    unsaved.clear();
    isGone = isSent = false;
    arrivedAt = "";
    storeFor(LEFT, []);
    isPaused = !isHeld();
    hold();
  };

  const PAUSED = STORED + "-paused";
  const isHeld = () => !!attempt(() => localStorage[PAUSED]);
  const tellPause = () => dispatchEvent(new Event(PAUSED)); // to `notice.js`, for one
  /** Notes nothing any more, or again. */
  const hold = (to = isHeld()) => {
    if (to === isPaused) return;
    end(now());
    isPaused = to;
    tellPause();
    if ((isArriving = !to)) {
      watch(window); // whose frames were not heard meanwhile
      arrive(now());
    }
  };
  /** Notes nothing, in all pages of the origin, until the worker resumes. */
  const pause = (to = true) => {
    hold(to);
    attempt(() => (localStorage[PAUSED] = to || ""));
  };

  /**
   * Those that the browser has hold at once; what the collector has by now holds from the next page on. A page that gets
   * none tells no values.
   */
  const readRules = async () => {
    const given = settings.rules === "none" ? {} : settings.rules ?? `${settings.endpoint}/agent/${settings.system}.json`;
    const ask = async (/** @type {RequestCache} */ cache) => {
      if (typeof given !== "string") return given;
      const answer = await askCollector(given, { credentials: "omit", cache, signal: AbortSignal.timeout(2_000) });
      return answer.ok && answer.json();
    };
    const read = await ask("force-cache").catch(() => {});
    if (read) {
      rules = read;
      hasRules = true;
      namings = new WeakMap();
      digest = digester(settings.key ?? rules.key ?? STORED);
    }
    ask("no-cache").catch(() => {});
  };

  const start = async (/** @type {Settings} */ given) => {
    if (settings) return;
    settings = given;
    isPaused = isHeld();
    storeFor(STORED, tab);
    storeFor(LEFT, []);
    const loading = openWait(0, hadUnsaved);
    navigation?.addEventListener?.("currententrychange", routed);
    addEventListener("pagehide", hide);
    watch(window);
    addEventListener("pageshow", (event) => event.persisted && comeBack());
    addEventListener("online", drain);
    // A page that clears its storage as somebody signs out resumes nothing.
    addEventListener("storage", ({ key }) => (key ? hold() : pause(isPaused)));
    document.addEventListener("visibilitychange", () => {
      if (isGone) return;
      note(document.hidden ? "hidden" : "shown", now());
      if (document.hidden) flush();
    });
    if (document.readyState === "loading") await new Promise((then) => addEventListener("DOMContentLoaded", then));
    if (document.querySelector("frame") && document.readyState !== "complete") {
      await new Promise((then) => addEventListener("load", () => afterFrame(then))); // a page of frames can be used once they can
      loading.last = now();
    }
    await readRules();
    loaded(loading);
    tellPause();
    sendStashed();
    drain();
  };

  /** The browser's own `fetch`: what the agent asks is no request of the page. */
  const askCollector = globalThis.fetch.bind(globalThis);
  /** @type {any} */ (globalThis).gilbreth = {
    start,
    pause,
    resume: () => pause(false),
    digestsOf,
    get isPaused() {
      return isPaused;
    },
  };
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  if (script?.dataset.system) start({ endpoint: new URL(script.src).origin, .../** @type {any} */ (script.dataset) });
})();
