import { ManualClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import type { SimulatorSettings } from './settings.ts';
import { openSimulator, PRESET, type Simulator } from './simulator.ts';
import { signature } from './webhook-outlet.ts';

/**
 * A simulator under a manual clock with its receiver in memory: what the tests here, and story
 * tests elsewhere, play on. Nothing waits and nothing leaves the process.
 */
export type Rehearsal = {
  simulator: Simulator;
  clock: ManualClock;
  /** Every delivery that came in, in order, signature verified. */
  received: Received[];
  /** Moves time in small steps and lets deliveries happen in between. */
  pass(ms: number): Promise<void>;
  graph(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<GraphAnswer>;
  /** Sends the preset permission template; returns the message id. */
  ask(number: string): Promise<string>;
  /** Places a call; returns the wacid. */
  dial(number: string, opaque?: string): Promise<string>;
  /** What came in about calls, in order: `connect`, `RINGING`, `terminate FAILED 138020` … */
  callEvents(): string[];
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export type Received = { body: WebhookBody; raw: Buffer; signed: boolean };

/** Read loosely: tests look into the webhook as a receiver would. */
export type WebhookBody = {
  entry: Array<{ id: string; changes: Array<{ field: string; value: WebhookValue }> }>;
};
type Item = Record<string, unknown>;
export type WebhookValue = {
  contacts?: Item[];
  calls?: Item[];
  statuses?: Item[];
  messages?: Item[];
  errors?: Array<{ code: number }>;
  [name: string]: unknown;
};

export type GraphAnswer = { status: number; body: GraphBody };
type GraphBody = {
  error?: { code: number; error_subcode?: number; error_data?: { details: string } };
  messages?: Array<{ id: string }>;
  calls?: Array<{ id: string }>;
  [name: string]: unknown;
};

export async function rehearse(options: {
  settings?: Partial<SimulatorSettings>;
  seed?: number;
  /** Status the receiver answers with; 200 when left out. */
  answer?: (received: Received) => number;
}): Promise<Rehearsal> {
  const clock = new ManualClock();
  const received: Received[] = [];
  const simulator = await openSimulator({
    clock,
    random: seededRandom(options.seed ?? 7),
    log: silentLog,
    host: '127.0.0.1',
    port: 0,
    webhookUrl: 'http://receiver.invalid/webhook',
    media: false,
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    deliver: (delivery) => {
      const signed =
        delivery.headers['x-hub-signature-256'] === signature(delivery.body, PRESET.appSecret);
      const body = JSON.parse(delivery.body.toString()) as WebhookBody;
      const one = { body, raw: delivery.body, signed };
      received.push(one);
      return Promise.resolve(options.answer?.(one) ?? 200);
    },
  });

  const graph: Rehearsal['graph'] = async (method, path, body) => {
    const answer = await simulator.inject({
      method,
      url: `/v23.0/${path}`,
      headers: { authorization: `Bearer ${PRESET.accessToken}` },
      ...(body === undefined ? {} : { payload: body }),
    });
    return answer as GraphAnswer;
  };

  return {
    simulator,
    clock,
    received,
    graph,
    async pass(ms) {
      for (let left = ms; left > 0; left -= STEP_MS) {
        clock.advance(Math.min(STEP_MS, left));
        // A few turns of the event loop let what is in flight arrive.
        for (let turn = 0; turn < 4; turn += 1) await nextTurn();
      }
    },
    async ask(number) {
      const answer = await graph(
        'POST',
        `${PRESET.phoneNumberId}/messages`,
        permissionTemplate(number),
      );
      return answer.body.messages?.[0]?.id ?? `refused ${answer.body.error?.code}`;
    },
    async dial(number, opaque) {
      const answer = await graph(
        'POST',
        `${PRESET.phoneNumberId}/calls`,
        connectBody(number, opaque),
      );
      return answer.body.calls?.[0]?.id ?? `refused ${answer.body.error?.code}`;
    },
    callEvents: () => received.flatMap(({ body }) => eventsOf(body)),
    close: () => simulator.close(),
    [Symbol.asyncDispose]: () => simulator.close(),
  };
}

const STEP_MS = 100;

export function permissionTemplate(number: string): object {
  return {
    messaging_product: 'whatsapp',
    to: number,
    type: 'template',
    biz_opaque_callback_data: 'ask-1',
    template: {
      name: 'call_permission_request',
      language: { code: 'en_US' },
      components: [
        {
          type: 'body',
          parameters: [
            { type: 'text', text: 'Ada' },
            { type: 'text', text: 'your order' },
          ],
        },
      ],
    },
  };
}

export function connectBody(number: string, opaque = 'call-1'): Record<string, unknown> {
  return {
    messaging_product: 'whatsapp',
    to: number,
    action: 'connect',
    session: { sdp_type: 'offer', sdp: SAMPLE_OFFER },
    biz_opaque_callback_data: opaque,
  };
}

/** An offer in the shape Meta documents, without candidates. */
export const SAMPLE_OFFER = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 126',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:Zk9b',
  'a=ice-pwd:1234567890123456789012',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:126 telephone-event/8000',
  '',
].join('\r\n');

function eventsOf(body: WebhookBody): string[] {
  const values = body.entry.flatMap((entry) => entry.changes).filter((c) => c.field === 'calls');
  return values.flatMap(({ value }) => [
    ...(value.calls ?? []).map((call) => {
      const code = value.errors?.[0]?.code;
      const { event, status } = call as { event: string; status?: string };
      const words = [event, status, code].filter((word) => word !== undefined);
      return words.join(' ');
    }),
    ...(value.statuses ?? []).map((status) => status.status as string),
  ]);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
