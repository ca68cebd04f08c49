import type { LightMyRequestResponse } from 'fastify';
import type { Checkpoint, CheckpointFiles } from '../../src/checkpoints/checkpoints.ts';
import { openServer, type AskfirstServer } from '../../src/main.ts';
import { delay } from '../../src/platform/clock.ts';
import { makeIds } from '../../src/platform/ids.ts';
import { silentLog } from '../../src/platform/log.ts';
import { seededRandom, type Random } from '../../src/platform/random.ts';
import { openVault } from '../../src/platform/vault.ts';
import { readSettings } from '../../src/settings.ts';
import type { Egress } from '../../src/webhooks/egress.ts';
import { openWhatsAppClient } from '../../src/whatsapp/client.ts';
import type { SignedDelivery } from '../../simulator/webhook-outlet.ts';
import { openSimulator, PRESET, type Simulator } from '../../simulator/simulator.ts';
import { FakeMedia, FakeSip } from '../fakes.ts';
import { mortal, type Mortal } from '../mortal.ts';
import { metaDispatcher, signedHeaders } from './meta-in-process.ts';
import type { Mutation } from './mutations.ts';
import { STAGE_LINES, type Business, type Stage } from './stage.ts';
import { makeTrace, type Trace } from './trace.ts';
import { openTurnstile, type Turnstile } from './turnstile.ts';
import { makeWitness, type Witness } from './witness.ts';
import { WorldClock } from './world-clock.ts';

/**
 * One world: the real server on the real database, with everything else played: time, chance,
 * Meta and its phones, the net between, media, endpoints and the businesses' receivers. The seed
 * decides all of it.
 */
export type World = {
  seed: number;
  stage: Stage;
  clock: WorldClock;
  chance: Random;
  simulator: Simulator;
  media: FakeMedia;
  sip: FakeSip;
  witness: Witness;
  trace: Trace;
  /** How many calls the gateway may have at once; small, so that the cap is met. */
  callsAtOnce: number;
  /** Nothing on the net is late or lost all day, so that Meta's times reach us in time. */
  isPunctual: boolean;
  mutation: Mutation | null;
  /** Ids of events that each business's receiver has taken, with the business in them. */
  received: Map<string, number>;
  /** Called when a business's receiver has taken an event. */
  onEvent: (business: Business, event: ReceivedEvent) => void;
  /** Calls that were seen to have ended. */
  ended: Set<string>;
  /** When the last crash was, in ms; -Infinity before the first. */
  crashedAt: number;
  isUp(): boolean;
  /** The process dies at the nth time that it comes to this point. */
  crashAt(point: CrashPoint, nth: number): void;
  crash(): void;
  start(): Promise<void>;
  /** From now on nothing on the way is lost any more. */
  calm(): void;
  /** One API request; null when the process died over it. */
  request(
    business: Business,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object,
    key?: string,
  ): Promise<LightMyRequestResponse | null>;
  /** Hands a webhook to the product as Meta would; its HTTP status, or a rejection. */
  deliver(body: Buffer, headers?: Record<string, string>): Promise<number>;
  settled(): Promise<void>;
  /** True once after anything has been committed. */
  takeChanged(): boolean;
  close(): Promise<void>;
};

export type ReceivedEvent = {
  type: string;
  contactId: string;
  data: Record<string, unknown>;
};

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

/** The disk answers when it likes, which would make two traces of one seed differ. */

export type WorldOptions = {
  stage: Stage;
  seed: number;
  startMs: number;
  mutation: Mutation | null;
  onLine: ((line: string) => void) | null;
};

/** A stream of chance of its own for each part, so that one more draw here shifts nothing there. */
function streamOf(seed: number, part: number): Random {
  return seededRandom(Math.imul(seed, 2_654_435_761) + part * 7_919);
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const { stage, seed, mutation } = options;
  await stage.clear();
  const clock = new WorldClock(options.startMs);
  const trace = makeTrace(options.onLine);
  const say = (what: string): void => trace.add(clock.now(), what);
  const chance = streamOf(seed, 1);
  const net = streamOf(seed, 2);
  const simulator = await openSimulator({
    clock: clock.outside,
    random: streamOf(seed, 3),
    log: silentLog,
    host: '127.0.0.1',
    port: 0,
    webhookUrl: 'http://askfirst.invalid/webhooks/whatsapp',
    media: false,
    deliver: (delivery) => fromMeta(delivery),
    ...(mutation?.meta === undefined ? {} : { settings: mutation.meta }),
  });
  for (const line of STAGE_LINES.slice(1)) {
    simulator.addLine({ ...line, businessName: 'Second', accessToken: PRESET.accessToken });
  }
  const witness = makeWitness({
    businessOf: (id) => STAGE_LINES.find((line) => line.phoneNumberId === id)?.business ?? -1,
    liveCalls: () =>
      simulator
        .people()
        .filter(({ call }) => call !== null && call.direction === 'BUSINESS_INITIATED').length,
    numberOf: (userId) => simulator.people().find((each) => each.userId === userId)?.number,
  });
  const media = new FakeMedia(clock.outside);
  const sip = new FakeSip(clock.outside);

  const crashes = new Map<CrashPoint, Set<number>>();
  const passed = new Map<CrashPoint, number>();
  let life: Mortal | null = null;
  let death = Promise.withResolvers<null>();
  let changed = false;
  let server: AskfirstServer | null = null;
  const callsAtOnce = 1 + chance.below(3);
  let lostPerMille = chance.below(3) === 0 ? 15 : 0;

  /** Comes to a point where the process may die; throws when it does. */
  const pass = (point: CrashPoint): void => {
    if (life === null) return;
    const times = (passed.get(point) ?? 0) + 1;
    passed.set(point, times);
    if (crashes.get(point)?.has(times) !== true) return;
    say(`crash at: ${point}`);
    crash();
    throw new Error('this process was killed');
  };
  const crash = (): void => {
    world.crashedAt = clock.now();
    life?.kill();
    life = null;
    server = null;
    death.resolve(null);
    death = Promise.withResolvers();
    media.forgetAll();
    sip.loseAll();
  };

  const turnstile: Turnstile = openTurnstile({
    forTransactions: stage.forTransactions,
    forTheRest: stage.forTheRest,
    random: streamOf(seed, 4),
    vault: openVault(stage.secrets.dataKey, streamOf(seed, 7)),
    now: () => clock.now(),
    beforeStatement(name) {
      say(`sql ${name}`);
      if (name === 'begin' || name === 'commit') pass(name);
      if (name.startsWith('ledger_insert')) changed = true;
    },
    afterCommit() {
      changed = true;
      quietly(() => pass('committed'));
    },
  });
  const whatsapp = openWhatsAppClient({
    clock: clock.product,
    log: silentLog,
    dispatcher: metaDispatcher({
      simulator,
      clock: clock.outside,
      random: net,
      get lostPerMille() {
        return lostPerMille;
      },
      onSend(request) {
        say(`meta < ${request.method} ${request.path}`);
        quietly(() => pass('meta asked'));
      },
      onAnswer(request, status, body) {
        say(`meta > ${status} ${JSON.stringify(body).slice(0, 60)}`);
        witness.meta(request, status, clock.now());
        quietly(() => pass('meta decided'));
      },
      bend: (request) => mutation?.request?.(request) ?? [request],
    }),
  });
  const checkpointFiles = checkpointsInMemory();
  const ids = makeIds(clock.product, streamOf(seed, 5));
  const random = streamOf(seed, 6);
  const log = silentLog;
  const settings = readSettings({
    ASKFIRST_WEBHOOKS_TO_PRIVATE: 'yes',
    ASKFIRST_REQUESTS_PER_MINUTE: '1000000',
    ASKFIRST_MEDIA_WORKERS: '1',
    ASKFIRST_CALLS_PER_WORKER: String(mutation?.callsAtOnce ?? callsAtOnce),
  });

  const fromMeta = async ({ body, headers }: SignedDelivery): Promise<number> => {
    const acts = witness.webhook(body, clock.now());
    await delay(clock.outside, 5 + net.below(40));
    const [bent, later] = mutation?.webhook?.(body, clock.now()) ?? [body];
    if (later !== undefined) {
      clock.outside.after(SECOND_COPY_MS, () => void world.deliver(later).catch(() => {}));
    }
    const signed = bent === body ? headers : signedHeaders(bent ?? body);
    const status = bent === undefined ? 200 : await world.deliver(bent, signed);
    if (status === 200) {
      if (bent !== undefined) witness.taken.push(bent);
      for (const act of acts) act.acceptedAt ??= clock.now();
    }
    return status;
  };

  const world: World = {
    seed,
    stage,
    clock,
    chance,
    simulator,
    media,
    sip,
    witness,
    trace,
    callsAtOnce,
    isPunctual: lostPerMille === 0,
    mutation,
    received: new Map(),
    onEvent: () => {},
    ended: new Set(),
    crashedAt: -Infinity,
    isUp: () => life !== null,
    crashAt(point, nth) {
      crashes.set(point, (crashes.get(point) ?? new Set()).add(nth));
    },
    crash,
    async start() {
      say('start');
      const { database } = turnstile;
      const mine = mortal({ clock: clock.product, database, media, sip, whatsapp });
      life = mine;
      const egress = receivers(world, net, () => life === mine, say);
      server = await openServer({
        ...mine.ports,
        settings,
        random,
        ids,
        log,
        secrets: stage.secrets,
        simulatorUrl: null,
        webFolder: null,
        egress,
        checkpointFiles,
        listens: false,
      });
    },
    calm() {
      lostPerMille = 0;
      crashes.clear();
      simulator.clearFaults();
    },
    async request(business, method, path, body, key) {
      const inject = server?.inject;
      if (inject === undefined || inject === null) return null;
      if (quietly(() => pass('request arrived'))) return null;
      const headers: Record<string, string> = { authorization: `Bearer ${business.apiKey}` };
      if (key !== undefined) headers['idempotency-key'] = key;
      const asked = {
        method,
        url: path,
        headers,
        ...(body === undefined ? {} : { payload: body }),
      };
      const answer = await Promise.race([inject(asked), death.promise]);
      say(`api ${method} ${path} ${answer?.statusCode ?? 'died'} ${answer?.body.slice(0, 60)}`);
      return answer;
    },
    async deliver(body, headers = signedHeaders(body)) {
      const inject = server?.inject;
      if (inject === undefined || inject === null) throw new Error('connection refused');
      pass('webhook arrived');
      const asked = { method: 'POST', url: '/webhooks/whatsapp', headers, payload: body } as const;
      const answer = await Promise.race([inject(asked), death.promise]);
      pass('webhook stored');
      if (answer === null) throw new Error('connection reset');
      say(`webhook ${answer.statusCode} ${body.length}`);
      return answer.statusCode;
    },
    settled: () => turnstile.settled(),
    takeChanged() {
      const was = changed;
      changed = false;
      return was;
    },
    async close() {
      crash();
      await turnstile.settled();
      await simulator.close();
    },
  };
  return world;

  /** True when the process died over it. */
  function quietly(step: () => void): boolean {
    try {
      step();
      return false;
    } catch {
      return true;
    }
  }
}

/** When a mutation brings its second copy of a webhook. */
const SECOND_COPY_MS = 20 * 60_000;

/** A disk that no crash harms. */
function checkpointsInMemory(): CheckpointFiles {
  const kept = new Map<string, Checkpoint[]>();
  return {
    last: async (accountId) => kept.get(accountId)?.at(-1) ?? null,
    async append(accountId, checkpoints) {
      kept.set(accountId, [...(kept.get(accountId) ?? []), ...checkpoints]);
    },
  };
}

/** The businesses' receivers: mostly well, sometimes broken, slow or away. */
function receivers(
  world: World,
  random: Random,
  isAlive: () => boolean,
  say: (what: string) => void,
): Egress {
  return {
    refuse: () => null,
    async post(url, headers, body) {
      const draw = random.below(100);
      await delay(world.clock.outside, draw < 95 ? 20 + draw : 15_000);
      if (!isAlive()) return new Promise(() => {});
      const id = headers['webhook-id'] ?? '';
      const status = draw < 85 ? 200 : draw < 93 ? 500 : null;
      const event = JSON.parse(body) as ReceivedEvent;
      say(`receiver ${status} ${event.type}`);
      const nth = world.stage.businesses.findIndex(({ receiverUrl }) => receiverUrl === url);
      const business = world.stage.businesses[nth];
      const isTaken = status === 200 && world.mutation?.losesEvents !== true;
      if (isTaken && business !== undefined && !world.received.has(id)) {
        world.received.set(id, nth);
        world.onEvent(business, event);
      }
      return { status, error: status === null ? 'timed_out' : null, retryAfter: null };
    },
    close: async () => {},
  };
}
