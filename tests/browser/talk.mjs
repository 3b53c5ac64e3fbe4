// SPDX-License-Identifier: Apache-2.0
// Two people in browsers talk: messages, ticks, typing, presence, unread counts, refusals, markup.
import assert from "node:assert/strict";
import { bubble, newPerson, openChat, say, shot, startChat, texts, tick } from "./lib.mjs";

export const name = "two people talk";

export async function run(browser) {
  const alice = await newPerson(browser, "alice");
  const bea = await newPerson(browser, "bea");
  await startChat(alice, bea.handle);
  await say(alice, "Hello Bea");

  // Bea has not opened it: it is delivered, counted, and not read.
  await bea.locator(".list .count", { hasText: "1" }).waitFor();
  await tick(alice, "Hello Bea", "delivered");
  await alice.locator(".thread .face[data-presence=online]").waitFor();
  await openChat(bea, "alice");
  await bubble(bea, "Hello Bea").waitFor();
  await tick(alice, "Hello Bea", "read");
  assert.equal(await bea.locator(".list .count:visible").count(), 0);

  // Typing shows at the other side and ends with the message.
  await bea.getByRole("textbox", { name: "Message" }).pressSequentially("Hi");
  await alice.locator(".state.typing").waitFor();
  await bea.keyboard.press("Enter");
  await tick(bea, "Hi", "read");
  await alice.locator(".state:not(.typing)").waitFor();

  // Text is text.
  const markup = "<img src=x onerror=alert(1)><b>bold</b>";
  await say(alice, markup);
  await tick(alice, markup, "read");
  assert.equal(await bea.locator(".log img, .log b").count(), 0);

  // Many at once keep their order at both sides.
  const many = Array.from({ length: 40 }, (_, i) => `line ${i + 1}`);
  for (const line of many) await say(alice, line);
  await tick(alice, many.at(-1), "read");
  const all = ["Hello Bea", "Hi", markup, ...many];
  assert.deepEqual(await texts(alice), all);
  assert.deepEqual(await texts(bea), all);
  await shot(alice, "talk");

  // She goes; the dot follows.
  await bea.context().close();
  await alice.locator(".thread .face[data-presence=offline]").waitFor({ timeout: 45_000 });
  assert.deepEqual(alice.faults, []);
  await alice.context().close();
}
