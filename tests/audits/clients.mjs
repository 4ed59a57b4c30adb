// Real clients, as pages use them. Usage: node clients.mjs http://host:port
import assert from 'node:assert';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { getMainDefinition, relayStylePagination } from '@apollo/client/utilities';
import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createWs } from 'graphql-ws';
import * as tus from 'tus-js-client';
import WebSocket from 'ws';

const base = process.argv[2];
const url = `${base}/graphql`;
const bytes = Buffer.alloc(700_000, 'capture ');
const FINISH = `mutation ($id: ID!) { finishUpload(input: {uploadId: $id}) { job { id state __typename } errors { code } } }`;
const PROGRESS = `subscription ($job: ID!) { jobProgress(jobId: $job) { cursor kind job { id } } }`;
const passed = [];

const ask = async (query, variables) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()).data;
};

const upload = (options) =>
  new Promise((resolve, reject) => {
    const running = new tus.Upload(bytes, {
      chunkSize: 300_000,
      retryDelays: [],
      onError: reject,
      onSuccess: () => resolve(running.url),
      ...options,
    });
    running.start();
  });

const attempt = async (name, act) => {
  await act();
  passed.push(name);
};

let job;

await attempt('tus-js-client: create, chunk by chunk', async () => {
  const where = await upload({ endpoint: `${base}/uploads`, metadata: { filename: 'a.pcap' } });
  const head = await fetch(where, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } });
  assert.equal(head.headers.get('upload-offset'), String(bytes.length));
});

await attempt('tus-js-client: bytes with the creation', async () => {
  await upload({ endpoint: `${base}/uploads`, uploadDataDuringCreation: true });
});

await attempt('tus-js-client: abort and resume', async () => {
  let first;
  const where = await new Promise((resolve, reject) => {
    first = new tus.Upload(bytes, {
      endpoint: `${base}/uploads`,
      chunkSize: 300_000,
      onError: reject,
      onChunkComplete: () => first.abort().then(() => resolve(first.url)),
    });
    first.start();
  });
  assert.equal(await upload({ uploadUrl: where }), where);
});

await attempt('tus-js-client: an upload that GraphQL created', async () => {
  const input = { name: 'b.pcap', lengthBytes: bytes.length };
  const create = `mutation ($input: CreateUploadInput!) { createUpload(input: $input) { upload { id url } errors { code } } }`;
  const created = (await ask(create, { input })).createUpload.upload;
  await upload({ uploadUrl: base + created.url });
  job = (await ask(FINISH, { id: created.id })).finishUpload.job.id;
});

await attempt('graphql-ws: subscription', async () => {
  const client = createWs({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
  for await (const event of client.iterate({ query: PROGRESS, variables: { job } })) {
    assert.equal(event.data.jobProgress.kind, 'JOB_SUBMITTED');
    break;
  }
  await client.dispose();
});

await attempt('graphql-ws: a bad document', async () => {
  const client = createWs({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
  const errors = await new Promise((resolve) =>
    client.subscribe({ query: 'subscription { nothing }' }, { next: () => {}, error: resolve, complete: () => {} }),
  );
  assert.equal(errors[0].extensions.code, 'VALIDATION_FAILED');
  await client.dispose();
});

await attempt('graphql-sse: subscription and query', async () => {
  const client = createSse({ url, singleConnection: false });
  for await (const event of client.iterate({ query: PROGRESS, variables: { job } })) {
    assert.equal(event.data.jobProgress.job.id, job);
    break;
  }
  for await (const result of client.iterate({ query: '{ viewer { role } }' })) assert(result.data.viewer.role);
  client.dispose();
});

await attempt('urql: query, mutation, subscription by fetch', async () => {
  const client = new Client({
    url,
    preferGetMethod: false,
    fetchSubscriptions: true,
    exchanges: [cacheExchange, fetchExchange],
  });
  const page = await client.query('{ jobs(first: 5) { edges { node { id } } } }', {}).toPromise();
  assert(page.data.jobs.edges.length > 0, String(page.error));
  const event = await new Promise((resolve) => {
    const { unsubscribe } = client.subscription(PROGRESS, { job }).subscribe((result) => {
      resolve(result);
      setTimeout(() => unsubscribe(), 0);
    });
  });
  assert.equal(event.data?.jobProgress.kind, 'JOB_SUBMITTED', String(event.error));
});

await attempt('Apollo Client: pages, cache, subscription', async () => {
  const ws = createWs({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
  const isSubscription = ({ query }) => getMainDefinition(query).operation === 'subscription';
  const client = new ApolloClient({
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { jobs: relayStylePagination() } } } }),
    link: ApolloLink.split(isSubscription, new GraphQLWsLink(ws), new HttpLink({ uri: url })),
  });
  const query = gql('{ job: jobs(first: 1) { edges { node { id state } } pageInfo { endCursor hasNextPage } } }');
  const page = await client.query({ query });
  const node = page.data.job.edges[0].node;
  assert(client.cache.extract()[`Job:${node.id}`].state);
  const event = await new Promise((resolve, reject) => {
    client.subscribe({ query: gql(PROGRESS), variables: { job } }).subscribe({ next: resolve, error: reject });
  });
  assert.equal(event.data.jobProgress.kind, 'JOB_SUBMITTED');
  await ws.dispose();
});

console.log(JSON.stringify(passed));
process.exit(0);
