import { createHmac } from 'node:crypto';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../src/platform/clock.ts';
import { delay } from '../../src/platform/clock.ts';
import type { Random } from '../../src/platform/random.ts';
import { PRESET, type Simulator } from '../../simulator/simulator.ts';

/**
 * Meta without sockets: the product's own client speaks to this dispatcher, which hands each
 * request to the simulator after some time on the way, and may lose it there, or its answer.
 */
export type MetaRequest = {
  method: string;
  path: string;
  body: Record<string, unknown>;
};

export type MetaNet = {
  simulator: Simulator;
  clock: Clock;
  random: Random;
  /** Of a thousand requests, how many never arrive and how many answers never do. */
  lostPerMille: () => number;
  /** A request is on its way; may throw, as a process that dies right then. */
  onSend: (request: MetaRequest) => void;
  /** It arrived, and Meta has decided. */
  onAnswer: (request: MetaRequest, status: number, body: unknown) => void;
  /** What arrives of a request: the request itself, once, but for a mutation. */
  bend: (request: MetaRequest) => readonly MetaRequest[];
};

export function metaDispatcher(net: MetaNet): Dispatcher {
  const dispatch = (
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean => {
    void carry(net, options, handler);
    return true;
  };
  // Only `dispatch` is ever called; the rest of undici's class would bring sockets along.
  return { dispatch } as unknown as Dispatcher;
}

async function carry(
  net: MetaNet,
  options: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
): Promise<void> {
  let aborted = false;
  const controller = {
    abort(reason: Error) {
      if (aborted) return;
      aborted = true;
      handler.onResponseError?.(controller as never, reason);
    },
  };
  const fail = (reason: string): void => controller.abort(new Error(reason));
  handler.onRequestStart?.(controller as never, {});
  const text = typeof options.body === 'string' ? options.body : '';
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  const request = { method: options.method, path: options.path, body };
  net.onSend(request);
  await delay(net.clock, wayMs(net.random));
  if (isLost(net)) return fail('connection reset on the way');
  let answer: { status: number; body: unknown } = { status: 0, body: null };
  for (const bent of net.bend(request)) answer = await arrive(net, options, bent);
  await delay(net.clock, wayMs(net.random));
  if (isLost(net)) return fail('connection reset before the answer');
  if (aborted) return;
  handler.onResponseStart?.(controller as never, answer.status, {}, '');
  const bytes = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  handler.onResponseData?.(controller as never, Buffer.from(bytes));
  handler.onResponseEnd?.(controller as never, {});
}

async function arrive(
  net: MetaNet,
  options: Dispatcher.DispatchOptions,
  request: MetaRequest,
): Promise<{ status: number; body: unknown }> {
  const answer = await net.simulator.inject({
    method: options.method,
    url: request.path,
    headers: options.headers as Record<string, string>,
    ...(request.method === 'GET' ? {} : { payload: JSON.stringify(request.body) }),
  });
  net.onAnswer(request, answer.status, answer.body);
  return answer;
}

function wayMs(random: Random): number {
  return 5 + random.below(60);
}

function isLost(net: MetaNet): boolean {
  const chance = net.lostPerMille();
  return chance > 0 && net.random.below(1_000) < chance;
}

/** Signs a body as Meta does. */
export function signedHeaders(body: Buffer): Record<string, string> {
  const digest = createHmac('sha256', PRESET.appSecret).update(body).digest('hex');
  return { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${digest}` };
}
