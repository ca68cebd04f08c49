import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorText } from '../src/platform/failure.ts';
import { attachPhone } from './browser-phones.ts';
import {
  readAction,
  readDecision,
  readFault,
  readLine,
  readPerson,
  readPhone,
  readWebhook,
} from './control-bodies.ts';
import { ControlFailure } from './control-failure.ts';
import type { ControlError, LineDraft, PersonDraft, SimulatorState } from './control-types.ts';
import { record } from './graph-router.ts';
import { SENTINEL_PEOPLE, type PersonSpec } from './people.ts';
import { perform } from './person-actions.ts';
import {
  addLine,
  addPerson,
  personOf,
  type Line,
  type Person,
  type Simulation,
} from './simulation.ts';
import { callView, lineView, personView } from './snapshot.ts';
import { decideTemplate, templateBody } from './templates.ts';
import { sendRestriction } from './webhook-values.ts';

export type ControlContext = {
  state: () => SimulatorState;
  /** Calls back on every change, at most once per turn; returns the way out. */
  onChange: (listener: () => void) => () => void;
};

/** The control API under /simulator: what is not Meta's, but the sandbox's own. */
export function addControlRoutes(
  app: FastifyInstance,
  sim: Simulation,
  world: ControlContext,
): void {
  app.get('/simulator/state', () => world.state());
  app.get('/simulator/stream', (request, reply) => stream(sim, world, request, reply));
  app.get('/simulator/calls', () => ({
    live: [...sim.calls.values()].map((call) => callView(sim, call)),
    past: [...sim.people.values()].flatMap((person) =>
      person.pastCalls.map((call) => callView(sim, call)),
    ),
  }));
  app.put('/simulator/webhook', async (request) => {
    const { url, verifyToken } = readWebhook(request.body);
    if (await sim.webhooks.register(url, verifyToken)) return { url };
    throw new ControlFailure(
      409,
      'handshake_failed',
      'The webhook URL did not answer the challenge.',
      'Answer GET with the raw hub.challenge and 200 when hub.verify_token is yours.',
    );
  });
  addPeopleRoutes(app, sim);
  addFaultRoutes(app, sim);
  addTemplateControls(app, sim);
  app.post('/simulator/lines', (request, reply) => {
    const line = createLine(sim, readLine(request.body));
    return reply.code(201).send(lineView(sim, line));
  });
  app.post('/simulator/lines/:id/restrict', (request) => {
    const line = sim.lines.get(pathParam(request, 'id'));
    if (line === undefined) throw notFound('line', 'phoneNumberId');
    // A pause for low quality lasts seven days and blocks calls and requests alike.
    line.restrictedUntil = sim.clock.now() + 7 * 86_400_000;
    sendRestriction(sim, line);
    sim.changed();
    return lineView(sim, line);
  });
}

/** JSON with a fix, for everything the control API refuses. */
export function sendControlError(
  sim: Simulation,
  error: unknown,
  reply: FastifyReply,
): FastifyReply {
  if (error instanceof ControlFailure) {
    return reply.code(error.http).send(controlError(error.code, error.message, error.fix));
  }
  const status = record(error).statusCode;
  if (typeof status === 'number' && status < 500) {
    return reply
      .code(status)
      .send(
        controlError('bad_request', errorText(error), 'Send a JSON body with its content-type.'),
      );
  }
  sim.log.error({ err: error }, 'the control API failed');
  return reply
    .code(500)
    .send(controlError('bug', 'The simulator failed.', 'Look into its log, and report it.'));
}

export function controlError(code: string, message: string, fix: string): ControlError {
  return { error: { code, message, fix } };
}

function addPeopleRoutes(app: FastifyInstance, sim: Simulation): void {
  app.post('/simulator/people', (request, reply) => {
    const person = createPerson(sim, readPerson(request.body));
    return reply.code(201).send(personView(sim, person));
  });
  app.get('/simulator/people/:number', (request) => personView(sim, personIn(sim, request)));
  app.post('/simulator/people/:number/actions', (request) => {
    const person = personIn(sim, request);
    perform(sim, person, readAction(request.body));
    return personView(sim, person);
  });
  app.post('/simulator/people/:number/phone', async (request) => {
    const answer = await attachPhone(sim, personIn(sim, request), readPhone(request.body).sdp);
    return { type: 'answer', sdp: answer };
  });
}

/** Templates by Meta's id, and what becomes of them later. */
function addTemplateControls(app: FastifyInstance, sim: Simulation): void {
  app.get('/simulator/templates', () => ({
    templates: [...sim.templates.values()].map(templateBody),
  }));
  app.post('/simulator/templates/:id', (request) => {
    const id = pathParam(request, 'id');
    const template = [...sim.templates.values()].find((each) => each.id === id);
    if (template === undefined) throw notFound('template', 'id');
    decideTemplate(sim, template, readDecision(request.body));
    return templateBody(template);
  });
}

function addFaultRoutes(app: FastifyInstance, sim: Simulation): void {
  app.get('/simulator/faults', () => ({ faults: sim.faults.list() }));
  app.post('/simulator/faults', (request, reply) =>
    reply.code(201).send(sim.faults.add(readFault(request.body))),
  );
  app.delete('/simulator/faults', (_request, reply) => {
    sim.faults.clear();
    return reply.code(204).send();
  });
  app.delete('/simulator/faults/:id', (request, reply) => {
    if (!sim.faults.remove(pathParam(request, 'id'))) throw notFound('fault', 'id');
    return reply.code(204).send();
  });
}

/** What a program may give a person beside what the control API takes. */
export type PersonMade = PersonDraft & Partial<Pick<PersonSpec, 'device' | 'script'>>;

/** A person made on the fly; `like` borrows device and script of somebody in the table. */
export function createPerson(sim: Simulation, draft: PersonMade): Person {
  if (sim.people.has(draft.number)) {
    throw new ControlFailure(
      409,
      'person_exists',
      'This number already has an owner.',
      'Choose another number, or act for the person who has it.',
    );
  }
  const model = SENTINEL_PEOPLE.find((spec) => spec.number === draft.like);
  if (draft.like !== undefined && model === undefined) throw notFound('person', 'like');
  const device = draft.device ?? model?.device;
  const script = draft.script ?? model?.script;
  return addPerson(sim, {
    about: model?.about ?? 'Driven by hand.',
    ...(device === undefined ? {} : { device }),
    ...(script === undefined ? {} : { script }),
    number: draft.number,
    name: draft.name ?? `Person ${draft.number.slice(-4)}`,
    ...(draft.username === undefined ? {} : { username: draft.username }),
    hidesNumber: draft.hidesNumber ?? false,
  });
}

export function createLine(sim: Simulation, draft: LineDraft): Line {
  if (draft.phoneNumberId !== undefined && sim.lines.has(draft.phoneNumberId)) {
    throw new ControlFailure(
      409,
      'line_exists',
      'This phone number id is taken.',
      'Leave phoneNumberId out to get a new one.',
    );
  }
  if (draft.accessToken !== undefined) sim.apps.tokens.add(draft.accessToken);
  return addLine(sim, { ...draft, number: draft.displayNumber });
}

/** Server-sent events: the whole state, now and after every change. */
function stream(
  sim: Simulation,
  world: ControlContext,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  reply.hijack();
  const origin = request.headers.origin;
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    ...(origin !== undefined && isLoopbackOrigin(origin)
      ? { 'access-control-allow-origin': origin, vary: 'Origin' }
      : {}),
  });
  // A browser that reads slowly gets the newest state, not a queue of old ones.
  let waiting = false;
  const push = (): void => {
    if (waiting) return;
    waiting = true;
    sim.clock.after(STREAM_PAUSE_MS, () => {
      waiting = false;
      if (reply.raw.destroyed) return;
      if (reply.raw.writableNeedDrain) push();
      else reply.raw.write(`data: ${JSON.stringify(world.state())}\n\n`);
    });
  };
  const leave = world.onChange(push);
  request.raw.on('close', leave);
  reply.raw.write(`data: ${JSON.stringify(world.state())}\n\n`);
}

const STREAM_PAUSE_MS = 50;

/** Pages of this machine may use the control API, whatever their port; nobody else's may. */
export function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) || hostname.endsWith('.localhost');
}

function personIn(sim: Simulation, request: FastifyRequest): Person {
  const text = pathParam(request, 'number');
  const number = text.startsWith('+') ? text : `+${text.trim()}`;
  if (!/^\+[1-9]\d{6,14}$/.test(number)) {
    throw new ControlFailure(
      400,
      'bad_number',
      'The number in the path is not E.164.',
      'Write it like %2B447700900001.',
    );
  }
  return personOf(sim, number);
}

function pathParam(request: FastifyRequest, name: string): string {
  const value = record(request.params)[name];
  return typeof value === 'string' ? value : '';
}

function notFound(what: string, field: string): ControlFailure {
  return new ControlFailure(
    404,
    `unknown_${what}`,
    `There is no such ${what}.`,
    `Take a ${field} that GET /simulator/state shows.`,
  );
}
