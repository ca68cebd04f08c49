import { chooseEndpoint } from '../endpoints/endpoint-lookup.ts';
import type { EndpointDesk } from '../endpoints/endpoint-desk.ts';
import { listEndpoints } from '../endpoints/endpoint-store.ts';
import { requestCall } from '../calls/call-commands.ts';
import type { GatePorts } from '../calls/call-gate.ts';
import { readCall } from '../calls/call-store.ts';
import { askForPermission } from '../consent/request-commands.ts';
import { readConsent } from '../consent/consent-store.ts';
import { permissionOf } from '../consent/consent.ts';
import { armOf } from '../experiments/assignment.ts';
import { readExperiment } from '../experiments/experiment-store.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import { queueMessage } from '../messages/message-unit.ts';
import { lastInboundAt, WINDOW_MS } from '../messages/window-store.ts';
import { invariant } from '../platform/invariant.ts';
import { isId, type EndpointId } from '../platform/ids.ts';
import { isRefused, type Refusal } from '../platform/refusal.ts';
import { planScript } from '../scripts/script-plan-store.ts';
import { findScript } from '../scripts/script-store.ts';
import { sendSurvey } from '../surveys/survey-commands.ts';
import { sendRefusal } from '../templates/template-life.ts';
import { findTemplate } from '../templates/template-store.ts';
import { DEFAULT_LANGUAGE, renderTemplate } from '../templates/template.ts';
import type { Done, RunEffect } from './run-rules.ts';
import type { Run } from './run.ts';

export type RunPorts = GatePorts & { endpointDesk: EndpointDesk };

type Doing<K extends RunEffect['do']> = Extract<RunEffect, { do: K }>;

/** How soon a step tries again that only waits for somebody else to be done. */
const BUSY_MS = 15_000;
const STOPPED_MS = 60_000;
/** Refusals that pass by themselves, although nobody can say when. */
const PASSING: Readonly<Record<string, number>> = {
  account_stopped: STOPPED_MS,
  call_in_progress: BUSY_MS,
  endpoint_full: BUSY_MS,
  key_calls_full: BUSY_MS,
  line_busy: BUSY_MS,
  line_paused: STOPPED_MS,
};

/** Writes what a step does into the unit, and tells what came of it. Nothing remote happens. */
export function perform(
  unit: ContactUnit,
  ports: RunPorts,
  line: StoredLine,
  run: Run,
  effect: RunEffect,
): Promise<Done> {
  switch (effect.do) {
    case 'ask':
      return ask(unit, ports, line, run, effect);
    case 'call':
      return call(unit, ports, line, run, effect);
    case 'message':
      return message(unit, line, run, effect);
    case 'survey':
      return survey(unit, ports, line, run);
    case 'deal':
      return deal(unit, effect);
  }
}

/** Who acts, in the ledger. */
export function actorOf({ journeyId }: Run): string {
  return `journey:${journeyId}`;
}

async function ask(
  unit: ContactUnit,
  ports: RunPorts,
  line: StoredLine,
  run: Run,
  { step, purpose, variables, promisedAt }: Doing<'ask'>,
): Promise<Done> {
  const row = await askForPermission(unit, ports, line, {
    purpose,
    template: step.template,
    language: step.language ?? null,
    variables: variables ?? [run.variables['contactName'] ?? 'there', purpose],
    promisedAt,
    attribution: run.attribution,
    actor: actorOf(run),
  });
  const at = unit.now;
  if (!isRefused(row)) return { type: 'asked', at, requestId: row.request.requestId };
  if (row.refused.code === 'permission_live') {
    const key = { contactId: unit.contact.id, lineId: line.id };
    const permission = permissionOf(await readConsent(unit.tx, key));
    // A yes to something else is no yes to this.
    if (permission?.purpose === purpose) return { type: 'asked', at, requestId: null };
  }
  return refused(unit, row.refused);
}

async function call(
  unit: ContactUnit,
  ports: RunPorts,
  line: StoredLine,
  run: Run,
  { step, purpose, endpoint, scriptVariables, notAfter }: Doing<'call'>,
): Promise<Done> {
  const { contact, now, tx } = unit;
  const named = endpoint === null ? null : await endpointNamed(unit, endpoint);
  if (endpoint !== null && named === null) return refusedFor(unit, 'endpoint_unknown');
  const keyId = run.keyId ?? '';
  const question = { line, contact, named, purpose, keyId, dueAt: null, now };
  const choice = await chooseEndpoint(tx, ports.endpointDesk, question);
  if (choice === null) return refusedFor(unit, 'endpoint_unknown');
  const script = step.script === undefined ? null : await scriptOf(unit, step.script);
  if (script === null && step.script !== undefined) return refusedFor(unit, 'script_unknown');
  const planned =
    script === null
      ? null
      : await planScript(tx, contact.accountId, { scriptId: script, variables: scriptVariables });
  if (isRefused(planned)) return refused(unit, planned.refused);
  const state = await requestCall(unit, ports, line, {
    ...choice,
    script: planned,
    keyId: run.keyId,
    purpose,
    strategy: step.strategy ?? null,
    ringTimeoutMs: step.ringTimeoutMs,
    clientReference: null,
    attribution: run.attribution,
    priority: run.priority ?? step.priority,
    scheduledAt: null,
    onBlocked: 'schedule',
    // With a latest time: the best minute until then, planned like anybody's, and told at once
    // where there is none. What is due waits for a free agent or line as long as there is time.
    ...(notAfter === null ? {} : { window: { from: now, until: notAfter }, preferNow: true }),
    actor: actorOf(run),
  });
  if (isRefused(state)) return refused(unit, state.refused);
  return { type: 'called', at: now, callId: state.plan.id };
}

async function endpointNamed(unit: ContactUnit, text: string): Promise<EndpointId | null> {
  const endpoints = await listEndpoints(unit.tx, unit.contact.accountId);
  return endpoints.find(({ id, name }) => id === text || name === text)?.id ?? null;
}

async function scriptOf(unit: ContactUnit, text: string) {
  if (isId('script', text)) return text;
  return (await findScript(unit.tx, unit.contact.accountId, text))?.id ?? null;
}

async function message(
  unit: ContactUnit,
  line: StoredLine,
  run: Run,
  { step, text, variables }: Doing<'message'>,
): Promise<Done> {
  const told = { type: 'told', at: unit.now } as const;
  const to = { lineId: line.id, requestId: null };
  if (text !== null) {
    if (!(await isWindowOpen(unit, line, run))) return refusedFor(unit, 'messaging_window_closed');
    queueMessage(unit, { ...to, content: { kind: 'text', text } });
    return told;
  }
  const { language = DEFAULT_LANGUAGE, template: name = '' } = step;
  const owner = { accountId: line.accountId, wabaId: line.sealed.wabaId };
  const template = await findTemplate(unit.tx, owner, name, language);
  if (template === null) return refusedFor(unit, 'template_unknown');
  const rendered = renderTemplate({ name, ...template.content }, variables);
  if (isRefused(rendered)) return refused(unit, rendered.refused);
  const unsendable = sendRefusal(template);
  if (unsendable !== null) return refused(unit, unsendable.refused);
  const isSales = template.category === 'MARKETING';
  if (isSales && !(await isWindowOpen(unit, line, run))) {
    return refusedFor(unit, 'messaging_window_closed');
  }
  queueMessage(unit, {
    ...to,
    content: { kind: 'template', name, language, variables: [...variables] },
  });
  return told;
}

/** Meta takes free text for 24 hours after the person wrote or picked up. */
async function isWindowOpen(unit: ContactUnit, line: StoredLine, run: Run): Promise<boolean> {
  const key = { contactId: unit.contact.id, lineId: line.id };
  const heardAt = (await lastInboundAt(unit.tx, key)) ?? 0;
  const called = run.callId === null ? null : await readCall(unit.tx, run.callId);
  return unit.now < Math.max(heardAt, called?.facts.answeredAt ?? 0) + WINDOW_MS;
}

async function survey(
  unit: ContactUnit,
  ports: RunPorts,
  line: StoredLine,
  run: Run,
): Promise<Done> {
  const { callId, attribution } = run;
  if (callId === null) return refusedFor(unit, 'survey_without_call');
  const wish = { callId, line, attribution, actor: actorOf(run) };
  const asked = await sendSurvey(unit, ports, wish);
  return isRefused(asked) ? refused(unit, asked.refused) : { type: 'told', at: unit.now };
}

async function deal(unit: ContactUnit, { step }: Doing<'deal'>): Promise<Done> {
  const { contact, now: at, tx } = unit;
  const { experiment: experimentId } = step;
  const experiment = await readExperiment(tx, contact.accountId, experimentId);
  if (experiment === null) return { type: 'dealt', at, experimentId, arm: null, counted: false };
  const { arm, counted } = armOf(experiment, contact.id);
  return { type: 'dealt', at, experimentId, arm, counted };
}

function refused(unit: ContactUnit, { code, allowedAt }: Refusal): Done {
  const passesMs = PASSING[code];
  const laterAt = allowedAt ?? (passesMs === undefined ? null : unit.now + passesMs);
  invariant(laterAt === null || Number.isFinite(laterAt), 'a time to try again is a time');
  // A time that is over would have it tried for ever in this very unit.
  const isLater = laterAt !== null && laterAt > unit.now;
  return { type: 'refused', at: unit.now, code, laterAt: isLater ? laterAt : null };
}

function refusedFor(unit: ContactUnit, code: string): Done {
  return { type: 'refused', at: unit.now, code, laterAt: null };
}
