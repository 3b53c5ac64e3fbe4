// SPDX-License-Identifier: Apache-2.0
// Walks through the chat page in headless Chromium against a running stack:
//   CAUSEWAY_GATEWAY_URL=http://127.0.0.1:17000 node run.mjs [name of one file without .mjs ...]
// The last line is "N passed, N failed, N skipped"; exits 1 when one failed. On a failure the
// screens of all people are in out/.
import { BASE, launch, shot } from "./lib.mjs";

const ALL = ["talk", "offline", "phone", "dark", "group"];
const TEST_MS = 180_000;

async function screens(browser, test) {
  let i = 0;
  for (const context of browser.contexts()) {
    for (const page of context.pages()) {
      await shot(page, `${test}-failed-${++i}`).catch(() => undefined);
    }
    await context.close().catch(() => undefined);
  }
}

function within(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function one(browser, test) {
  const { name, run } = await import(`./${test}.mjs`);
  const start = Date.now();
  try {
    await within(run(browser), TEST_MS);
    console.log(`ok - ${name} (${Date.now() - start} ms)`);
    return true;
  } catch (error) {
    console.log(`not ok - ${name} (${Date.now() - start} ms)\n${error.stack ?? error}`);
    await screens(browser, test);
    return false;
  }
}

async function main() {
  const wanted = process.argv.slice(2);
  const tests = wanted.length > 0 ? ALL.filter((t) => wanted.includes(t)) : ALL;
  if (BASE === "") {
    console.log("CAUSEWAY_GATEWAY_URL is not set");
    console.log(`0 passed, 0 failed, ${tests.length} skipped`);
    return 0;
  }
  const browser = await launch();
  let passed = 0;
  for (const test of tests) if (await one(browser, test)) passed += 1;
  await browser.close();
  console.log(`${passed} passed, ${tests.length - passed} failed, 0 skipped`);
  return passed === tests.length ? 0 : 1;
}

process.exitCode = await main();
