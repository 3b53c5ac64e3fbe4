// SPDX-License-Identifier: Apache-2.0
// Ids in canonical lower-case text form. They need a secure context (https, or localhost).

function toBytes(uuid: string): Uint8Array {
  const hex = uuid.replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/.test(hex)) throw new TypeError("not a UUID");
  return Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16));
}

function toText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20),
    hex.slice(20, 32)].join("-");
}

function stamp(bytes: Uint8Array, version: number): Uint8Array {
  bytes[6] = (bytes[6]! & 0x0f) | (version << 4);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes;
}

export function uuid4(): string {
  return crypto.randomUUID();
}

/** Time-ordered; random10 are ten random bytes. */
export function uuid7(nowMs: number, random10: Uint8Array): string {
  const bytes = new Uint8Array(16);
  let rest = nowMs;
  for (let i = 5; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random10, 6);
  return toText(stamp(bytes, 7));
}

export async function uuid5(namespace: string, name: string): Promise<string> {
  const text = new TextEncoder().encode(name);
  const input = new Uint8Array(16 + text.length);
  input.set(toBytes(namespace));
  input.set(text, 16);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", input));
  return toText(stamp(digest.slice(0, 16), 5));
}

/** The id that both sides of a direct conversation make by themselves. */
export function directConversationId(
  tenantId: string, userA: string, userB: string,
): Promise<string> {
  const [lower, higher] = userA < userB ? [userA, userB] : [userB, userA];
  return uuid5(tenantId, `${lower}:${higher}`);
}
