"use strict";

// The page's own address, as a reader may copy it.
for (const place of document.querySelectorAll("[data-origin]")) {
  place.textContent = window.location.origin;
}

const service = document.getElementById("service");
const token = document.getElementById("token");
const download = document.getElementById("download");

function show(name) {
  const address = `/openapi/${name}.v1.json`;
  download.href = address;
  window.SwaggerUIBundle({
    url: address,
    dom_id: "#contract",
    deepLinking: false,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    filter: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      const pasted = token.value.trim();
      if (pasted && new URL(request.url, window.location.href).origin === window.location.origin) {
        request.headers.Authorization = `Bearer ${pasted}`;
      }
      return request;
    },
  });
}

const known = [...service.options].map((option) => option.value);
const wanted = window.location.hash.slice(1);
service.value = known.includes(wanted) ? wanted : "academy";
service.addEventListener("change", () => {
  window.location.replace(`#${service.value}`);
  show(service.value);
});
show(service.value);
