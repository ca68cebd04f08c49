import type { FailureSide, Verdict } from '../platform/failure.ts';
import type { MetaErrorRow } from './error-row.ts';
import { TRANSPORT_ERRORS, UNKNOWN_ERROR, metaErrorRow } from './errors.ts';
import { WhatsAppFailure, type MetaError } from './whatsapp.ts';
import { graphErrorWire, type ErrorWire } from './wire.ts';

const DETAILS_LENGTH_MAX = 500;
const WRONG_PARAMETER = 100;

export type ResponseHeaders = Record<string, string | string[] | undefined>;

export type ResponseContext = {
  /** True when sending the request twice does no harm: reads, terminate, settings. */
  repeatable: boolean;
  /** Milliseconds since 1970, to turn dates in an answer into a wait. */
  now: number;
};

/**
 * Turns an answer that is not a success into a typed failure. The `error.code` of the body
 * decides; the HTTP status is looked at only where no code came. An answer without a code to a
 * request that may not be repeated leaves the outcome open: a proxy may have lost Meta's own
 * answer after the phone began to ring.
 */
export function failureFromResponse(
  status: number,
  bodyText: string,
  headers: ResponseHeaders,
  context: ResponseContext,
): WhatsAppFailure {
  const graphError = graphErrorWire.safeParse(parseJson(bodyText));
  const traceId = firstHeader(headers, 'x-fb-trace-id') ?? firstHeader(headers, 'x-fb-request-id');
  const retryAfterMs = retryAfter(headers, context.now);
  if (!graphError.success) {
    return makeFailure(rowWithoutCode(status, context.repeatable), {
      httpStatus: status,
      traceId: traceId ?? null,
      retryAfterMs,
    });
  }
  const { error } = graphError.data;
  const details = error.error_data?.details ?? error.error_user_msg ?? error.message;
  return makeFailure(rowOf(error.code, details) ?? unknownRow(status), {
    metaCode: error.code,
    httpStatus: status,
    traceId: error.fbtrace_id ?? traceId ?? null,
    // 138012 writes the next allowed time into its details instead of a header.
    retryAfterMs: retryAfterMs ?? (details === undefined ? null : timeInText(details, context.now)),
    ...(details === undefined ? {} : { details }),
  });
}

/** The failure for a row, with what the answer added to it. */
export function makeFailure(
  row: MetaErrorRow,
  facts: {
    details?: string;
    metaCode?: number;
    httpStatus?: number;
    traceId?: string | null;
    retryAfterMs?: number | null;
    cause?: unknown;
  },
): WhatsAppFailure {
  const { details, ...rest } = facts;
  return new WhatsAppFailure({
    code: row.code,
    message:
      details === undefined || details === ''
        ? row.message
        : `${row.message} Meta says: ${details.slice(0, DETAILS_LENGTH_MAX)}`,
    fix: row.fix,
    verdict: row.verdict,
    side: row.side,
    ...rest,
  });
}

/** What an error inside a webhook means: the same table as for answers. */
export function verdictOfMetaError(metaCode: number): {
  code: string;
  verdict: Verdict;
  side: FailureSide;
} {
  const { code, verdict, side } = metaErrorRow(metaCode) ?? UNKNOWN_ERROR;
  return { code, verdict, side };
}

/** One error object of a webhook in our words. */
export function metaErrorFromWire(error: ErrorWire): MetaError {
  const details = error.error_data?.details;
  return {
    code: error.code,
    message: error.message ?? error.title ?? '',
    ...(details === undefined ? {} : { details }),
  };
}

/** JSON or undefined: error pages are often HTML, and sometimes nothing at all. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, text.includes('\\u0000') ? withoutNul : undefined) as unknown;
  } catch {
    return undefined;
  }
}

/** PostgreSQL's text cannot hold NUL, and one such character must not stop a whole delivery. */
function withoutNul(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value;
}

/**
 * An offer for DTLS to a number on SDES, or the other way round, is a wrong parameter like any
 * other; only the details say that a fingerprint or a key was missed (calling FAQ).
 */
function rowOf(metaCode: number, details: string | undefined): MetaErrorRow | undefined {
  const isOffer =
    metaCode === WRONG_PARAMETER && /\b(no|missing)\b[^.]*\bSDP\b/i.test(details ?? '');
  if (isOffer && /fingerprint|crypto/i.test(details ?? '')) {
    return TRANSPORT_ERRORS.keyExchangeMismatch;
  }
  return metaErrorRow(metaCode);
}

function rowWithoutCode(status: number, repeatable: boolean): MetaErrorRow {
  // 429 and 4xx are said before anything is done, whoever says it.
  if (status === 429) return TRANSPORT_ERRORS.overloaded;
  if (status >= 400 && status < 500 && status !== 408) return TRANSPORT_ERRORS.refused;
  return repeatable ? TRANSPORT_ERRORS.answerInvalid : TRANSPORT_ERRORS.outcomeUnknown;
}

function unknownRow(status: number): MetaErrorRow {
  return status === 429 || status >= 500
    ? { ...UNKNOWN_ERROR, verdict: 'retryable' }
    : UNKNOWN_ERROR;
}

function firstHeader(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** RFC 9110 section 10.2.3: seconds or an HTTP date. */
function retryAfter(headers: ResponseHeaders, now: number): number | null {
  const value = firstHeader(headers, 'retry-after')?.trim();
  if (value === undefined) return null;
  if (/^\d{1,8}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** A time in free text: RFC 3339 or seconds since 1970. Anything else is left unread. */
function timeInText(text: string, now: number): number | null {
  const iso = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})/.exec(text);
  const seconds = /(?<!\d)1\d{9}(?!\d)/.exec(text);
  const at = iso === null ? Number(seconds?.[0] ?? Number.NaN) * 1000 : Date.parse(iso[0]);
  return Number.isNaN(at) || at <= now ? null : at - now;
}
