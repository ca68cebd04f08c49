import { addToChat } from './chat.ts';
import type { PersonAction, SimButton, SimMessage, SimPermissionRequest } from './control-types.ts';
import { GraphError, type MetaErrorCode } from './graph-error.ts';
import { checkRequestAllowed } from './permissions.ts';
import { pairOf, type Line, type Person, type Simulation, type Template } from './simulation.ts';
import { approvedTemplate, componentOf, hasPermissionRequest, variableCount } from './templates.ts';
import { sendMessageStatus } from './webhook-values.ts';

/**
 * Messages of the business. What Meta can judge at once is refused with an HTTP error; what only
 * turns out later (closed window, too old a client) is a `failed` status after a 200.
 */
export function acceptMessage(
  sim: Simulation,
  line: Line,
  person: Person,
  body: Record<string, unknown>,
): SimMessage {
  const card = readCard(sim, line, body);
  if (card.kind === 'permission_request') checkRequestAllowed(sim, line, person);
  const message = addToChat(sim, person, { line, from: 'business', status: 'accepted', ...card });
  const opaque = body.biz_opaque_callback_data;
  const sent: Sent = {
    sim,
    line,
    person,
    message,
    opaque: typeof opaque === 'string' ? opaque : undefined,
    category: card.category,
  };
  const pair = pairOf(line, person);
  if (card.kind === 'permission_request') pair.requestsAt.push(sim.clock.now());
  const windowOpen = pair.windowUntil > sim.clock.now();
  const failure = whyUndeliverable(person, card, windowOpen);
  if (failure === undefined) deliver(sent);
  else sim.clock.after(SENT_AFTER_MS, () => fail(sent, failure));
  return message;
}

const SENT_AFTER_MS = 100;
const DELIVERED_AFTER_MS = 300;

type Card = Pick<SimMessage, 'kind' | 'text' | 'header' | 'footer' | 'buttons'> & {
  category: string;
  freeForm: boolean;
};

type Sent = {
  sim: Simulation;
  line: Line;
  person: Person;
  message: SimMessage;
  opaque: string | undefined;
  category: string;
};

type SendFailure = { code: MetaErrorCode; details: string };

function whyUndeliverable(
  person: Person,
  card: Card,
  windowOpen: boolean,
): SendFailure | undefined {
  if (card.freeForm && !windowOpen) {
    return {
      code: 131047,
      details: 'More than 24 hours have passed since the customer last replied to this number.',
    };
  }
  // Calling needs a client of 2024 or later; a request to an older one cannot be shown.
  if (card.kind === 'permission_request' && person.device === 'too_old') {
    return { code: 131026, details: 'The recipient uses a version of WhatsApp that is too old.' };
  }
  return undefined;
}

function deliver(sent: Sent): void {
  const { sim, message } = sent;
  sim.clock.after(SENT_AFTER_MS, () => tell(sent, 'sent'));
  sim.clock.after(DELIVERED_AFTER_MS, () => {
    if (message.kind === 'permission_request') openRequest(sent);
    tell(sent, 'delivered');
    if (message.kind === 'permission_request' || message.kind === 'template') answerBy(sent);
  });
}

/** Does what the person's script does when asked, natively or by quick replies. */
function answerBy(sent: Sent): void {
  const { sim, person, message } = sent;
  for (const step of person.script.whenAsked) {
    const action = answerTo(message, step.action);
    if (action === null) continue;
    sim.clock.after(step.afterMs, () => {
      tell(sent, 'read');
      sim.act(person, action);
    });
  }
}

/** Of two quick replies the first is the yes, as on the product page. */
function answerTo(message: SimMessage, action: PersonAction): PersonAction | null {
  if (message.kind === 'permission_request') return withMessage(action, message.id);
  const [yes, no] = message.buttons.filter((button) => button.action === 'tap');
  const button = action.action === 'not_now' ? no : yes;
  const isAnswer = ['allow', 'allow_always', 'not_now'].includes(action.action);
  if (!isAnswer || button === undefined) return null;
  return { action: 'tap', text: button.text, messageId: message.id };
}

function withMessage<A extends { action: string }>(action: A, messageId: string): A {
  const answers = ['allow', 'allow_always', 'not_now'];
  return answers.includes(action.action) ? { ...action, messageId } : action;
}

function openRequest(sent: Sent): void {
  const { sim, line, person, message } = sent;
  const request: SimPermissionRequest = {
    state: 'open',
    answeredAt: null,
    openUntil: new Date(sim.clock.now() + sim.settings.requestOpenMs).toISOString(),
  };
  message.request = request;
  pairOf(line, person).requests.set(message.id, request);
}

function tell(sent: Sent, status: 'sent' | 'delivered' | 'read'): void {
  const { sim, line, person, message, opaque, category } = sent;
  message.status = status;
  sendMessageStatus(sim, line, person, { id: message.id, opaque, category }, status);
  sim.changed();
}

function fail(sent: Sent, failure: SendFailure): void {
  const { sim, line, person, message, opaque, category } = sent;
  message.status = 'failed';
  message.buttons = [];
  sendMessageStatus(sim, line, person, { id: message.id, opaque, category }, 'failed', failure);
  sim.changed();
}

/** What the person will see. */
function readCard(sim: Simulation, line: Line, body: Record<string, unknown>): Card {
  switch (body.type ?? 'text') {
    case 'text':
      return textCard(body);
    case 'template':
      return templateCard(sim, line, body.template);
    case 'interactive':
      return interactiveCard(body.interactive);
    default:
      throw new GraphError(131009, `type ${String(body.type)} is not played by this simulator`);
  }
}

function textCard(body: Record<string, unknown>): Card {
  const text = record(body.text).body;
  if (typeof text !== 'string' || text === '') {
    throw new GraphError(131008, 'The parameter text.body is required.');
  }
  if (text.length > 4096) throw new GraphError(100, 'text.body is longer than 4096 characters');
  return plain('text', text);
}

function interactiveCard(raw: unknown): Card {
  const interactive = record(raw);
  const text = record(interactive.body).text;
  if (interactive.type === 'call_permission_request') {
    if (interactive.header !== undefined || interactive.footer !== undefined) {
      throw new GraphError(131009, 'call_permission_request takes no header and no footer');
    }
    if (record(interactive.action).name !== 'call_permission_request') {
      throw new GraphError(131009, 'action.name must be call_permission_request');
    }
    return {
      ...plain('permission_request', typeof text === 'string' ? text : ''),
      buttons: permissionButtons(),
    };
  }
  if (interactive.type === 'voice_call') return voiceCallCard(interactive);
  if (interactive.type === 'list') return listCard(interactive);
  throw new GraphError(131009, `interactive type ${String(interactive.type)} is not supported`);
}

/** Limits of the interactive list page: 10 rows, titles of 24 characters, a button of 20. */
function listCard(interactive: Record<string, unknown>): Card {
  const { button, sections } = record(interactive.action);
  const text = record(interactive.body).text;
  if (typeof text !== 'string' || text === '' || text.length > 1024) {
    throw new GraphError(131009, 'body.text must have 1 to 1024 characters');
  }
  if (typeof button !== 'string' || button === '' || button.length > 20) {
    throw new GraphError(131009, 'action.button must have 1 to 20 characters');
  }
  const rows = (Array.isArray(sections) ? sections : [])
    .flatMap((section) => record(section).rows)
    .map(record);
  const isWhole = rows.every(
    ({ id, title }) =>
      typeof id === 'string' &&
      id.length <= 200 &&
      typeof title === 'string' &&
      title !== '' &&
      title.length <= 24,
  );
  if (rows.length < 1 || rows.length > 10 || !isWhole) {
    throw new GraphError(131009, 'a list has 1 to 10 rows with an id and a title of 1 to 24');
  }
  return {
    ...plain('list', text),
    footer: button,
    buttons: rows.map(({ id, title }) => ({
      text: String(title),
      action: 'tap',
      enabled: true,
      payload: String(id),
    })),
  };
}

/** Limits of the call button page: 20 characters, 1 to 43200 minutes, 512 characters. */
function voiceCallCard(interactive: Record<string, unknown>): Card {
  const parameters = record(record(interactive.action).parameters);
  const label = parameters.display_text ?? 'Call Now';
  const minutes = parameters.ttl_minutes ?? 10_080;
  const payload = parameters.payload ?? '';
  if (typeof label !== 'string' || label.length > 20) {
    throw new GraphError(131009, 'display_text may have 20 characters');
  }
  if (typeof minutes !== 'number' || minutes < 1 || minutes > 43_200) {
    throw new GraphError(131009, 'ttl_minutes must be 1 to 43200');
  }
  if (typeof payload !== 'string' || payload.length > 512) {
    throw new GraphError(131009, 'payload may have 512 characters');
  }
  const text = record(interactive.body).text;
  return {
    ...plain('call_button', typeof text === 'string' ? text : ''),
    buttons: [callButton(label, payload)],
  };
}

function callButton(text: string, payload: string): SimButton {
  return {
    text,
    action: 'call_business',
    enabled: true,
    ...(payload === '' ? {} : { payload }),
  };
}

function templateCard(sim: Simulation, line: Line, raw: unknown): Card {
  const wanted = record(raw);
  const name = wanted.name;
  const language = record(wanted.language).code;
  if (typeof name !== 'string' || typeof language !== 'string') {
    throw new GraphError(
      131008,
      'The parameters template.name and template.language are required.',
    );
  }
  const template = approvedTemplate(sim, line.wabaId, name, language);
  const given = Array.isArray(wanted.components) ? wanted.components.map(record) : [];
  const part = (type: string): string | null => {
    const text = componentOf(template, type)?.text;
    return text === undefined ? null : filled(text, parametersOf(given, type), type);
  };
  const native = hasPermissionRequest(template);
  return {
    kind: native ? 'permission_request' : 'template',
    header: part('HEADER'),
    text: part('BODY') ?? '',
    footer: componentOf(template, 'FOOTER')?.text ?? null,
    buttons: native ? permissionButtons() : quickReplies(template, given),
    category: template.category.toLowerCase(),
    freeForm: false,
  };
}

function parametersOf(given: ReadonlyArray<Record<string, unknown>>, type: string): string[] {
  const component = given.find((each) => String(each.type).toUpperCase() === type);
  if (!Array.isArray(component?.parameters)) return [];
  return component.parameters.map((raw) => {
    const { type: kind, text } = record(raw);
    if (kind !== 'text' || typeof text !== 'string' || text === '') {
      throw new GraphError(132012, 'Every parameter must be {"type":"text","text":"…"}');
    }
    if (/[\n\t]| {5}/.test(text)) {
      throw new GraphError(132012, 'Parameters may not hold new lines, tabs or 5 spaces in a row');
    }
    return text;
  });
}

function filled(text: string, parameters: readonly string[], type: string): string {
  const wanted = variableCount(text);
  if (parameters.length !== wanted) {
    throw new GraphError(
      132000,
      `${type.toLowerCase()}: number of localizable_params (${parameters.length}) does not ` +
        `match the expected number of params (${wanted})`,
    );
  }
  const whole = text.replaceAll(/\{\{(\d+)\}\}/g, (_all, index) => parameters[index - 1] ?? '');
  if (whole.length > 1024) throw new GraphError(132005, 'The filled text is too long');
  return whole;
}

function quickReplies(
  template: Template,
  given: ReadonlyArray<Record<string, unknown>>,
): SimButton[] {
  const buttons = componentOf(template, 'BUTTONS')?.buttons ?? [];
  return buttons.map((button, index) => {
    const own = given.find(
      (each) => String(each.type).toLowerCase() === 'button' && Number(each.index) === index,
    );
    const parts = Array.isArray(own?.parameters) ? own.parameters.map(record) : [];
    const carried = parts.find((part) => typeof part.payload === 'string')?.payload;
    const payload = typeof carried === 'string' ? carried : undefined;
    if (button.type === 'VOICE_CALL') return callButton(button.text, payload ?? '');
    return {
      text: button.text,
      action: 'tap',
      enabled: true,
      ...(payload === undefined ? {} : { payload }),
    };
  });
}

/** The native request's own buttons; a business cannot word them. */
function permissionButtons(): SimButton[] {
  return [
    { text: 'Allow calls', action: 'allow', enabled: true },
    { text: 'Always allow', action: 'allow_always', enabled: true },
    { text: 'Not now', action: 'not_now', enabled: true },
  ];
}

function plain(kind: SimMessage['kind'], text: string): Card {
  return {
    kind,
    text,
    header: null,
    footer: null,
    buttons: [],
    category: 'service',
    freeForm: true,
  };
}

function record(raw: unknown): Record<string, unknown> {
  return typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
}
