/* Works GraphiQL in a headless Chromium as a person would, and tells in JSON lines what it saw.

   node graphiql.mjs URL QUERY SUBSCRIPTION TRIGGER SCREENSHOTS

   URL            of the page
   QUERY          a document with one named operation, to type into the first tab and run
   SUBSCRIPTION   the same, to type into the second tab and run
   TRIGGER        the JSON body to POST to /graphql once the subscription runs, or "-" when the caller makes
                  the event happen (it can wait for the line with the step "subscribed")
   SCREENSHOTS    a folder for query.png and subscription.png

   Lines: {step: "opened", tabs, query, subscription}   names and texts of the tabs the page opens with
          {step: "query", result}                       the text of the result pane
          {step: "subscribed"}                          the subscribe message has left
          {step: "event", result}                       the text of the result pane after the first event
          {step: "done", hosts, problems, screenshots}  every host asked for, page errors and refused loads

   CHROMIUM names another browser than /usr/bin/chromium, PATIENCE the milliseconds to wait for a step. */

import { join } from "node:path";
import puppeteer from "puppeteer-core";

const [url, query, subscription, trigger, screenshots] = process.argv.slice(2);
const timeout = Number(process.env.PATIENCE ?? 30_000);
const editor = ".graphiql-query-editor .CodeMirror";

const say = (step, facts = {}) => console.log(JSON.stringify({ step, ...facts }));

function textOf(page, selector) {
  return page.$eval(selector, (element) => element.CodeMirror.getValue());
}

// What the page asks for, by host, and what went wrong in it.
async function watch(page) {
  const seen = { hosts: new Set(), problems: [], sent: [] };
  const note = (address) => {
    const { protocol, host } = new URL(address);
    if (protocol !== "data:") {
      seen.hosts.add(host);
    }
  };
  page.on("request", (request) => note(request.url()));
  page.on("requestfailed", (request) => seen.problems.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("pageerror", (error) => seen.problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") {
      seen.problems.push(message.text());
    }
  });
  const network = await page.createCDPSession();
  await network.send("Network.enable");
  network.on("Network.webSocketCreated", (event) => note(event.url));
  network.on("Network.webSocketFrameSent", (event) => seen.sent.push(event.response.payloadData));
  return seen;
}

// GraphiQL reads a document a moment after it changed, and then names the tab for its operation.
async function named(page, name) {
  await page.waitForFunction(
    (expected) => document.querySelector(".graphiql-tab-active .graphiql-tab-button")?.textContent === expected,
    { timeout },
    name,
  );
}

async function type(page, text) {
  await page.click(editor);
  await page.keyboard.down("Control");
  await page.keyboard.press("KeyA");
  await page.keyboard.up("Control");
  await page.keyboard.press("Backspace");
  await named(page, "<untitled>");
  await page.keyboard.sendCharacter(text);
  await named(page, /\b(?:query|subscription|mutation)\s+(\w+)/.exec(text)[1]);
}

async function until(condition, what) {
  const end = Date.now() + timeout;
  while (!condition()) {
    if (Date.now() > end) {
      throw new Error(`waited in vain for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function result(page) {
  await page.waitForFunction(
    () => document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue().trim(),
    { timeout },
  );
  return textOf(page, ".result-window .CodeMirror");
}

async function selectTab(page, number) {
  const tabs = await page.$$(".graphiql-tab-button");
  await tabs[number].click();
}

async function open(page) {
  await page.goto(url, { waitUntil: "load", timeout });
  await page.waitForSelector(".graphiql-execute-button", { timeout });
  await page.waitForSelector(editor, { timeout });
  const tabs = await page.$$eval(".graphiql-tab-button", (buttons) => buttons.map((button) => button.textContent));
  const first = await textOf(page, editor);
  await selectTab(page, 1);
  const second = await textOf(page, editor);
  await selectTab(page, 0);
  say("opened", { tabs, query: first, subscription: second });
}

async function runQuery(page) {
  await type(page, query);
  await page.click(".graphiql-execute-button");
  say("query", { result: await result(page) });
  await page.screenshot({ path: join(screenshots, "query.png") });
}

async function runSubscription(page, seen) {
  await selectTab(page, 1);
  await type(page, subscription);
  await page.click(".graphiql-execute-button");
  await until(() => seen.sent.some((frame) => JSON.parse(frame).type === "subscribe"), "the subscription to start");
  say("subscribed");
  if (trigger !== "-") {
    const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
    await fetch(new URL("/graphql", url), { method: "POST", headers, body: trigger });
  }
  say("event", { result: await result(page) });
  await page.screenshot({ path: join(screenshots, "subscription.png") });
}

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  defaultViewport: { width: 1280, height: 800 },
  // Chromium's sandbox does not run as root; the page under test is our own.
  args: ["--no-proxy-server", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
try {
  const page = await browser.newPage();
  const seen = await watch(page);
  await open(page);
  await runQuery(page);
  await runSubscription(page, seen);
  const pictures = ["query.png", "subscription.png"].map((name) => join(screenshots, name));
  say("done", { hosts: [...seen.hosts], problems: seen.problems, screenshots: pictures });
} finally {
  await browser.close();
}
