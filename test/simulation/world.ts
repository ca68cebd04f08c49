import type { LightMyRequestResponse } from 'fastify';
import type { CheckpointFiles } from '../../src/checkpoints/checkpoints.ts';
import { openServer, type AskfirstServer } from '../../src/main.ts';
import { delay } from '../../src/platform/clock.ts';
import { makeIds, type Ids } from '../../src/platform/ids.ts';
import { silentLog } from '../../src/platform/log.ts';
import { seededRandom, type Random } from '../../src/platform/random.ts';
import { openVault } from '../../src/platform/vault.ts';
import { readSettings } from '../../src/settings.ts';
import { openWhatsAppClient } from '../../src/whatsapp/client.ts';
import type { WhatsAppClient } from '../../src/whatsapp/whatsapp.ts';
import type { SignedDelivery } from '../../simulator/webhook-outlet.ts';
import { openSimulator, PRESET, type Simulator } from '../../simulator/simulator.ts';
import { FakeMedia, FakeSip } from '../fakes.ts';
import { mortal, type Mortal } from '../mortal.ts';
import { drawFrame, type Frame } from './frame.ts';
import { metaDispatcher, signedHeaders } from './meta-in-process.ts';
import { SECOND_COPY_MS, type Mutation } from './mutations.ts';
import { checkpointsInMemory, receivers } from './receivers.ts';
import { STAGE_LINES, type Business, type Stage } from './stage.ts';
import { makeTrace, type Trace } from './trace.ts';
import { openTurnstile, type Turnstile } from './turnstile.ts';
import { makeWitness, type Witness } from './witness.ts';
import { WorldClock } from './world-clock.ts';

export type ReceivedEvent = {
  type: string;
  contactId: string;
  data: Record<string, unknown>;
};

/** Where a process may die. */
export const CRASH_POINTS = [
  'begin',
  'commit',
  'committed',
  'meta asked',
  'meta decided',
  'webhook arrived',
  'webhook stored',
  'request arrived',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

export type WorldOptions = {
  stage: Stage;
  seed: number;
  mutation: Mutation | null;
  onLine: ((line: string) => void) | null;
};

export async function openWorld(options: WorldOptions): Promise<World> {
  const { stage, seed, mutation } = options;
  await stage.clear();
  // Drawn before anything else: how many calls fit, and how much time the seed plays.
  const chance = streamOf(seed, 1);
  const callsAtOnce = 1 + chance.below(3);
  const frame = drawFrame(seed, chance, callsAtOnce);
  const clock = new WorldClock(frame.startsAt);
  const simulator = await openSimulator({
    clock: clock.outside,
    random: streamOf(seed, 3),
    log: silentLog,
    host: '127.0.0.1',
    port: 0,
    webhookUrl: 'http://askfirst.invalid/webhooks/whatsapp',
    media: false,
    deliver: (delivery) => world.fromMeta(delivery),
    ...(mutation?.meta === undefined ? {} : { settings: mutation.meta }),
  });
  for (const line of STAGE_LINES.slice(1)) {
    simulator.addLine({ ...line, businessName: 'Second', accessToken: PRESET.accessToken });
  }
  const world = new World(options, { clock, simulator, chance, callsAtOnce, frame });
  return world;
}

/** What the seed decides before the world stands. */
type Drawn = {
  clock: WorldClock;
  simulator: Simulator;
  chance: Random;
  callsAtOnce: number;
  frame: Frame;
};

/** A stream of chance of its own for each part, so that one more draw here shifts nothing there. */
function streamOf(seed: number, part: number): Random {
  return seededRandom(Math.imul(seed, 2_654_435_761) + part * 7_919);
}

/**
 * One world: the real server on the real database, with everything else played: time, chance,
 * Meta and its phones, the net between, media, endpoints and the businesses' receivers. The seed
 * decides all of it.
 */
export class World {
  readonly seed: number;
  readonly stage: Stage;
  readonly clock: WorldClock;
  /** For what the day draws. */
  readonly chance: Random;
  /** For when calls are planned and moved; apart, so that the rest of a day stays as it was. */
  readonly moves: Random;
  readonly simulator: Simulator;
  readonly media: FakeMedia;
  readonly sip: FakeSip;
  readonly witness: Witness;
  readonly trace: Trace;
  readonly mutation: Mutation | null;
  readonly frame: Frame;
  /** How many calls the gateway may have at once; small, so that the cap is met. */
  readonly callsAtOnce: number;
  /** Ids of events that a receiver has taken, with the business in them. */
  readonly received = new Map<string, number>();
  /** Called when a business's receiver has taken an event. */
  onEvent: (business: Business, event: ReceivedEvent) => void = () => {};
  /** Calls that were seen to have ended. */
  readonly ended = new Set<string>();
  /** When the last crash was, in ms; -Infinity before the first. */
  crashedAt = -Infinity;
  /** All of them. */
  readonly crashes: number[] = [];

  readonly #net: Random;
  readonly #random: Random;
  readonly #ids: Ids;
  readonly #checkpoints: CheckpointFiles = checkpointsInMemory();
  readonly #turnstile: Turnstile;
  readonly #whatsapp: WhatsAppClient;
  readonly #crashes = new Map<CrashPoint, Set<number>>();
  readonly #passed = new Map<CrashPoint, number>();
  #lostPerMille: number;
  #life: Mortal | null = null;
  #death = Promise.withResolvers<null>();
  #server: AskfirstServer | null = null;
  #changed = false;

  constructor({ stage, seed, mutation, onLine }: WorldOptions, drawn: Drawn) {
    const { clock, simulator: meta } = drawn;
    this.seed = seed;
    this.stage = stage;
    this.mutation = mutation;
    this.clock = clock;
    this.simulator = meta;
    this.trace = makeTrace(onLine);
    this.chance = drawn.chance;
    this.frame = drawn.frame;
    this.moves = streamOf(seed, 8);
    this.#net = streamOf(seed, 2);
    this.#ids = makeIds(clock.product, streamOf(seed, 5));
    this.#random = streamOf(seed, 6);
    this.media = new FakeMedia(clock.outside);
    this.sip = new FakeSip(clock.outside);
    this.callsAtOnce = drawn.callsAtOnce;
    this.#lostPerMille = this.chance.below(3) === 0 && !drawn.frame.isFair ? 15 : 0;
    this.witness = makeWitness({
      businessOf: (id) => stage.lineOf(id)?.business ?? -1,
      liveCalls: () => meta.people().filter(isInBusinessCall).length,
      numberOf: (userId) => meta.people().find((each) => each.userId === userId)?.number,
    });
    this.#turnstile = this.#openTurnstile();
    this.#whatsapp = this.#openClient();
  }

  say(what: string): void {
    this.trace.add(this.clock.now(), what);
  }

  isUp(): boolean {
    return this.#life !== null;
  }

  /** The process dies at the nth time that it comes to this point. */
  crashAt(point: CrashPoint, nth: number): void {
    this.#crashes.set(point, (this.#crashes.get(point) ?? new Set()).add(nth));
  }

  crash(): void {
    this.crashedAt = this.clock.now();
    this.crashes.push(this.crashedAt);
    this.#life?.kill();
    this.#life = null;
    this.#server = null;
    this.#death.resolve(null);
    this.#death = Promise.withResolvers();
    this.media.forgetAll();
    this.sip.loseAll();
  }

  async start(): Promise<void> {
    this.say('start');
    const { media, sip, stage, clock } = this;
    const { database } = this.#turnstile;
    const whatsapp = this.#whatsapp;
    const life = mortal({ clock: clock.product, database, media, sip, whatsapp });
    this.#life = life;
    this.#server = await openServer({
      ...life.ports,
      settings: readSettings({
        ASKFIRST_WEBHOOKS_TO_PRIVATE: 'yes',
        ASKFIRST_REQUESTS_PER_MINUTE: '1000000',
        // Stories and days have clocks of their own; checks would fill them.
        ASKFIRST_ENDPOINT_CHECK_SECONDS: '0',
        ASKFIRST_MEDIA_WORKERS: '1',
        ASKFIRST_CALLS_PER_WORKER: String(this.mutation?.callsAtOnce ?? this.callsAtOnce),
      }),
      random: this.#random,
      ids: this.#ids,
      log: silentLog,
      secrets: stage.secrets,
      simulatorUrl: null,
      webFolder: null,
      egress: receivers(this, this.#net, () => this.#life === life),
      checkpointFiles: this.#checkpoints,
      listens: false,
    });
  }

  /** From now on nothing on the way is lost any more. */
  calm(): void {
    this.#lostPerMille = 0;
    this.#crashes.clear();
    this.simulator.clearFaults();
  }

  /** One API request; null when the process died over it. */
  async request(
    business: Business,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object,
    key?: string,
  ): Promise<LightMyRequestResponse | null> {
    const inject = this.#server?.inject;
    if (inject === undefined || inject === null) return null;
    if (this.#diesAt('request arrived')) return null;
    const headers: Record<string, string> = { authorization: `Bearer ${business.apiKey}` };
    if (key !== undefined) headers['idempotency-key'] = key;
    const asked = { method, url: path, headers, ...(body === undefined ? {} : { payload: body }) };
    const answer = await Promise.race([inject(asked), this.#death.promise]);
    this.say(`api ${method} ${path} ${answer?.statusCode ?? 'died'} ${answer?.body.slice(0, 60)}`);
    return answer;
  }

  /** Hands a webhook to the product as Meta would; its HTTP status, or a rejection. */
  async deliver(
    body: Buffer,
    headers = signedHeaders(body),
    onTaken: () => void = () => {},
  ): Promise<number> {
    const inject = this.#server?.inject;
    if (inject === undefined || inject === null) throw new Error('connection refused');
    this.#pass('webhook arrived');
    const asked = { method: 'POST', url: '/webhooks/whatsapp', headers, payload: body } as const;
    const answer = await Promise.race([inject(asked), this.#death.promise]);
    if (answer === null || answer.statusCode === 200) onTaken();
    this.#pass('webhook stored');
    if (answer === null) throw new Error('connection reset');
    this.say(`webhook ${answer.statusCode} ${body.length}`);
    return answer.statusCode;
  }

  /** What the simulator sends, on its way to the product. */
  async fromMeta({ body, headers }: SignedDelivery): Promise<number> {
    const { clock, mutation, witness } = this;
    const acts = witness.webhook(body, clock.now());
    await delay(clock.outside, 5 + this.#net.below(40));
    const [bent, later] = mutation?.webhook?.(body, clock.now()) ?? [body];
    if (later !== undefined) {
      clock.outside.after(SECOND_COPY_MS, () => void this.deliver(later).catch(() => {}));
    }
    const signed = bent === body ? headers : signedHeaders(bent ?? body);
    const onTaken = (): void => {
      for (const act of acts) act.takenAt ??= clock.now();
    };
    const status = bent === undefined ? 200 : await this.deliver(bent, signed, onTaken);
    if (status !== 200) return status;
    if (bent !== undefined) witness.accepted(bent, clock.now());
    for (const act of acts) act.acceptedAt ??= clock.now();
    return status;
  }

  settled(): Promise<void> {
    return this.#turnstile.settled();
  }

  /** True once after anything has been committed. */
  takeChanged(): boolean {
    const was = this.#changed;
    this.#changed = false;
    return was;
  }

  async close(): Promise<void> {
    this.crash();
    await this.#turnstile.settled();
    await this.simulator.close();
  }

  /** Comes to a point where the process may die; throws when it does. */
  #pass(point: CrashPoint): void {
    if (this.#life === null) return;
    const times = (this.#passed.get(point) ?? 0) + 1;
    this.#passed.set(point, times);
    if (this.#crashes.get(point)?.has(times) !== true) return;
    this.say(`crash at: ${point}`);
    this.crash();
    throw new Error('this process was killed');
  }

  /** As `#pass`, for whoever goes on without the process. */
  #diesAt(point: CrashPoint): boolean {
    try {
      this.#pass(point);
      return false;
    } catch {
      return true;
    }
  }

  #openTurnstile(): Turnstile {
    const { stage, seed, clock } = this;
    return openTurnstile({
      forTransactions: stage.forTransactions,
      forTheRest: stage.forTheRest,
      random: streamOf(seed, 4),
      vault: openVault(stage.secrets.dataKey, streamOf(seed, 7)),
      now: () => clock.now(),
      beforeStatement: (name, text) => {
        this.say(`sql ${name}`);
        stage.willWrite(text);
        if (name === 'begin' || name === 'commit') this.#pass(name);
        if (name.startsWith('ledger_insert')) this.#changed = true;
      },
      afterCommit: () => {
        this.#changed = true;
        this.#diesAt('committed');
      },
    });
  }

  #openClient(): WhatsAppClient {
    const dispatcher = metaDispatcher({
      simulator: this.simulator,
      clock: this.clock.outside,
      random: this.#net,
      lostPerMille: () => this.#lostPerMille,
      onSend: (request) => {
        this.say(`meta < ${request.method} ${request.path}`);
        this.#diesAt('meta asked');
      },
      onAnswer: (request, status, body) => {
        this.say(`meta > ${status} ${JSON.stringify(body).slice(0, 60)}`);
        this.witness.meta(request, { status, body }, this.clock.now());
        this.#diesAt('meta decided');
      },
      bend: (request) => this.mutation?.request?.(request) ?? [request],
    });
    return openWhatsAppClient({ clock: this.clock.product, log: silentLog, dispatcher });
  }
}

function isInBusinessCall({ call }: ReturnType<Simulator['person']>): boolean {
  return call !== null && call.direction === 'BUSINESS_INITIATED';
}
