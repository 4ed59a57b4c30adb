// The audits of GraphQL over HTTP (npm graphql-http). Usage: node graphql_http.mjs http://host:port/graphql
import { serverAudits } from 'graphql-http';

const url = process.argv[2];
const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const result = await audit.fn();
  results.push({ id: audit.id, name: audit.name, status: result.status, reason: result.reason ?? null });
  await result.response?.body?.cancel?.().catch(() => {});
}
console.log(JSON.stringify(results));
