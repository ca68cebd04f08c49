import { createHmac } from 'node:crypto';
import { isoTime, type Clock, type TimerHandle } from '../src/platform/clock.ts';
import { errorText } from '../src/platform/failure.ts';
import type { Log } from '../src/platform/log.ts';
import type { Random } from '../src/platform/random.ts';
import type { SimDelivery } from './control-types.ts';
import type { FaultBox } from './faults.ts';
import { newTraceId } from './meta-ids.ts';
import type { SimulatorSettings } from './settings.ts';

/** Sends one POST and resolves with its HTTP status; rejects when no answer came. */
export type Deliver = (delivery: SignedDelivery) => Promise<number>;

export type SignedDelivery = {
  url: string;
  headers: Record<string, string>;
  body: Buffer;
  signal: AbortSignal;
};

/** One change, as it stands in `entry[].changes[]`. */
export type Webhook = {
  /** What it carries (`connect`, `RINGING`, `text` …); faults are matched by it. */
  event: string;
  wabaId: string;
  field: string;
  value: Record<string, unknown>;
  /** First attempts with the same key keep their order; different keys overtake each other. */
  orderKey: string;
  /** Only account and template fields carry `entry[].time`. */
  timed?: boolean;
};

/**
 * Signed webhooks, at least once and without a promise of order: 20 s time-out, then repeated
 * with growing pauses until a 2xx comes (Meta's calling FAQ). Faults bend a delivery on its way.
 * The clock it gets must die with the simulator; see life-clock.ts.
 */
export type WebhookOutlet = {
  /** Resolves when the first attempt is over, whatever became of it. */
  send(webhook: Webhook): Promise<void>;
  /** GET handshake, as Meta does when a URL is registered; true when the challenge came back. */
  register(url: string, verifyToken: string): Promise<boolean>;
  url(): string | null;
  recent(): SimDelivery[];
  /** How many deliveries wait for their answer right now. */
  underWay(): number;
  close(): void;
};

export type OutletOptions = {
  clock: Clock;
  random: Random;
  log: Log;
  settings: SimulatorSettings;
  faults: FaultBox;
  appSecret: string;
  url: string | null;
  deliver: Deliver;
  /** Fetches the handshake; resolves with the body of a 200, else null. */
  challenge: (url: string) => Promise<string | null>;
  changed: () => void;
};

export function makeWebhookOutlet(options: OutletOptions): WebhookOutlet {
  return new Outlet(options);
}

class Outlet implements WebhookOutlet {
  readonly #options: OutletOptions;
  #url: string | null;
  #closed = false;
  #counter = 0;
  #underWay = 0;
  readonly #recent: SimDelivery[] = [];
  /** The last first-attempt of each lane, so that the next one waits for it. */
  readonly #lanes = new Map<string, Promise<void>>();
  /** Held back by `reorder_webhooks`, and by `two_in_one_delivery`. */
  #overtaken: Held | undefined;
  #joined: Held | undefined;

  constructor(options: OutletOptions) {
    this.#options = options;
    this.#url = options.url;
  }

  send(webhook: Webhook): Promise<void> {
    const { faults, random, clock, changed } = this.#options;
    if (faults.strike('unknown_event', webhook.event) !== undefined) {
      this.#dispatch(this.#openLetter(strangeWebhook(webhook, random)));
    }
    const letter = this.#openLetter(webhook);
    const late = faults.strike('delay_webhook', webhook.event);
    if (late === undefined) this.#dispatch(letter);
    else clock.after(late.delayMs ?? 3000, () => this.#dispatch(letter));
    changed();
    return letter.firstTry.promise;
  }

  async register(candidate: string, verifyToken: string): Promise<boolean> {
    const wanted = newTraceId(this.#options.random);
    const query = new URL(candidate);
    query.searchParams.set('hub.mode', 'subscribe');
    query.searchParams.set('hub.challenge', wanted);
    query.searchParams.set('hub.verify_token', verifyToken);
    if ((await this.#options.challenge(query.href)) !== wanted) return false;
    this.#url = candidate;
    this.#options.changed();
    return true;
  }

  url(): string | null {
    return this.#url;
  }

  recent(): SimDelivery[] {
    return this.#recent.map((record) => ({ ...record }));
  }

  underWay(): number {
    return this.#underWay;
  }

  close(): void {
    this.#closed = true;
  }

  #openLetter(webhook: Webhook): Letter {
    this.#counter += 1;
    const record: SimDelivery = {
      id: `delivery-${this.#counter}`,
      at: isoTime(this.#options.clock.now()),
      event: webhook.event,
      attempts: 0,
      state: 'waiting',
      lastStatus: null,
    };
    this.#recent.unshift(record);
    this.#recent.length = Math.min(this.#recent.length, RECENT_LIMIT);
    return { webhooks: [webhook], record, firstTry: Promise.withResolvers<void>() };
  }

  #dispatch(letter: Letter): void {
    const { faults, clock } = this.#options;
    const { event } = letter.record;
    if (this.#joined !== undefined) {
      const { letter: first } = this.#joined;
      first.webhooks.push(...letter.webhooks);
      void first.firstTry.promise.then(letter.firstTry.resolve);
      letter.record.state = 'delivered';
      return this.#releaseJoined();
    }
    if (faults.strike('two_in_one_delivery', event) !== undefined) {
      this.#joined = { letter, timer: clock.after(HELD_MAX_MS, () => this.#releaseJoined()) };
      return;
    }
    const reordered = this.#overtaken === undefined && faults.strike('reorder_webhooks', event);
    if (reordered) {
      this.#overtaken = { letter, timer: clock.after(HELD_MAX_MS, () => this.#releaseOvertaken()) };
      return;
    }
    this.#enqueue(letter);
    const [first] = letter.webhooks;
    if (first !== undefined && faults.strike('duplicate_webhook', event) !== undefined) {
      this.#enqueue(this.#openLetter(first));
    }
    this.#releaseOvertaken();
  }

  #releaseOvertaken(): void {
    const held = this.#overtaken;
    this.#overtaken = undefined;
    held?.timer.cancel();
    if (held !== undefined) this.#enqueue(held.letter);
  }

  #releaseJoined(): void {
    const held = this.#joined;
    this.#joined = undefined;
    held?.timer.cancel();
    if (held !== undefined) this.#enqueue(held.letter);
  }

  /** First attempts of a lane go one after the other; a failed one does not hold up the rest. */
  #enqueue(letter: Letter): void {
    const lane = letter.webhooks[0]?.orderKey ?? '';
    const before = this.#lanes.get(lane) ?? Promise.resolve();
    const run = before.then(() => this.#attempt(letter));
    this.#lanes.set(lane, run);
    void run.finally(() => {
      if (this.#lanes.get(lane) === run) this.#lanes.delete(lane);
    });
  }

  async #attempt(letter: Letter): Promise<void> {
    const { faults, clock, settings, appSecret, changed } = this.#options;
    const { record, firstTry } = letter;
    if (this.#closed || this.#url === null) return firstTry.resolve();
    const first = record.attempts === 0;
    record.attempts += 1;
    if (first && faults.strike('drop_webhook', record.event) !== undefined) {
      clock.after(settings.webhookTimeoutMs, () => this.#retry(letter));
      return firstTry.resolve();
    }
    const forged = first && faults.strike('wrong_signature', record.event) !== undefined;
    const status = await this.#post(letter, this.#url, forged ? FORGED_SECRET : appSecret);
    record.lastStatus = status;
    if (status !== null && status >= 200 && status < 300) record.state = 'delivered';
    else this.#retry(letter);
    firstTry.resolve();
    changed();
  }

  #retry(letter: Letter): void {
    const wait = this.#options.settings.webhookRetryMs[letter.record.attempts - 1];
    if (wait === undefined) letter.record.state = 'given_up';
    else this.#options.clock.after(wait, () => void this.#attempt(letter));
  }

  async #post(letter: Letter, url: string, secret: string): Promise<number | null> {
    const { clock, settings, deliver, log } = this.#options;
    const body = escapedJson(envelope(letter.webhooks, clock.now()));
    const abort = new AbortController();
    this.#underWay += 1;
    // A manual clock may move far in one step; the limit counts from when that step is over.
    await Promise.resolve();
    const limit = clock.after(settings.webhookTimeoutMs, () => abort.abort());
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'facebookexternalua',
      'x-hub-signature-256': signature(body, secret),
    };
    try {
      return await deliver({ url, headers, body, signal: abort.signal });
    } catch (error) {
      log.debug({ event: letter.record.event, reason: errorText(error) }, 'webhook not delivered');
      return null;
    } finally {
      this.#underWay -= 1;
      limit.cancel();
    }
  }
}

type Letter = { webhooks: Webhook[]; record: SimDelivery; firstTry: PromiseWithResolvers<void> };
type Held = { letter: Letter; timer: TimerHandle };

const HELD_MAX_MS = 2000;
const RECENT_LIMIT = 500;
const FORGED_SECRET = 'not the secret';

/** `sha256=` and the HMAC over exactly the bytes that travel. */
export function signature(body: Buffer, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/**
 * Meta's way of writing JSON: non-ASCII as lower-case `\uXXXX`, `/` as `\/`. Whoever hashes
 * re-serialised JSON instead of the raw bytes finds out here.
 */
export function escapedJson(value: unknown): Buffer {
  const text = JSON.stringify(value)
    .replaceAll('/', '\\/')
    .replace(
      /[\u0080-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  return Buffer.from(text, 'ascii');
}

function envelope(webhooks: readonly Webhook[], nowMs: number): Record<string, unknown> {
  return {
    object: 'whatsapp_business_account',
    entry: webhooks.map((webhook) => ({
      id: webhook.wabaId,
      ...(webhook.timed === true ? { time: Math.floor(nowMs / 1000) } : {}),
      changes: [{ value: webhook.value, field: webhook.field }],
    })),
  };
}

/** A receiver must record what it does not know and answer 200; anything else is retried. */
function strangeWebhook(like: Webhook, random: Random): Webhook {
  return {
    event: 'call_hologram',
    wabaId: like.wabaId,
    field: 'calls',
    orderKey: like.orderKey,
    value: {
      messaging_product: 'whatsapp',
      ...('metadata' in like.value ? { metadata: like.value.metadata } : {}),
      calls: [{ id: `wacid.${newTraceId(random)}`, event: 'call_hologram', timestamp: '0' }],
      statuses: [{ id: `wacid.${newTraceId(random)}`, type: 'call', status: 'LEVITATING' }],
      holograms: [{ colour: 'blue' }],
    },
  };
}
