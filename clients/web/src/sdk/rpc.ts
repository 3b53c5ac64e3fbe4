// SPDX-License-Identifier: Apache-2.0
// Request/response calls: the Connect protocol's unary form with JSON, same origin.
import {
  create, fromBinary, fromJson, toJson,
  type DescMessage, type DescMethodUnary, type JsonValue, type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { ErrorSchema } from "../gen/causeway/model/v1/model_pb";
import { refusalOf } from "./codec";
import type { Refusal } from "./model";

const TIMEOUT_MS = 15_000;
const ERROR_TYPE = "causeway.model.v1.Error";

/** The other side refused, or could not be asked (code UNAVAILABLE: then it may have acted). */
export class CallError extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message || refusal.code);
    this.name = "CallError";
  }
}

export interface Caller {
  /** "" = same origin. */
  baseUrl: string;
  fetch: typeof fetch;
  token?: () => Promise<string>;
}

/** Throws CallError, and what the token provider throws. */
export async function call<I extends DescMessage, O extends DescMessage>(
  caller: Caller, method: DescMethodUnary<I, O>, request: MessageInitShape<I>,
): Promise<MessageShape<O>> {
  const headers: Record<string, string> = {
    "content-type": "application/json", "connect-protocol-version": "1",
  };
  if (caller.token) headers["authorization"] = `Bearer ${await caller.token()}`;
  const url = `${caller.baseUrl}/${method.parent.typeName}/${method.name}`;
  const body = JSON.stringify(toJson(method.input, create(method.input, request)));
  const { status, json } = await post(caller.fetch, url, headers, body);
  if (status !== 200) throw new CallError(refusalFrom(status, json));
  try {
    return fromJson(method.output, json as JsonValue, { ignoreUnknownFields: true });
  } catch {
    throw new CallError(unavailable("the server's answer could not be read"));
  }
}

async function post(
  doFetch: typeof fetch, url: string, headers: Record<string, string>, body: string,
): Promise<{ status: number; json: unknown }> {
  let response: Response;
  try {
    response = await doFetch(url, {
      method: "POST", headers, body, cache: "no-store", credentials: "omit",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new CallError(unavailable("the server cannot be reached"));
  }
  const json: unknown = await response.json().catch(() => null);
  return { status: response.status, json };
}

function unavailable(message: string): Refusal {
  return { code: "UNAVAILABLE", retryable: true, retryAfterMs: 0, message, ref: "" };
}

/** The model.v1.Error comes as "error", or as a detail in the Connect form. */
function refusalFrom(status: number, json: unknown): Refusal {
  const body = (typeof json === "object" && json !== null ? json : {}) as {
    error?: JsonValue; details?: Array<{ type?: string; value?: string }>; message?: string;
  };
  try {
    if (body.error) {
      return refusalOf(fromJson(ErrorSchema, body.error, { ignoreUnknownFields: true }));
    }
    const detail = body.details?.find((d) => d.type === ERROR_TYPE);
    if (detail?.value) return refusalOf(fromBinary(ErrorSchema, base64Decode(detail.value)));
  } catch {
    // an answer that nobody of ours made; the status has to do
  }
  if (status === 429 || status >= 500) return unavailable(`the server answered ${status}`);
  const code = status === 401 ? "UNAUTHENTICATED" : status === 404 ? "NOT_FOUND" : "INTERNAL";
  return {
    code, retryable: false, retryAfterMs: 0, ref: "",
    message: body.message ?? `the server answered ${status}`,
  };
}
