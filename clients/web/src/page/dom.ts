// SPDX-License-Identifier: Apache-2.0
// Elements from data. Text only ever goes in as text nodes.

type Child = Node | string | null | undefined | false;
type Props = Record<string, string | number | boolean | ((event: never) => void)>;

const SVG = "http://www.w3.org/2000/svg";

/** Properties: functions become listeners, true an empty attribute, false none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, props: Props = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  apply(element, props);
  element.append(...children.filter((c): c is Node | string => c !== null && c !== undefined
    && c !== false));
  return element;
}

function apply(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
}

/** A 24x24 line icon; says nothing to a screen reader. */
export function icon(path: string, className = "icon"): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  apply(svg, { viewBox: "0 0 24 24", class: className, "aria-hidden": "true", focusable: "false" });
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** Writes only what differs, so nothing is announced or repainted for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes parent's children exactly these, moving as few as possible; keeps focus and scroll. */
export function setChildren(parent: Element, children: Element[]): void {
  const keep = new Set(children);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
}

/** At most once per frame, however often it is asked for. */
export function perFrame(run: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    // A hidden page gets no frames; its title and counts should move all the same.
    const later = document.hidden ? (f: () => void) => setTimeout(f, 50) : requestAnimationFrame;
    later(() => {
      waiting = false;
      run();
    });
  };
}

export function announce(text: string): void {
  const region = document.getElementById("announcer");
  if (region) region.textContent = text;
}

export const ICONS = {
  plus: "M12 5v14M5 12h14",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0"
    + "M16 4.6a3.5 3.5 0 0 1 0 5.8M18 14.2a6.5 6.5 0 0 1 3.5 5.8",
  back: "M15 5l-7 7 7 7",
  send: "M4 12 20 4l-5 16-3.5-6.5L4 12Zm7.5 1.5L20 4",
  leave: "M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h9",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 11v5M12 8v.01",
  clock: "M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14Zm0 3.5V12l2.5 1.5",
  check: "M6 12.5l4 4 8-9",
  checks: "M2.5 12.5l4 4 8-9M11 15l1.5 1.5 8-9",
  alert: "M12 4 2.8 20h18.4L12 4Zm0 6v4.5m0 2.5v.01",
  down: "M6 9l6 6 6-6",
} as const;
