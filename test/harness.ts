import { openServer, type AskfirstServer } from '../src/main.ts';
import { makeApiClient, type ApiClient } from '../src/cli/api-client.ts';
import { seedSandbox } from '../src/cli/sandbox.ts';
import type { Database } from '../src/database/database.ts';
import { delay, ManualClock, systemClock, type Clock } from '../src/platform/clock.ts';
import { DueQueue } from '../src/platform/due-queue.ts';
import { makeIds } from '../src/platform/ids.ts';
import { silentLog, type Log } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import type { Speaker } from '../src/prompts/speaker.ts';
import { readSettings } from '../src/settings.ts';
import { openWhatsAppClient } from '../src/whatsapp/client.ts';
import type { SimulatorSettings } from '../simulator/settings.ts';
import { openSimulator, PRESET, type Simulator } from '../simulator/simulator.ts';
import { testDatabase } from './database.ts';
import { FakeMedia, FakeSip } from './fakes.ts';
import { mortal } from './mortal.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A story: the real server, the real database and the simulated Meta, with signalling only, under
 * a clock that moves by hand. `until` moves it in small steps and lets all I/O run in between, so
 * a minute of ringing takes milliseconds and nothing ever sleeps.
 */
export type Story = {
  clock: ManualClock;
  secrets: { dataKey: Uint8Array; doNotCallKey: Uint8Array; ledgerKey: Uint8Array };
  database: Database;
  simulator: Simulator;
  sip: FakeSip;
  media: FakeMedia;
  server: AskfirstServer;
  api: ApiClient;
  apiKey: string;
  /** Where this installation keeps its files. */
  dataDir: string;
  connectionString: string;
  /** Moves time until `holds` gives something other than null, false or undefined. */
  until<T>(what: string, holds: () => Promise<T> | T, maxMs?: number): Promise<NonNullable<T>>;
  /** Moves time by that much, in steps. */
  pass(ms: number): Promise<void>;
  /** Moves time by that much at once, then waits until nothing is under way any more. */
  leap(ms: number): Promise<void>;
  /** When Meta or a person does something next, in ms; Infinity when they do nothing more. */
  nextByOthers(): number;
  /** Stops the server calmly while its media dies, and starts another. */
  restart(): Promise<void>;
  /**
   * Abandons the server as kill -9 does: no timer of it fires again, no statement commits, no
   * packet leaves. Then starts another on the same rows.
   */
  crash(): Promise<void>;
  close(): Promise<void>;
};

const STEP_MS = 20;
const TURNS = 12;
/** A look may be a whole request, so the longer something takes, the rarer it is looked for. */
const LOOK_RARER_MS = 200;
const LOOK_GAP_MAX_MS = 500;
/** How far virtual time may run ahead of work that the database still has in hand. */
const AHEAD_MS = 100;
/** Then time goes on all the same: something may wait for the clock itself. */
const PATIENCE_TURNS = 20_000;

/** That many turns of the event loop without anything under way: all is at rest. */
const CALM_TURNS = 4;
/** What neither began nor ended in as many looks, a millisecond apart, waits for the clock. */
const STUCK_LOOKS = 200;

export type StoryOptions = {
  seed?: number;
  log?: Log;
  settings?: Record<string, string>;
  simulator?: Partial<SimulatorSettings>;
  speaker?: Speaker;
};

export async function openStory(options: StoryOptions = {}): Promise<Story> {
  const clock = new ManualClock(Date.UTC(2026, 5, 3, 12));
  const random = seededRandom(options.seed ?? 1);
  const dataDir = await mkdtemp(join(tmpdir(), 'askfirst-story-'));
  const { database, connectionString, close: closeDatabase } = await testDatabase();
  const ids = makeIds(clock, random);
  const others = watchedTimers(clock);
  const simulator = await openSimulator({
    clock: others,
    random,
    log: silentLog,
    host: '127.0.0.1',
    port: 0,
    webhookUrl: null,
    media: false,
    ...(options.simulator === undefined ? {} : { settings: options.simulator }),
  });
  const ledgerKey = new Uint8Array(32).fill(5);
  const secrets = { dataKey: random.bytes(32), doNotCallKey: random.bytes(32), ledgerKey };
  const sip = new FakeSip(clock);
  const media = new FakeMedia(clock);
  const pbxUri = (user: string): string => `sip:${user}@127.0.0.1:5070`;
  const sandbox = { url: simulator.url, pbxUri, close: () => simulator.close() };
  const apiKey = await seedSandbox({ database, ids, secrets, dataDir }, sandbox);
  const log = options.log ?? silentLog;
  const whatsapp = openWhatsAppClient({ clock, log });
  const settings = readSettings({
    PORT: '0',
    ASKFIRST_DATA_DIR: dataDir,
    ASKFIRST_WEBHOOKS_TO_PRIVATE: 'yes',
    ASKFIRST_REQUESTS_PER_MINUTE: '1000000',
    // Stories and days have clocks of their own; checks would fill them.
    ASKFIRST_ENDPOINT_CHECK_SECONDS: '0',
    ...options.settings,
  });
  let life = mortal({ clock, database, media, sip, whatsapp });
  /** A busy machine must not make time run ahead of its own disk. */
  const settle = async (): Promise<void> => {
    await turns();
    const isBehind = (): boolean => clock.now() - (life.busySince() ?? clock.now()) >= AHEAD_MS;
    for (let turn = 0; turn < PATIENCE_TURNS && isBehind(); turn += 1) await nextTurn();
  };
  /** Waits without burning the processor that the database needs. */
  const rest = async (): Promise<void> => {
    let calm = 0;
    let stuck = 0;
    let last = '';
    while (calm < CALM_TURNS && stuck < STUCK_LOOKS) {
      const { underWay, begun } = life.work();
      const webhooks = simulator.webhooksUnderWay();
      const state = `${underWay} ${begun} ${webhooks}`;
      const isBusy = underWay + webhooks > 0;
      calm = isBusy ? 0 : calm + 1;
      stuck = isBusy && state === last ? stuck + 1 : 0;
      last = state;
      await (isBusy ? delay(systemClock, 1) : nextTurn());
    }
  };
  const start = async (): Promise<void> => {
    life = mortal({ clock, database, media, sip, whatsapp });
    story.server = await openServer({
      ...life.ports,
      settings,
      random,
      ids,
      log,
      secrets,
      simulatorUrl: null,
      webFolder: null,
      ...(options.speaker === undefined ? {} : { speaker: options.speaker }),
    });
    const url = story.server.url ?? '';
    story.api = makeApiClient(url, apiKey, random);
    await simulator.registerWebhook(`${url}/webhooks/whatsapp`, PRESET.verifyToken);
  };
  const story: Story = {
    clock,
    secrets,
    database,
    simulator,
    sip,
    media,
    server: undefined as never,
    api: undefined as never,
    apiKey,
    dataDir,
    connectionString,
    async until(what, holds, maxMs = 120_000) {
      const from = clock.now();
      for (;;) {
        const value = await holds();
        if (value !== null && value !== undefined && value !== false) {
          return value;
        }
        const waited = clock.now() - from;
        if (waited > maxMs) throw new Error(`never came: ${what}`);
        await story.pass(
          Math.min(Math.ceil((waited + 1) / LOOK_RARER_MS) * STEP_MS, LOOK_GAP_MAX_MS),
        );
      }
    },
    async pass(ms) {
      const end = clock.now() + ms;
      while (clock.now() < end) {
        clock.advance(Math.min(STEP_MS, end - clock.now()));
        await settle();
      }
    },
    async leap(ms) {
      clock.advance(ms);
      await rest();
    },
    nextByOthers: () => others.nextAt(),
    async restart() {
      await stop(story, true);
      await start();
    },
    async crash() {
      life.kill();
      media.forgetAll();
      sip.loseAll();
      // Its socket must go. The rest of its closing meets dead ports and may wait for ever.
      void story.server.close().catch(() => {});
      await start();
    },
    async close() {
      await stop(story, false);
      await whatsapp.close();
      await simulator.close();
      await closeDatabase();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  await start();
  return story;
}

/** The same clock, which tells when the timers that were set through it fall due. */
function watchedTimers(clock: Clock): Clock & { nextAt(): number } {
  const due = new DueQueue<null>();
  return {
    ...{ now: () => clock.now(), monotonic: () => clock.monotonic() },
    after(delayMs, task) {
      const forget = due.add(clock.now() + Math.max(0, delayMs), null);
      const timer = clock.after(delayMs, () => {
        forget();
        task();
      });
      const cancel = (): void => {
        forget();
        timer.cancel();
      };
      return { cancel };
    },
    nextAt: () => due.next(),
  };
}

/** Closes the server while time goes on, for its shutdown waits on the clock too. */
async function stop(story: Story, crash: boolean): Promise<void> {
  if (crash) story.media.loseAll();
  const state = { closed: false };
  const closing = story.server.close().finally(() => {
    state.closed = true;
  });
  while (!state.closed) {
    story.clock.advance(STEP_MS);
    await turns();
  }
  await closing;
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
