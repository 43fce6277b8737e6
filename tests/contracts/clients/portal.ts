// A portal that is written against the generated types and runs against the service. It prints what it saw as JSON.
import createClient from "openapi-fetch";
import type { components, paths } from "./trellis";

declare const process: { argv: string[] };
const [, , url, token] = process.argv;
const api = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

// Members that have a default are left out.
const draft: components["schemas"]["CriteriaSetCreate"] = {
  title: "Secondary",
  phase: "secondary",
  criteria: [
    {
      code: "attainment_8",
      title: "Attainment 8",
      measure: "ks4.attainment_8",
      direction: "higher_is_better",
      bounds: { green: 50, amber: 40 },
    },
  ],
};

const codes: string[] = [];
// Every error of every operation is one type.
function note(problem: components["schemas"]["ProblemOut"] | undefined): void {
  if (problem) codes.push(problem.code, ...problem.errors.map((one) => one.code), String(problem.detail.length > 0));
}

const names: string[] = [];
for (let cursor: string | undefined; ; ) {
  const page = await api.GET("/academy/v1/academies", { params: { query: { limit: 1, cursor } } });
  names.push(...(page.data?.items ?? []).map((academy) => academy.name));
  cursor = page.data?.next ?? undefined;
  if (!cursor) break;
}

const made = await api.POST("/academy/v1/criteria-sets", { body: draft });
const path = { criteria_set_id: made.data?.id ?? "" };
const tag = made.response.headers.get("ETag") ?? "";
const changed = await api.PATCH("/academy/v1/criteria-sets/{criteria_set_id}", {
  params: { path, header: { "If-Match": tag } },
  body: { title: "Secondary criteria" },
});
const late = await api.PATCH("/academy/v1/criteria-sets/{criteria_set_id}", {
  params: { path, header: { "If-Match": tag } },
  body: { title: "Another" },
});
note(late.error);

const sent = await api.POST("/academy/v1/imports", {
  params: { query: { kind: "observations", academic_year: "2024/25" } },
  headers: { "Content-Type": "text/csv" },
  body: "urn,measure,period,value\n135001,ks4.attainment_8,2024/25,47.5\n",
  bodySerializer: (file) => file as string,
});

note((await api.GET("/academy/v1/academies/{urn}", { params: { path: { urn: 999999 } } })).error);
note((await api.GET("/academy/v1/academies", { params: { query: { limit: 0 } } })).error);

// The type of an event says what its data is; `default` is for types that came after these types were generated.
const happened: string[] = [];
const feed = await api.GET("/academy/v1/events", { params: { query: { limit: 10 } } });
// The feed can be a stream too, which is text.
for (const event of typeof feed.data === "object" ? feed.data.items : []) {
  switch (event.type) {
    case "org.trellis.academy.criteria-set.created.v1":
    case "org.trellis.academy.criteria-set.changed.v1":
      happened.push(`${event.data.title} is ${event.data.after}`);
      break;
    case "org.trellis.academy.rating.computed.v1":
      happened.push(event.data.criteria.map((one) => one.title).join());
      break;
    default:
      happened.push(event.id);
  }
}

console.log(JSON.stringify({ names, title: changed.data?.title, imported: sent.data?.state, happened, codes }));
