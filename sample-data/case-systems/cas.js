// Case allocation: web components. Each has a shadow root; the fields are two roots below the page.

const STYLE = `
  :host { display: block; font: 16px/1.5 "Segoe UI", Roboto, sans-serif; color: #202124; }
  header { display: flex; gap: 1.5rem; padding: .8rem 1.4rem; background: #0b5345; color: #fff; }
  header .worker { margin-left: auto; }
  header a { color: #fff; }
  main { max-width: 38rem; margin: 1.5rem auto; padding: 0 1.4rem; }
  h1 { font-size: 1.5rem; margin: 0 0 .8rem; font-weight: 600; }
  label, .label { display: block; font-weight: 600; margin: .9rem 0 .2rem; }
  input, select, textarea { font: inherit; padding: .4rem .5rem; border: 1px solid #5f6368; border-radius: 4px; min-width: 17rem; box-sizing: border-box; }
  [aria-invalid] { border: 2px solid #b3261e; }
  button { font: inherit; margin-top: 1.2rem; padding: .45rem 1.3rem; border: 0; border-radius: 4px; color: #fff; background: #0b5345; cursor: pointer; }
  button[disabled] { opacity: .5; }
  button.plain { margin: 0; padding: 0; background: none; text-decoration: underline; }
  .error { color: #b3261e; }
  .done { padding: .6rem; background: #e3f1ea; border-left: 5px solid #0b5345; }
  ul { padding-left: 1.2rem; }
`;

/** Asks the server, as it was done before `fetch`. */
const ask = (method, path, body) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, "/api" + path);
    request.setRequestHeader("content-type", "application/json");
    request.onloadend = () => resolve({ status: request.status, body: request.responseText ? JSON.parse(request.responseText) : {} });
    request.send(body && JSON.stringify(body));
  });

const escape = (text) => String(text ?? "").replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

class Component extends HTMLElement {
  root = this.attachShadow({ mode: "open" });
  show(html) {
    this.root.innerHTML = `<style>${STYLE}</style>${html}`;
  }
  find(selector) {
    return this.root.querySelector(selector);
  }
  on(selector, event, then) {
    this.find(selector).addEventListener(event, (happened) => {
      happened.preventDefault();
      then(happened);
    });
  }
  tell(what, about) {
    this.dispatchEvent(new CustomEvent(what, { detail: about, bubbles: true, composed: true }));
  }
}

/** One field with its label and what is wrong with it. */
class Field extends Component {
  set of({ id, label, takes, list, value = "" }) {
    const about = `id="${id}" name="${id}" autocomplete="off"${takes === "number" ? ' inputmode="decimal" data-casework-kind="number"' : ""}`;
    const control =
      takes === "one" ? `<select ${about}><option value="">Choose</option>${list.map((one) => `<option${one === value ? " selected" : ""}>${escape(one)}</option>`).join("")}</select>`
      : takes === "text" ? `<textarea ${about} rows="4">${escape(value)}</textarea>`
      : `<input ${about} value="${escape(value)}">`;
    this.show(`<label for="${id}">${escape(label)}</label>${control}<div class="error"></div>`);
    this.id_ = id;
  }
  get control() {
    return this.find("input,select,textarea");
  }
  set error(text) {
    this.find(".error").textContent = text ?? "";
    if (text) this.control.setAttribute("aria-invalid", "true");
    else this.control.removeAttribute("aria-invalid");
  }
}
customElements.define("cas-field", Field);

class Form extends Component {
  open(form, one) {
    this.show(`<h1>${escape(form.title)}</h1><div class="fields"></div><p class="error" role="alert"></p><button>Save</button>`);
    const fields = form.fields.map((of) => {
      const field = document.createElement("cas-field");
      field.of = { ...of, value: one.saved[form.id]?.[of.id] };
      return field;
    });
    this.find(".fields").append(...fields);
    this.on("button", "click", async () => {
      const values = Object.fromEntries(fields.map((field) => [field.id_, field.control.value]));
      this.find("button").disabled = true;
      const answer = await ask("POST", `/cases/${one.crn}/${form.id}`, values);
      this.find("button").disabled = false;
      if (answer.status === 401) return this.tell("signed-out");
      for (const field of fields) field.error = answer.status === 422 ? answer.body[field.id_] : "";
      this.find("[role=alert]").textContent = answer.status >= 500 ? "The system is not available. Save again." : "";
      if (answer.status < 300) this.tell("saved");
    });
  }
}
customElements.define("cas-form", Form);

class SignIn extends Component {
  connectedCallback() {
    this.show(`<h1>Sign in</h1><form><label for="user">User name</label><input id="user" autocomplete="username" required>
      <label for="word">Password</label><input id="word" type="password" autocomplete="current-password" required><br><button>Sign in</button></form>`);
    this.on("form", "submit", async () => {
      await ask("POST", "/session", { user: this.find("#user").value });
      this.tell("signed-in");
    });
  }
}
customElements.define("cas-sign-in", SignIn);

class Search extends Component {
  connectedCallback() {
    this.show(`<h1>Unallocated cases</h1><form role="search"><label for="q">CRN or allocation number</label><input id="q" type="search" autocomplete="off">
      <button>Search</button></form><ul></ul>`);
    this.on("form", "submit", async () => {
      const answer = await ask("GET", "/cases?q=" + encodeURIComponent(this.find("#q").value));
      if (answer.status === 401) return this.tell("signed-out");
      this.find("ul").innerHTML = answer.body.map((one) => `<li><a href="#/cases/${one.crn}">${one.crn} (${one.number})</a></li>`).join("") || "<li>There is no such case.</li>";
    });
  }
}
customElements.define("cas-search", Search);

/** The application: what the address after # says. */
class App extends Component {
  async connectedCallback() {
    addEventListener("hashchange", () => this.route());
    this.addEventListener("signed-in", () => this.begin());
    this.addEventListener("signed-out", () => this.begin());
    this.addEventListener("saved", () => {
      this.saved = true;
      location.hash = location.hash.split("/").slice(0, 3).join("/");
    });
    await this.begin();
  }
  async begin() {
    const answer = await ask("GET", "/session");
    this.session = answer.status === 200 ? answer.body : undefined;
    await this.route();
  }
  /** What the measuring agent is told. */
  about(screen, one) {
    document.body.dataset.caseworkScreen = screen;
    if (one) document.body.dataset.caseworkCase = `${one.crn} ${one.number}`;
    else delete document.body.dataset.caseworkCase;
    document.body.dataset.caseworkFunction = "allocation";
    if (this.session) document.body.dataset.caseworkWorker = this.session.worker;
    else delete document.body.dataset.caseworkWorker;
  }
  async route() {
    const [, , number, id] = location.hash.split("/");
    const answer = this.session && number ? await ask("GET", "/cases/" + number) : undefined;
    if (answer?.status === 401) this.session = undefined;
    const one = answer?.status === 200 ? answer.body : undefined;
    const form = one && this.session?.forms.find((form) => form.id === id);
    const head = this.session ? `<a href="#/">Unallocated cases</a><span class="worker">${escape(this.session.worker)}</span><button class="plain">Sign out</button>` : "";
    const body =
      !this.session ? "<cas-sign-in></cas-sign-in>"
      : form ? "<cas-form></cas-form>"
      : one ? `<h1>Case ${one.crn}</h1><p>Allocation number ${one.number}</p>${this.saved ? '<p class="done" role="status">Saved.</p>' : ""}<nav>${this.session.forms.map((form) => `<p><a href="#/cases/${one.crn}/${form.id}" data-casework-action="${escape(form.title)}">${escape(form.title)}</a></p>`).join("")}</nav>`
      : number ? "<p>There is no such case.</p>"
      : "<cas-search></cas-search>";
    this.saved = false;
    this.about(!this.session ? "Sign in" : form ? form.title : one ? "Case" : "Unallocated cases", one);
    this.show(`<header><b>Case Allocation</b>${head}</header><main>${body}</main>`);
    if (form) this.find("cas-form").open(form, one);
    if (this.session)
      this.on("button.plain", "click", async () => {
        await ask("DELETE", "/session");
        this.begin();
      });
  }
}
customElements.define("cas-app", App);
