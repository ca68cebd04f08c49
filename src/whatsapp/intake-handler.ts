import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { errorText, Failure } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { Intake } from './intake.ts';
import { INTAKE_PROBLEMS, type IntakeProblem } from './intake-problems.ts';
import { verifySignature } from './signature.ts';

/**
 * Takes one delivery from a bare node:http request: limit, signature, commit, 200. It stands
 * below fastify because the hooks of the API (security headers, rate limits, request logs) cost
 * more than the whole job of a webhook; bench/intake.ts holds what that saves.
 */
/** Meta's documented maximum for one delivery. */
const BODY_BYTES_MAX = 3 * 1024 * 1024;
const RETRY_AFTER_SECONDS = '5';

/** What the active lines hold; asked for at every request, so it should come from memory. */
export type WebhookSecrets = {
  verifyTokens: readonly string[];
  appSecrets: readonly string[];
};

export type IntakeHandlerOptions = {
  intake: Intake;
  log: Log;
  lookup: () => WebhookSecrets | Promise<WebhookSecrets>;
  /** Called once per answered delivery, for the metrics. */
  observe?: (status: number) => void;
};

export type IntakeHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Never throws: whatever goes wrong becomes an answer that makes Meta send again. */
export function makeIntakeHandler(options: IntakeHandlerOptions): IntakeHandler {
  return (request, response) => {
    void answer(options, request, response).then((status) => {
      if (status !== undefined) options.observe?.(status);
    });
  };
}

async function answer(
  options: IntakeHandlerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<number | undefined> {
  try {
    const rawBody = await readBody(request);
    if (rawBody === 'gone') return undefined;
    if (rawBody === 'too large') return sendProblem(response, INTAKE_PROBLEMS.bodyTooLarge);
    const secrets = options.lookup();
    const { appSecrets } = secrets instanceof Promise ? await secrets : secrets;
    if (!verifySignature(rawBody, request.headers['x-hub-signature-256'], appSecrets)) {
      options.log.warn({ bytes: rawBody.length }, 'webhook with a bad signature');
      return sendProblem(response, INTAKE_PROBLEMS.signatureInvalid);
    }
    await options.intake.accept(rawBody);
    response.writeHead(200, { 'content-length': 0 }).end();
    return 200;
  } catch (error) {
    const reason = error instanceof Failure ? error.code : errorText(error);
    options.log.error({ reason }, 'webhook not accepted');
    return sendProblem(response, INTAKE_PROBLEMS.notStored);
  }
}

/** The whole body; 'gone' when the sender hung up before its end. */
function readBody(request: IncomingMessage): Promise<Buffer | 'too large' | 'gone'> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > BODY_BYTES_MAX) return Promise.resolve('too large');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
      else resolve('too large');
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => resolve('gone'));
    request.on('close', () => resolve('gone'));
  });
}

/** RFC 9457, like every other error of the server. */
export function sendProblem(response: ServerResponse, problem: IntakeProblem): number {
  if (response.headersSent || response.destroyed) return problem.status;
  const body = JSON.stringify({ type: 'about:blank', ...problem });
  const headers: OutgoingHttpHeaders = {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
  };
  if (problem.status === 503) headers['retry-after'] = RETRY_AFTER_SECONDS;
  // What is left of an oversized body is not worth reading.
  if (problem.status === 413) headers['connection'] = 'close';
  response.writeHead(problem.status, headers);
  response.end(body);
  return problem.status;
}
