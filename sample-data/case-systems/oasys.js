// OASys: the views of an application of a single page. `fetch`, `history`, and elements made by hand.

const top_ = document.getElementById("top");
const view = document.getElementById("view");
let session;

/** An element with attributes or handlers and what is in it. */
const make = (name, about = {}, ...inside) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(about)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...inside);
  return element;
};

/** Asks the server; who is not signed in is asked to sign in. */
const ask = async (method, path, body) => {
  const headers = { "content-type": "application/json" };
  const answer = await fetch("/api" + path, { method, headers, body: body && JSON.stringify(body) });
  if (answer.status === 401) {
    session = undefined;
    const { error } = await answer.json();
    show();
    throw new Error(error);
  }
  return answer;
};

const go = (path) => {
  history.pushState(null, "", path);
  return show();
};
const link = (path, text) =>
  make("a", { href: path, onclick: (event) => (event.preventDefault(), go(path)) }, text);

/** What the measuring agent is told: the screen, and by which numbers it names the case. */
const tell = (screen, numbers = "") => {
  document.body.dataset.caseworkScreen = screen;
  if (numbers) document.body.dataset.caseworkCase = numbers;
  else delete document.body.dataset.caseworkCase;
  document.body.dataset.caseworkFunction = "assessment";
  if (session) document.body.dataset.caseworkWorker = session.worker;
  else delete document.body.dataset.caseworkWorker;
};

const signIn = () => {
  tell("Sign in");
  const user = make("input", { id: "user", autocomplete: "username", required: "" });
  const word = make("input", { id: "word", type: "password", autocomplete: "current-password", required: "" });
  const signing = async (event) => {
    event.preventDefault();
    await ask("POST", "/session", { user: user.value });
    show();
  };
  return make("form", { onsubmit: signing },
    make("h1", {}, "Sign in"),
    make("label", { for: "user" }, "User name"), user,
    make("label", { for: "word" }, "Password"), word,
    make("button", {}, "Sign in"));
};

const search = () => {
  tell("Find an offender");
  const text = make("input", { id: "q", type: "search", autocomplete: "off" });
  const found = make("ul", { class: "found" });
  const searching = async (event) => {
    event.preventDefault();
    const cases = await (await ask("GET", "/cases?q=" + encodeURIComponent(text.value))).json();
    found.replaceChildren(...cases.map((one) => make("li", {}, link("/case/" + one.crn, `${one.crn} (${one.number})`))));
    if (!cases.length) found.append(make("li", {}, "Nobody has this number or name."));
  };
  return make("section", {},
    make("h1", {}, "Find an offender"),
    make("form", { role: "search", onsubmit: searching }, make("label", { for: "q" }, "CRN, OASys number or name"), text, make("button", {}, "Find")),
    found);
};

const summary = async (number, saved) => {
  const one = await (await ask("GET", "/cases/" + number)).json();
  tell("Offender record", `${one.crn} ${one.number}`);
  return make("section", {},
    make("h1", {}, "Offender record"),
    make("p", { class: "numbers" }, `CRN ${one.crn}, OASys number ${one.number}`),
    saved ? make("p", { class: "done", role: "status" }, "Saved.") : "",
    make("nav", {}, ...session.forms.map((form) => link(`/case/${one.crn}/${form.id}`, form.title))));
};

const field = (of, value) => {
  const about = { id: of.id, name: of.id, autocomplete: "off" };
  if (of.takes === "one") {
    const select = make("select", about, make("option", { value: "" }, "Choose"), ...of.list.map((one) => make("option", {}, one)));
    select.value = value;
    return [make("label", { for: of.id }, of.label), select];
  }
  if (of.takes === "yes-no") {
    const choice = (one) => make("label", {}, make("input", { type: "radio", name: of.id, value: one, ...(one === value && { checked: "" }) }), one);
    return [make("fieldset", {}, make("legend", {}, of.label), ...of.list.map(choice))];
  }
  if (of.takes === "text") {
    // An editor, as rich ones are: an element whose content is edited, with buttons above it.
    const editor = make("div", { class: "editor", contenteditable: "true", role: "textbox", "aria-multiline": "true", "aria-label": of.label, "data-name": of.id });
    editor.textContent = value;
    return [make("span", { class: "label" }, of.label), editor];
  }
  const input = make("input", { ...about, ...(of.takes === "number" && { inputmode: "decimal", "data-casework-kind": "number" }) });
  input.value = value;
  return [make("label", { for: of.id }, of.label), input];
};

const edit = async (number, id) => {
  const one = await (await ask("GET", "/cases/" + number)).json();
  const form = session.forms.find((form) => form.id === id);
  tell(form.title, `${one.crn} ${one.number}`);
  const alert = make("p", { class: "bad", role: "alert", hidden: "" });
  const saving = async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(element));
    for (const editor of element.querySelectorAll("[contenteditable]")) values[editor.dataset.name] = editor.textContent;
    button.disabled = true;
    const answer = await ask("POST", `/cases/${number}/${id}`, values).finally(() => (button.disabled = false));
    const refused = answer.status === 422 ? await answer.json() : {};
    for (const control of element.elements) {
      if (refused[control.name]) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
    alert.textContent = Object.values(refused).join(". ") || (answer.ok ? "" : "The system is not available. Save again.");
    alert.hidden = !alert.textContent;
    if (answer.ok) go(`/case/${number}/saved`);
  };
  const button = make("button", {}, "Save");
  const element = make("form", { novalidate: "", onsubmit: saving },
    make("h1", {}, form.title), alert,
    ...form.fields.flatMap((of) => field(of, one.saved[id]?.[of.id] ?? "")), button);
  return element;
};

const chosen = () => {
  const [, first, number, id] = location.pathname.split("/");
  if (first !== "case") return search();
  if (!id || id === "saved") return summary(number, id);
  return edit(number, id);
};

/** Shows what the address says. */
const show = async () => {
  if (!session) {
    const answer = await fetch("/api/session");
    const told = await answer.json();
    if (answer.ok) session = told;
  }
  const leave = async () => {
    await ask("DELETE", "/session");
    session = undefined;
    show();
  };
  const shown = session ? await chosen() : signIn();
  top_.replaceChildren(
    make("b", {}, "OASys"),
    ...(session ? [link("/", "Find an offender"), make("span", { class: "worker" }, session.worker), make("button", { class: "plain", onclick: leave }, "Sign out")] : []));
  view.replaceChildren(shown);
};

addEventListener("popstate", show);
show();
