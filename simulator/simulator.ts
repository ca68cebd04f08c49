import cors from '@fastify/cors';
import { fastify, type FastifyInstance, type InjectOptions } from 'fastify';
import { Agent, request as httpRequest } from 'undici';
import type { Clock } from '../src/platform/clock.ts';
import { errorText } from '../src/platform/failure.ts';
import type { Log } from '../src/platform/log.ts';
import type { Random } from '../src/platform/random.ts';
import {
  addControlRoutes,
  controlError,
  createLine,
  createPerson,
  isLoopbackOrigin,
  sendControlError,
  type PersonMade,
} from './control-routes.ts';
import type {
  FaultDraft,
  LineDraft,
  PersonAction,
  SimFault,
  SimLine,
  SimPerson,
  SimulatorState,
} from './control-types.ts';
import { makeFaultBox } from './faults.ts';
import { addAccountRoutes } from './graph-accounts.ts';
import { addCallRoutes } from './graph-calls.ts';
import { addMessageRoutes } from './graph-messages.ts';
import { addPermissionRoutes } from './graph-permissions.ts';
import { sendGraphError } from './graph-router.ts';
import { addSettingsRoutes } from './graph-settings.ts';
import { lifeClock } from './life-clock.ts';
import type { MediaEngine } from './media-port.ts';
import { perform } from './person-actions.ts';
import { DEFAULT_SETTINGS, type SimulatorSettings } from './settings.ts';
import { addLine, addSentinelPeople, personOf, type Simulation } from './simulation.ts';
import { lineView, personView, snapshot } from './snapshot.ts';
import { addPresetTemplates } from './templates.ts';
import { makeWebhookOutlet, type Deliver, type SignedDelivery } from './webhook-outlet.ts';

/**
 * The simulator plays Meta's Cloud API and the customers' phones, for one app. Other people's
 * code is tested against it, so it refuses, limits and misbehaves as Meta does; where it differs
 * is listed in docs/explanation/simulator-differences.md.
 */
export const PRESET = {
  phoneNumberId: '100000000000001',
  wabaId: '200000000000001',
  appId: '300000000000001',
  displayNumber: '+442079460000',
  businessName: 'Askfirst Demo Clinic',
  accessToken: 'sim-token',
  appSecret: 'sim-app-secret',
  verifyToken: 'sim-verify-token',
} as const;

export type SimulatorOptions = {
  clock: Clock;
  random: Random;
  log: Log;
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Where signed webhooks go; null until one is registered. */
  webhookUrl: string | null;
  /** Real ICE-lite, DTLS and Opus; without it SDP answers lead nowhere. */
  media: boolean;
  /** Lets browsers be phones (needs `media`); true when left out. */
  browserPhone?: boolean;
  settings?: Partial<SimulatorSettings>;
  /** Instead of HTTP, for tests that want no sockets. */
  deliver?: Deliver;
  /** Calls at the demo PBX that runs beside, shown at GET /simulator/pbx. */
  pbxCalls?: () => readonly unknown[];
};

export type Simulator = {
  /** `http://127.0.0.1:port`: Graph base URL, and /simulator for the control API. */
  readonly url: string;
  person(number: string): SimPerson;
  people(): SimPerson[];
  /** Does one thing on a person's phone; throws `ControlFailure` when it cannot be done. */
  act(number: string, action: PersonAction): void;
  addPerson(draft: PersonMade): SimPerson;
  addLine(draft: LineDraft): SimLine;
  setFault(draft: FaultDraft): SimFault;
  clearFaults(): void;
  state(): SimulatorState;
  /** Calls back after changes, at most once per turn of the event loop; returns the way out. */
  onChange(listener: (state: SimulatorState) => void): () => void;
  /** GET handshake, then signed webhooks to that URL. */
  registerWebhook(url: string, verifyToken?: string): Promise<boolean>;
  /** How many webhooks wait for the answer of their receiver right now. */
  webhooksUnderWay(): number;
  /** One request without a socket, for tests. */
  inject(request: InjectOptions): Promise<{ status: number; body: unknown }>;
  close(): Promise<void>;
};

export async function openSimulator(options: SimulatorOptions): Promise<Simulator> {
  const clock = lifeClock(options.clock);
  const watchers = makeWatchers();
  const agent = new Agent({ connections: 16 });
  const settings = { ...DEFAULT_SETTINGS, ...options.settings };
  const faults = makeFaultBox(options.random, watchers.changed);
  const base = { clock, settings, faults, random: options.random, log: options.log };
  const media = options.media ? await openMedia(options, clock, settings.phoneSilentMs) : null;
  const webhooks = makeWebhookOutlet({
    ...base,
    appSecret: PRESET.appSecret,
    url: options.webhookUrl,
    deliver: options.deliver ?? ((delivery) => post(agent, delivery)),
    challenge: (url) => get(agent, url),
    changed: watchers.changed,
  });
  const sim: Simulation = {
    ...base,
    webhooks,
    media,
    browserPhone: options.browserPhone ?? true,
    lines: new Map(),
    people: new Map(),
    formerUserIds: new Set(),
    calls: new Map(),
    templates: new Map(),
    apps: {
      id: PRESET.appId,
      secret: PRESET.appSecret,
      verifyToken: PRESET.verifyToken,
      tokens: new Set([PRESET.accessToken]),
      subscribed: new Set(),
    },
    changed: watchers.changed,
    act: (person, action) => actQuietly(sim, person.number, action),
  };
  fill(sim);
  let url = '';
  const state = (): SimulatorState => snapshot(sim, url);
  const app = await buildApp(sim, { state, onChange: watchers.add });
  app.get('/simulator/pbx', () => ({ calls: options.pbxCalls?.() ?? [] }));
  url = await app.listen({ host: options.host, port: options.port });
  return {
    url,
    person: (number) => personView(sim, personOf(sim, number)),
    people: () => [...sim.people.values()].map((person) => personView(sim, person)),
    act: (number, action) => perform(sim, personOf(sim, number), action),
    addPerson: (draft) => personView(sim, createPerson(sim, draft)),
    addLine: (draft) => lineView(sim, createLine(sim, draft)),
    setFault: (draft) => faults.add(draft),
    clearFaults: () => faults.clear(),
    state,
    onChange: (listener) => watchers.add(() => listener(state())),
    registerWebhook: (target, token) => webhooks.register(target, token ?? PRESET.verifyToken),
    webhooksUnderWay: () => webhooks.underWay(),
    async inject(request) {
      const answer = await app.inject(request);
      const json = String(answer.headers['content-type']).includes('json');
      return { status: answer.statusCode, body: json ? answer.json() : answer.body };
    },
    async close() {
      clock.stop();
      webhooks.close();
      app.server.closeAllConnections();
      await app.close();
      for (const call of sim.calls.values()) await call.media?.close();
      await media?.close();
      await agent.destroy();
    },
  };
}

function fill(sim: Simulation): void {
  addSentinelPeople(sim);
  addLine(sim, { ...PRESET, number: PRESET.displayNumber });
  addPresetTemplates(sim, PRESET.wabaId);
}

async function buildApp(
  sim: Simulation,
  world: Parameters<typeof addControlRoutes>[2],
): Promise<FastifyInstance> {
  const app = fastify({ bodyLimit: 1_000_000, forceCloseConnections: true });
  await app.register(cors, {
    origin: (origin, answer) => answer(null, origin !== undefined && isLoopbackOrigin(origin)),
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
  });
  app.setErrorHandler((error, request, reply) =>
    request.url.startsWith('/simulator')
      ? sendControlError(sim, error, reply)
      : sendGraphError(sim, error, request, reply),
  );
  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send(
        controlError(
          'unknown_path',
          'The simulator has nothing at this path.',
          'Graph paths begin with a version (/v23.0/…), control paths with /simulator/.',
        ),
      ),
  );
  addCallRoutes(app, sim);
  addPermissionRoutes(app, sim);
  addMessageRoutes(app, sim);
  addSettingsRoutes(app, sim);
  addAccountRoutes(app, sim);
  addControlRoutes(app, sim, world);
  return app;
}

/** Only a simulator with media pays for loading the WebRTC stack. */
async function openMedia(
  options: SimulatorOptions,
  clock: Clock,
  phoneSilentMs: number,
): Promise<MediaEngine> {
  const { openMediaEngine } = await import('./media-engine.ts');
  const { random, log, host } = options;
  return openMediaEngine({ clock, random, log, host, phoneSilentMs });
}

/** Scripted people act on what they see; when the moment has passed they let it be. */
function actQuietly(sim: Simulation, number: string, action: PersonAction): void {
  try {
    perform(sim, personOf(sim, number), action);
  } catch (error) {
    sim.log.debug({ action: action.action, reason: errorText(error) }, 'a script step was skipped');
  }
}

type Watchers = { changed: () => void; add: (listener: () => void) => () => void };

function makeWatchers(): Watchers {
  const listeners = new Set<() => void>();
  let told = false;
  return {
    changed() {
      if (told || listeners.size === 0) return;
      told = true;
      queueMicrotask(() => {
        told = false;
        for (const listener of listeners) listener();
      });
    },
    add(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

async function post(agent: Agent, delivery: SignedDelivery): Promise<number> {
  const { url, headers, body, signal } = delivery;
  const answer = await httpRequest(url, {
    method: 'POST',
    headers,
    body,
    signal,
    dispatcher: agent,
  });
  await answer.body.dump();
  return answer.statusCode;
}

async function get(agent: Agent, url: string): Promise<string | null> {
  try {
    const answer = await httpRequest(url, { dispatcher: agent });
    const text = await answer.body.text();
    return answer.statusCode === 200 ? text : null;
  } catch {
    return null;
  }
}
