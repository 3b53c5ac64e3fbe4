// SPDX-License-Identifier: Apache-2.0
// A group of three: made, spoken in, somebody added, somebody leaves; history in pages.
import assert from "node:assert/strict";
import { bubble, connected, newPage, newPerson, openChat, say, texts, tick } from "./lib.mjs";

export const name = "a group";

const LINES = 70;

export async function run(browser) {
  const [alice, bea, carl] = await Promise.all(
    ["alice", "bea", "carl"].map((stem) => newPerson(browser, stem)));
  await alice.getByRole("button", { name: "New group" }).click();
  await alice.getByLabel("Name of the group").fill("Harbour");
  await alice.getByLabel("Members").fill(bea.handle);
  await alice.getByRole("button", { name: "Create" }).click();
  await say(alice, "welcome");
  await openChat(bea, "Harbour");
  await tick(alice, "welcome", "read");

  const lines = Array.from({ length: LINES }, (_, i) => `entry ${i + 1}`);
  for (const line of lines) await say(bea, line);
  await tick(bea, lines.at(-1), "read");

  await alice.getByRole("button", { name: "Details" }).click();
  await alice.getByLabel("Add somebody").fill(carl.handle);
  await alice.getByRole("button", { name: "Add", exact: true }).click();
  await openChat(carl, "Harbour");
  await say(carl, "here I am");
  await bubble(alice, "here I am").waitFor();

  // A device that keeps nothing reads the past page by page, and nothing twice.
  const past = await freshDevice(browser, bea);
  const expected = ["welcome", ...lines, "here I am"];
  for (let i = 0; i < 5 && (await texts(past)).length < expected.length; i++) {
    await past.locator(".log").evaluate((log) => (log.scrollTop = 0));
    await past.waitForFunction((n) => document.querySelectorAll(".message").length > n,
      (await texts(past)).length, { timeout: 2_000 }).catch(() => undefined);
  }
  assert.deepEqual(await texts(past), expected);

  await carl.getByRole("button", { name: "Details" }).click();
  await carl.getByRole("button", { name: "Leave the group" }).click();
  await alice.locator(".notice", { hasText: "carl left" }).waitFor();
  await carl.getByPlaceholder("You are no longer in this conversation").waitFor();
  for (const page of [alice, bea, carl, past]) {
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
}

async function freshDevice(browser, person) {
  const page = await newPage(browser);
  await page.getByLabel("Name", { exact: true }).fill(person.handle);
  await page.getByLabel("Password").fill(person.secret);
  await page.getByRole("button", { name: "Log in" }).click();
  await connected(page);
  await openChat(page, "Harbour");
  await page.locator(".message").first().waitFor();
  return page;
}
