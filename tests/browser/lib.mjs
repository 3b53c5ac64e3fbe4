// SPDX-License-Identifier: Apache-2.0
// People in headless Chromium: one browser, a context (own storage) per person.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const BASE = process.env.CAUSEWAY_GATEWAY_URL ?? "";
export const WAIT_MS = Number(process.env.CAUSEWAY_BROWSER_WAIT_MS ?? 15_000);
const OUT = join(fileURLToPath(new URL(".", import.meta.url)), "out");

export const DESKTOP = { width: 1100, height: 720 };
export const PHONE = { width: 360, height: 740 };

export function launch() {
  return chromium.launch({
    executablePath: process.env.CAUSEWAY_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
}

export function newName(stem) {
  return `${stem}-${randomBytes(4).toString("hex")}`;
}

/** A page that remembers what a page must never do: errors and refused content. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) page.faults.push(message.text());
  });
  await page.goto(BASE);
  return page;
}

/** Makes an account through the page; returns the page, logged in and connected. */
export async function newPerson(browser, stem, options = {}) {
  const page = await newPage(browser, options);
  page.handle = newName(stem);
  page.secret = randomBytes(9).toString("base64url");
  await page.getByRole("button", { name: "Create an account" }).click();
  await page.getByLabel("Name", { exact: true }).fill(page.handle);
  await page.getByLabel("Shown as").fill(stem);
  await page.getByLabel("Password").fill(page.secret);
  await page.getByRole("button", { name: "Create account" }).click();
  await connected(page);
  return page;
}

export async function connected(page) {
  await page.locator(".pill[data-state=connected]").waitFor();
}

export async function startChat(page, handle) {
  await page.getByRole("button", { name: "New chat" }).click();
  await page.getByLabel("Who?").fill(handle);
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("textbox", { name: "Message" }).waitFor();
}

export async function openChat(page, title) {
  await page.locator(".list button", { hasText: title }).click();
  await page.getByRole("textbox", { name: "Message" }).waitFor();
}

export async function say(page, text) {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.keyboard.press("Enter");
}

export function bubble(page, text) {
  return page.locator(".message", { has: page.getByText(text, { exact: true }) });
}

export async function tick(page, text, state) {
  await bubble(page, text).locator(`.tick[data-tick=${state}]`).waitFor();
}

export async function texts(page) {
  return page.locator(".message .text").allTextContents();
}

export async function shot(page, name) {
  mkdirSync(OUT, { recursive: true });
  return page.screenshot({ path: join(OUT, `${name}.png`) });
}

/** The page is no wider than its window. */
export async function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}
