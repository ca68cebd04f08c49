import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { Agent } from 'undici';
import { errorText } from '../platform/failure.ts';
import type { Clock } from '../platform/clock.ts';
import type { Refusal } from '../platform/refusal.ts';
import { FORBIDDEN_PORTS, isForbiddenAddress } from './forbidden-addresses.ts';
import { ANSWER_BYTES_MAX, ATTEMPT_TIMEOUT_MS, type AttemptResult } from './webhooks.ts';

/**
 * The only way out to addresses that users chose. A name is resolved once, every address it gives
 * is checked, and the connection goes to a checked address: a name that changes between check and
 * connection (DNS rebinding) gains nothing. Redirects are answers, never followed.
 */
export type Egress = {
  /** Why this URL may not be called, or null. Looks at the text only; addresses come later. */
  refuse: (url: string) => Refusal | null;
  /** One POST, at most 15 s and 64 kB of answer; never throws. */
  post: (
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ) => Promise<AttemptResult>;
  /**
   * One POST of which the answer is read: at most `timeoutMs` and 64 kB; never throws. `text` is
   * null where no whole answer came.
   */
  ask: (
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    timeoutMs: number,
  ) => Promise<AttemptResult & { text: string | null }>;
  close: () => Promise<void>;
};

/** As `dns.lookup` with `all: true`; tests pass their own. */
export type LookupAll = (hostname: string) => Promise<ReadonlyArray<LookupAddress>>;

export type EgressOptions = {
  clock: Clock;
  /** True in the sandbox, where receivers live on loopback; false in production. */
  allowPrivate: boolean;
  lookup?: LookupAll;
};

const URL_LENGTH_MAX = 2_048;

export function makeEgress(options: EgressOptions): Egress {
  const agent = new Agent({
    connect: {
      lookup: checkedLookup(options.lookup ?? lookupAll, options.allowPrivate),
      timeout: ATTEMPT_TIMEOUT_MS,
    },
    // One protocol, one kind of trouble: no frames, resets and floods of HTTP/2 from strangers.
    allowH2: false,
    connections: 8,
    pipelining: 1,
    keepAliveTimeout: 10_000,
    maxHeaderSize: 16_384,
    headersTimeout: ATTEMPT_TIMEOUT_MS,
    bodyTimeout: ATTEMPT_TIMEOUT_MS,
  });
  return {
    refuse: (url) => refuseUrl(url, options.allowPrivate),
    async post(url, headers, body) {
      const refusal = refuseUrl(url, options.allowPrivate);
      if (refusal !== null) return unanswered(refusal.code);
      const sent = { url, headers, body, timeoutMs: ATTEMPT_TIMEOUT_MS };
      return (await postOnce(agent, options.clock, sent, dumped)).result;
    },
    async ask(url, headers, body, timeoutMs) {
      const refusal = refuseUrl(url, options.allowPrivate);
      if (refusal !== null) return { ...unanswered(refusal.code), text: null };
      const sent = { url, headers, body, timeoutMs };
      const { result, text } = await postOnce(agent, options.clock, sent, wholeText);
      return { ...result, text };
    },
    close: () => agent.destroy(),
  };
}

type Sent = {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  timeoutMs: number;
};
type AnswerBody = Awaited<ReturnType<Agent['request']>>['body'];

/** The status decides; the body is read only so that the connection can be used again. */
async function dumped(body: AnswerBody, signal: AbortSignal): Promise<null> {
  await body.dump({ limit: ANSWER_BYTES_MAX, signal }).catch(() => {});
  return null;
}

/** The whole body; one that is longer than what is taken is an error, not a part. */
async function wholeText(body: AnswerBody): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > ANSWER_BYTES_MAX) throw new Error('answer_too_large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function postOnce(
  agent: Agent,
  clock: Clock,
  { url, headers, body, timeoutMs }: Sent,
  read: (body: AnswerBody, signal: AbortSignal) => Promise<string | null>,
): Promise<{ result: AttemptResult; text: string | null }> {
  const abort = new AbortController();
  // One deadline for all of it: a receiver that drips a byte a second ends here too.
  const deadline = clock.after(timeoutMs, () => abort.abort(new Error('timed out')));
  const { origin, pathname, search } = new URL(url);
  try {
    const answer = await agent.request({
      origin,
      path: `${pathname}${search}`,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
      signal: abort.signal,
    });
    const text = await read(answer.body, abort.signal);
    const retryAfter = answer.headers['retry-after'];
    const result = {
      status: answer.statusCode,
      error: null,
      retryAfter: typeof retryAfter === 'string' ? retryAfter.slice(0, 64) : null,
    };
    return { result, text };
  } catch (error) {
    const reason = abort.signal.aborted ? 'timed_out' : reasonOf(error);
    return { result: unanswered(reason), text: null };
  } finally {
    deadline.cancel();
  }
}

function unanswered(error: string): AttemptResult {
  return { status: null, error, retryAfter: null };
}

/** A short, stable reason: error codes as they are, texts cut. */
function reasonOf(error: unknown): string {
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return (typeof code === 'string' ? code : errorText(error)).slice(0, 120);
}

class ForbiddenAddressError extends Error {
  readonly code = 'webhook_url_forbidden_address';
}

/** What undici resolves through: all addresses or none, so that none of them stays unchecked. */
function checkedLookup(lookup: LookupAll, allowPrivate: boolean): LookupFunction {
  const resolve = callbackify(async (hostname: string) => {
    const addresses = await lookup(hostname);
    const first = addresses[0];
    const forbidden = !allowPrivate && addresses.some(({ address }) => isForbiddenAddress(address));
    if (first === undefined || forbidden) {
      throw new ForbiddenAddressError('the name leads to a forbidden address');
    }
    return { first, all: [...addresses] };
  });
  return (hostname, options, callback) =>
    resolve(hostname, (error, found) => {
      if (error !== null) callback(error, '', 4);
      else if (options.all === true) callback(null, found.all);
      else callback(null, found.first.address, found.first.family);
    });
}

function lookupAll(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}

/** The URL as text: form, scheme, port, and addresses written as numbers. */
function refuseUrl(text: string, allowPrivate: boolean): Refusal | null {
  if (text.length > URL_LENGTH_MAX) return refusal('too_long', 'Use a shorter URL.');
  // The WHATWG parser repairs these silently; what the user sees must be what is called.
  if (/[\s\\]/.test(text)) return refusal('malformed', 'Remove spaces and backslashes.');
  if (!URL.canParse(text)) return refusal('malformed', 'Send an absolute URL, such as https://….');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return refusal('scheme', 'Use https:// (or http:// in a test).');
  }
  if (url.username !== '' || url.password !== '') {
    return refusal('userinfo', 'Leave user and password out; check the signature instead.');
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if (isForbiddenPort(port, allowPrivate)) {
    return refusal('port', 'Use 80, 443 or a port above 1023 that is no database or mail port.');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (allowPrivate) return null;
  if (isIP(host) !== 0 ? isForbiddenAddress(host) : isLocalName(host)) {
    return refusal('address', 'Use an address on the public internet.');
  }
  return null;
}

function isForbiddenPort(port: number, allowPrivate: boolean): boolean {
  if (port === 0) return true;
  if (allowPrivate || port === 80 || port === 443) return false;
  return port < 1024 || FORBIDDEN_PORTS.has(port);
}

/** Names that never are public: refused at once, where the lookup would only refuse later. */
function isLocalName(host: string): boolean {
  return /(^|\.)(localhost|local|internal|home\.arpa|onion|test|invalid)$/i.test(host);
}

function refusal(what: string, fix: string): Refusal {
  return {
    code: `webhook_url_${what === 'address' ? 'forbidden_address' : what}`,
    message: 'This URL cannot receive webhooks.',
    fix,
  };
}
