// SPDX-License-Identifier: Apache-2.0
// Bundles the page into dist/, or with --tests the unit tests into build/test/.
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const common = { bundle: true, format: "esm", legalComments: "none", logLevel: "warning" };

async function page() {
  const dist = join(root, "dist");
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  await build({
    ...common, target: ["chrome100", "firefox100", "safari15.4"], minify: true, outdir: dist,
    entryPoints: [join(root, "src/page/app.ts"), join(root, "src/page/app.css")],
    entryNames: "[name]",
  });
  for (const file of ["index.html", "icon.svg"]) {
    cpSync(join(root, "src/page", file), join(dist, file));
  }
}

async function tests() {
  const out = join(root, "build/test");
  rmSync(out, { recursive: true, force: true });
  const files = readdirSync(join(root, "test")).filter((f) => f.endsWith(".test.ts"));
  await build({
    ...common, platform: "node", target: "node18", outdir: out, sourcemap: "inline",
    entryPoints: files.map((f) => join(root, "test", f)), outExtension: { ".js": ".mjs" },
  });
}

await (process.argv.includes("--tests") ? tests() : page());
