// SPDX-License-Identifier: Apache-2.0
// In the dark the page is dark, and its text can be read.
import assert from "node:assert/strict";
import { newPerson, say, shot, startChat, tick } from "./lib.mjs";

export const name = "dark";

const CONTRAST_MIN = 4.5;

export async function run(browser) {
  const bea = await newPerson(browser, "bea");
  const alice = await newPerson(browser, "alice", { colorScheme: "dark" });
  await startChat(alice, bea.handle);
  await say(alice, "good night");
  await tick(alice, "good night", "delivered");
  const picture = await shot(alice, "dark");
  assert.ok(picture.length > 5_000, "the screenshot shows something");
  const ground = await colours(alice, "body");
  assert.ok(luminance(ground.ground) < 0.05, `ground ${ground.ground} is dark`);
  for (const selector of [".mine .bubble .text", ".list .name", ".list .last", ".state"]) {
    const { ink, ground: under } = await colours(alice, selector);
    const ratio = contrast(ink, under);
    assert.ok(ratio >= CONTRAST_MIN, `${selector}: contrast ${ratio.toFixed(1)}`);
  }
  await alice.context().close();
  await bea.context().close();
}

/** The text colour, and the first opaque colour under it. */
function colours(page, selector) {
  return page.locator(selector).first().evaluate((element) => {
    const numbers = (css) => css.match(/[\d.]+/g).map(Number);
    let under = element;
    while (under) {
      const css = getComputedStyle(under).backgroundColor;
      if (css.startsWith("rgb(")) break;
      under = under.parentElement;
    }
    return {
      ink: numbers(getComputedStyle(element).color),
      ground: numbers(getComputedStyle(under ?? document.body).backgroundColor),
    };
  });
}

function luminance([r, g, b]) {
  const linear = [r, g, b].map((v) => {
    const c = v / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

function contrast(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}
