"use strict";

const byId = (id) => document.getElementById(id);
const tabs = [...document.querySelectorAll("nav a[data-contract]")];
const field = byId("token");
const state = byId("token-state");
let token = "";

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

function say(text, kind = "") {
  state.textContent = text;
  state.dataset.state = kind;
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
    say("No token: calls on this page are refused.");
  } else if (!read || !read.exp) {
    say("That isn't an access token.", "bad");
  } else if (read.exp * 1000 <= Date.now()) {
    say("This token has expired; get a new one.", "bad");
  } else {
    const until = new Date(read.exp * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const roles = Array.isArray(read.roles) && read.roles.length ? read.roles.join(", ") : "no role";
    say(`In use until ${until}: ${roles}. Every call on this page sends it.`, "good");
    window.setTimeout(() => {
      if (token === text.trim()) use(token);
    }, Math.min(read.exp * 1000 - Date.now() + 500, 2 ** 31 - 1));
  }
}

// The viewer leaves fields without a name, texts that scroll out of reach of the keyboard, and links inside buttons.
function mend() {
  const viewer = byId("contract");
  viewer.querySelector(".operation-filter-input")?.setAttribute("aria-label", "Show only tags with this text");
  for (const input of viewer.querySelectorAll("tr[data-param-name] :is(input, select, textarea):not([aria-label])")) {
    input.setAttribute("aria-label", input.closest("tr").dataset.paramName);
  }
  for (const input of viewer.querySelectorAll(".body-param :is(select, textarea):not([aria-label])")) {
    input.setAttribute("aria-label", input.tagName === "SELECT" ? "Content type" : "Body of the request");
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

byId("demo-token")?.addEventListener("click", async () => {
  say("Asking for a token ...");
  try {
    const answer = await fetch("/identity/v1/demo-token", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ role: byId("role").value }),
    });
    const told = await answer.json();
    if (answer.ok) use(told.access_token);
    else say(told.detail ?? "No token was given.", "bad");
  } catch {
    say("The gateway can't be reached.", "bad");
  }
});

if (tabs.length) show(wanted());
else byId("contract").textContent = "This installation has no contracts.";
