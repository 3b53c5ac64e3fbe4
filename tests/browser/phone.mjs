// SPDX-License-Identifier: Apache-2.0
// A phone's width, and no pointer at all: everything by keyboard.
import assert from "node:assert/strict";
import {
  bubble, newPage, newName, newPerson, overflow, PHONE, say, shot, startChat, tick,
} from "./lib.mjs";

export const name = "phone width, keyboard alone";

export async function run(browser) {
  const alice = await newPerson(browser, "alice");
  const bea = await registerByKeyboard(browser);
  await startChat(alice, bea.handle);
  await say(alice, "are you there?");
  const other = await newPerson(browser, "carl");
  await startChat(other, bea.handle);
  await say(other, "me too");

  // The list: one Tab stop, arrow keys inside.
  await bea.locator(".list .count").nth(1).waitFor();
  await tabTo(bea, ".list button");
  const first = await focused(bea);
  await bea.keyboard.press("ArrowDown");
  assert.notEqual(await focused(bea), first, "arrow down moves to the next conversation");
  await bea.keyboard.press("ArrowUp");
  assert.equal(await focused(bea), first);
  assert.ok(await outlined(bea), "the focused row is visibly focused");
  assert.equal(await overflow(bea), 0);
  await shot(bea, "phone-list");

  // Enter opens and puts the caret where one writes; Esc goes back to the list.
  await bea.keyboard.press("Enter");
  await bubble(bea, "me too").waitFor();
  assert.equal(await bea.evaluate(() => document.activeElement.tagName), "TEXTAREA");
  await bea.keyboard.type("yes, a rather long answer that has to wrap at this width, ");
  await bea.keyboard.press("Shift+Enter");
  await bea.keyboard.type("with a second line");
  await bea.keyboard.press("Enter");
  await bubble(other, "me too").waitFor();
  await other.locator(".message.theirs").waitFor();
  assert.equal(await overflow(bea), 0);
  await shot(bea, "phone-thread");
  await bea.keyboard.press("Escape");
  await bea.locator(".list button").first().waitFor();
  assert.ok(await bea.evaluate(() => document.activeElement.closest(".list") !== null));
  await tick(other, "me too", "read");

  await dialogByKeyboard(bea);
  for (const page of [alice, bea, other]) {
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
}

async function registerByKeyboard(browser) {
  const page = await newPage(browser, { viewport: PHONE, hasTouch: true, reducedMotion: "reduce" });
  page.handle = newName("bea");
  await page.getByRole("heading", { name: "Log in to Causeway" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.name), "handle");
  await tabTo(page, "button.link");
  await page.keyboard.press("Enter");
  await page.keyboard.type(page.handle);
  await page.keyboard.press("Tab");
  await page.keyboard.type("bea");
  await page.keyboard.press("Tab");
  await page.keyboard.type("by keyboard only 1");
  await page.keyboard.press("Enter");
  await page.locator(".pill[data-state=connected]").waitFor();
  assert.equal(await overflow(page), 0);
  return page;
}

/** The dialog keeps the focus inside, and Esc closes it without a trace. */
async function dialogByKeyboard(page) {
  await tabTo(page, "button[aria-label='New chat']");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.name), "handle");
  await page.keyboard.type("nobody-of-that-name");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "Nobody is called" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
}

async function tabTo(page, selector, limit = 20) {
  for (let i = 0; i < limit; i++) {
    if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${selector} cannot be reached by Tab`);
}

function focused(page) {
  return page.evaluate(() => document.activeElement.dataset.id);
}

function outlined(page) {
  return page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none");
}
