"use strict";

const byId = (id) => document.getElementById(id);
const tabs = [...document.querySelectorAll("nav a[data-contract]")];
const field = byId("token");
const state = byId("token-state");
const faults = byId("token-faults");
let token = "";
// The demo trust's academies by URN, once they were read.
const names = new Map();

// The page's own address, as a reader may copy it.
for (const place of document.querySelectorAll("[data-origin]")) {
  place.textContent = window.location.origin;
}

for (const command of document.querySelectorAll(".start pre")) {
  const copied = command.innerText;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${command.getAttribute("aria-label")}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(copied);
      button.textContent = "Copied";
    } catch {
      window.getSelection().selectAllChildren(command.querySelector("code"));
      button.textContent = "Selected";
    }
    window.setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  command.closest("li").querySelector("h3").append(button);
}

// What the page says of its token: a sentence, and every fault of a request for one.
function say(text, kind = "", errors = []) {
  state.textContent = text;
  state.dataset.state = kind;
  faults.replaceChildren(...errors.map((error) => {
    const item = document.createElement("li");
    item.textContent = `${error.pointer}: ${error.detail}`;
    return item;
  }));
  faults.hidden = !errors.length;
}

// Whose token it is: what it was got with on this page, else what stands in it.
function holder(read) {
  const roles = Array.isArray(read.roles) && read.roles.length ? read.roles.join(", ") : "no role";
  const academies = Array.isArray(read.academies) ? ` of ${read.academies.map((urn) => names.get(urn) ?? urn).join(", ")}` : "";
  const who = read.client_id === "demo" ? "Demo token" : `Token of ${read.sub ?? read.client_id ?? "somebody"}`;
  return `${who}: ${roles}${academies}`;
}

function claims(text) {
  try {
    const payload = text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0))));
  } catch {
    return null;
  }
}

function use(text) {
  token = text.trim().replace(/^Bearer\s+/i, "");
  field.value = token;
  const read = claims(token);
  if (!token) {
    say("No token: calls on this page are rejected.");
  } else if (!read || !read.exp) {
    say("That isn't an access token.", "bad");
  } else if (read.exp * 1000 <= Date.now()) {
    say("This token has expired; get a new one.", "bad");
  } else {
    const until = new Date(read.exp * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    say(`${holder(read)}. In use until ${until}: every call on this page sends it.`, "good");
    const used = token;
    window.setTimeout(() => {
      if (token === used) use(used);
    }, Math.min(read.exp * 1000 - Date.now() + 500, 2 ** 31 - 1));
  }
}

// The viewer leaves fields and buttons without a name, texts that scroll out of reach of the keyboard, links inside
// buttons, and a second heading of the first level.
function mend() {
  const viewer = byId("contract");
  viewer.querySelector(".operation-filter-input")?.setAttribute("aria-label", "Show only tags with this text");
  for (const input of viewer.querySelectorAll("tr[data-param-name] :is(input, select, textarea):not([aria-label])")) {
    input.setAttribute("aria-label", input.closest("tr").dataset.paramName);
  }
  for (const input of viewer.querySelectorAll(".body-param :is(select, textarea):not([aria-label])")) {
    input.setAttribute("aria-label", input.tagName === "SELECT" ? "Content type" : "Body of the request");
  }
  for (const choice of viewer.querySelectorAll(".examples-select-element:not([aria-label])")) {
    choice.setAttribute("aria-label", "Example");
  }
  for (const button of viewer.querySelectorAll("button:not([aria-label])")) {
    if (!button.textContent.trim() && !button.title) button.setAttribute("aria-label", "Copy");
  }
  for (const title of viewer.querySelectorAll(".info h1:not([aria-level])")) {
    title.setAttribute("role", "heading");
    title.setAttribute("aria-level", "2");
  }
  for (const block of viewer.querySelectorAll("pre:not([tabindex])")) block.tabIndex = 0;
  for (const link of viewer.querySelectorAll("button a[href]")) link.removeAttribute("href");
}

let isMending = false;
new MutationObserver(() => {
  if (isMending) return;
  isMending = true;
  window.requestAnimationFrame(() => {
    isMending = false;
    mend();
  });
}).observe(byId("contract"), { childList: true, subtree: true });

function show(contract) {
  for (const tab of tabs) {
    if (tab.dataset.contract === contract) {
      tab.setAttribute("aria-current", "page");
      byId("download").href = `/openapi/${contract}.v1.json`;
      document.title = `${tab.textContent.trim()} · Trellis API`;
    } else {
      tab.removeAttribute("aria-current");
    }
  }
  window.SwaggerUIBundle({
    url: `/openapi/${contract}.v1.json`,
    dom_id: "#contract",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    filter: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      // A token never leaves for another place, whatever a contract names as its server.
      if (token && new URL(request.url, window.location.href).origin === window.location.origin) {
        request.headers.Authorization = `Bearer ${token}`;
      }
      return request;
    },
  });
}

function wanted() {
  const asked = new URLSearchParams(window.location.search).get("contract");
  return tabs.some((tab) => tab.dataset.contract === asked) ? asked : tabs[0]?.dataset.contract;
}

for (const tab of tabs) {
  tab.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    window.history.pushState(null, "", tab.href);
    show(tab.dataset.contract);
  });
}
window.addEventListener("popstate", () => show(wanted()));

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  use(field.value);
});

// A token for a demo person; its problem (RFC 9457) is thrown.
async function demoToken(wanted) {
  const answer = await fetch("/identity/v1/demo-token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(wanted),
  });
  const read = await answer.json();
  if (!answer.ok) throw read;
  return read.access_token;
}

function sayProblem(problem) {
  if (problem instanceof Error) say("The gateway can't be reached.", "bad");
  else say(problem.detail ?? "No token was given.", "bad", problem.errors ?? []);
}

function extent() {
  return byId("role").selectedOptions[0].dataset.extent;
}

// Roles that are held for academies need one: the demo trust's are read when the first such role is chosen.
async function offerAcademies() {
  byId("of-academy").hidden = extent() !== "academies";
  if (extent() !== "academies" || names.size) return;
  const reader = await demoToken({ role: "status-reader" });
  const answer = await fetch("/academy/v1/academies?limit=500", { headers: { Authorization: `Bearer ${reader}` } });
  const list = await answer.json();
  if (!answer.ok) throw list;
  for (const academy of list.items) {
    names.set(academy.urn, academy.name);
    byId("academy").append(new Option(academy.name, academy.urn));
  }
}

byId("role")?.addEventListener("change", () => offerAcademies().catch(sayProblem));

byId("demo-token")?.addEventListener("click", async () => {
  say("Getting a token ...");
  try {
    await offerAcademies();
    const wanted = { role: byId("role").value };
    if (extent() === "academies") wanted.academies = [Number(byId("academy").value)];
    use(await demoToken(wanted));
  } catch (problem) {
    sayProblem(problem);
  }
});

if (byId("role")) offerAcademies().catch(sayProblem);
if (tabs.length) show(wanted());
else byId("contract").textContent = "This installation has no contracts.";
