import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { TRANSPORT_ERRORS } from './errors.ts';
import { failureFromResponse, makeFailure, parseJson } from './failure-from-response.ts';
import { exchange, type Exchange } from './graph-exchange.ts';
import { WhatsAppFailure, type LineAccess } from './whatsapp.ts';
import { graphErrorWire } from './wire.ts';

/** One Graph request: its URL, its token, its log line, and what its answer means. */
export type GraphRequest<T> = {
  /** For the log: ids and queries stay out of it. */
  name: string;
  method: 'GET' | 'POST' | 'DELETE';
  path: readonly string[];
  query?: Record<string, string>;
  body?: unknown;
  /** True when sending it twice does no harm, so that a lost answer may be retried. */
  repeatable: boolean;
  answer: z.ZodType<T>;
};

/** Sends a request for a line; throws a `WhatsAppFailure` for anything but a good answer. */
export type Send = <T>(line: LineAccess, request: GraphRequest<T>) => Promise<T>;

export function openSender(options: {
  clock: Clock;
  log: Log;
  dispatcher: Dispatcher;
  timeoutMs: number;
}): Send {
  const { clock, log, dispatcher, timeoutMs } = options;
  return async (line, request) => {
    const startedAt = clock.monotonic();
    const result = await exchange(dispatcher, clock, {
      method: request.method,
      url: graphUrl(line, request.path, request.query),
      headers: {
        authorization: `Bearer ${line.accessToken}`,
        accept: 'application/json',
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      timeoutMs,
    });
    const facts = { request: request.name, tookMs: Math.round(clock.monotonic() - startedAt) };
    try {
      const answer = readAnswer(result, request, clock.now());
      log.debug(facts, 'graph request done');
      return answer;
    } catch (error) {
      if (error instanceof WhatsAppFailure)
        log.warn({ ...facts, failure: error.code }, 'graph request failed');
      throw error;
    }
  };
}

function readAnswer<T>(result: Exchange, request: GraphRequest<T>, now: number): T {
  if (result.kind === 'notSent') {
    const row = result.unusable ? TRANSPORT_ERRORS.lineUnusable : TRANSPORT_ERRORS.unreachable;
    throw makeFailure(row, { cause: result.cause });
  }
  if (result.kind === 'lost') {
    const row = request.repeatable ? TRANSPORT_ERRORS.noAnswer : TRANSPORT_ERRORS.outcomeUnknown;
    throw makeFailure(row, { cause: result.cause });
  }
  const json = parseJson(result.bodyText);
  // The Graph API has been seen to answer 200 with an error inside; the body decides.
  if (result.status >= 200 && result.status < 300 && !graphErrorWire.safeParse(json).success) {
    const answer = request.answer.safeParse(json);
    if (answer.success) return answer.data;
  }
  throw failureFromResponse(result.status, result.bodyText, result.headers, {
    repeatable: request.repeatable,
    now,
  });
}

/** Ids come from settings, so each is escaped: none may reach into another path or query. */
function graphUrl(
  line: LineAccess,
  path: readonly string[],
  query: Record<string, string> | undefined,
): URL {
  const segments = [line.graphVersion, ...path].map((part) => encodeURIComponent(part));
  const text = `${line.graphBaseUrl.replace(/\/+$/, '')}/${segments.join('/')}`;
  if (!URL.canParse(text)) throw makeFailure(TRANSPORT_ERRORS.lineUnusable, {});
  const url = new URL(text);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  return url;
}
