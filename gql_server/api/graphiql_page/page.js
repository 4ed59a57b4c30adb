/* Starts GraphiQL on this server: queries by POST, subscriptions over graphql-transport-ws. */
"use strict";

const root = document.getElementById("graphiql");
const endpoint = new URL(root.dataset.endpoint, location.href);
const socket = new URL(endpoint);
socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";

function isSubscription(document, operationName) {
  const operations = (document?.definitions ?? []).filter((part) => part.kind === "OperationDefinition");
  const chosen = operations.find((part) => part.name?.value === operationName) ?? operations[0];
  return chosen?.operation === "subscription";
}

async function post(params, headers) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json",
      ...headers,
      "content-type": "application/json",
    },
    body: JSON.stringify(params),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `The server answered ${response.status} ${response.statusText}` }] };
  }
}

// A socket's failure is a list of GraphQL errors, an Error or a close event.
function readable(failure) {
  if (Array.isArray(failure)) {
    return failure;
  }
  if (failure instanceof Error) {
    return { message: failure.message };
  }
  const reason = failure?.reason ? `: ${failure.reason}` : "";
  return { message: `The connection closed (${failure?.code ?? "no code"}${reason}). Run it again after your last cursor.` };
}

// Retries are off: a silent reconnection would hide the events it missed.
function subscribe(params, headers) {
  const client = graphqlWs.createClient({
    url: socket.href,
    connectionParams: headers,
    retryAttempts: 0,
  });
  return {
    subscribe: (observer) => ({
      unsubscribe: client.subscribe(params, {
        next: (result) => observer.next(result),
        error: (failure) => observer.error(readable(failure)),
        complete: () => observer.complete(),
      }),
    }),
  };
}

function fetcher(params, options) {
  const headers = options?.headers ?? {};
  return isSubscription(options?.documentAST, params.operationName) ? subscribe(params, headers) : post(params, headers);
}

function withoutHeaders(value) {
  try {
    return JSON.stringify(JSON.parse(value, (key, part) => (key === "headers" ? null : part)));
  } catch {
    return value;
  }
}

// GraphiQL's history keeps variables, and the headers with their tokens even where it is told not to; so what it
// keeps ends with the browser's tab, and headers are never kept.
const storage = {
  get length() {
    return sessionStorage.length;
  },
  clear: () => sessionStorage.clear(),
  getItem: (key) => sessionStorage.getItem(key),
  removeItem: (key) => sessionStorage.removeItem(key),
  setItem: (key, value) => sessionStorage.setItem(key, withoutHeaders(value)),
};

async function example(name) {
  const response = await fetch(`${root.dataset.files}${name}.graphql`);
  return response.ok ? response.text() : "";
}

async function start() {
  const [query, subscription] = await Promise.all(["query", "subscription"].map(example));
  const page = React.createElement(
    GraphiQL,
    {
      fetcher,
      storage,
      shouldPersistHeaders: false,
      defaultQuery: query,
      defaultTabs: [{ query }, { query: subscription }],
    },
    React.createElement(GraphiQL.Logo, null, "gql-server"),
  );
  ReactDOM.render(page, root);
}

start();
