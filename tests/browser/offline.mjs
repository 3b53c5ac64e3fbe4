// SPDX-License-Identifier: Apache-2.0
// What is written without a network is kept over a reload and sent once; a second tab is another
// device; what was read before is there without a network.
import assert from "node:assert/strict";
import {
  BASE, bubble, connected, newPerson, openChat, say, startChat, texts, tick,
} from "./lib.mjs";

export const name = "offline and reload keep the outbox and send once";

export async function run(browser) {
  const alice = await newPerson(browser, "alice");
  const bea = await newPerson(browser, "bea");
  await startChat(alice, bea.handle);
  await say(alice, "one");
  await tick(alice, "one", "delivered");
  await openChat(bea, "alice");

  // The socket is cut for the page; the assets stay reachable, so it can be reloaded.
  await cutSocket(alice);
  await alice.locator(".pill:not([data-state=connected])").waitFor();
  await say(alice, "two");
  await say(alice, "three");
  await tick(alice, "three", "sending");
  await alice.reload();
  await openChat(alice, "bea");
  assert.deepEqual(await texts(alice), ["one", "two", "three"]);
  await tick(alice, "two", "sending");

  await mendSocket(alice);
  await connected(alice);
  await tick(alice, "three", "read");
  await say(bea, "all here");
  await bubble(alice, "all here").waitFor();
  const all = ["one", "two", "three", "all here"];
  assert.deepEqual(await texts(bea), all);
  assert.deepEqual(await texts(alice), all);

  await reloadInMidSend(alice, bea, all);
  await secondTab(alice);
  await bea.context().close();
  await alice.context().close();
}

const SOCKETS = /\/v1\/connect/;

/** No new websocket opens; the open one goes as the browser says it is offline. */
async function cutSocket(page) {
  await page.context().routeWebSocket(SOCKETS, (ws) => ws.close({ code: 1013 }));
  await page.evaluate(() => window.dispatchEvent(new Event("offline")));
}

async function mendSocket(page) {
  await page.context().unrouteAll();
  await page.context().routeWebSocket(SOCKETS, (ws) => {
    ws.connectToServer();
  });
  await page.reload();
  await openChat(page, "bea");
}

/** Reloads while commands are in flight: their verdicts are lost, they are not. */
async function reloadInMidSend(alice, bea, before) {
  const lines = Array.from({ length: 30 }, (_, i) => `burst ${i + 1}`);
  await alice.evaluate((all) => {
    const text = document.querySelector("textarea");
    for (const line of all) {
      text.value = line;
      text.form.requestSubmit();
    }
  }, lines);
  await tick(alice, lines[0], "sent").catch(() => undefined);
  await alice.reload();
  await openChat(alice, "bea");
  await bubble(bea, lines.at(-1)).waitFor();
  await tick(alice, lines.at(-1), "read");
  assert.deepEqual(await texts(bea), [...before, ...lines]);
  assert.deepEqual(await texts(alice), [...before, ...lines]);
}

/** The device is taken: the second tab asks for a login and disturbs nothing. */
async function secondTab(alice) {
  const tab = await alice.context().newPage();
  await tab.goto(BASE);
  await tab.getByRole("heading", { name: "Log in to Causeway" }).waitFor();
  await tab.getByLabel("Name", { exact: true }).fill(alice.handle);
  await tab.getByLabel("Password").fill(alice.secret);
  await tab.getByRole("button", { name: "Log in" }).click();
  await connected(tab);
  await openChat(tab, "bea");
  await bubble(tab, "all here").waitFor();
  await say(tab, "from the other tab");
  await bubble(alice, "from the other tab").waitFor();
  await connected(alice);
  await tab.close();
}
