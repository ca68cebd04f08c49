import { chooseEndpoint } from '../endpoints/endpoint-lookup.ts';
import type { EndpointDesk } from '../endpoints/endpoint-desk.ts';
import { listEndpoints } from '../endpoints/endpoint-store.ts';
import { requestCall } from '../calls/call-commands.ts';
import type { GatePorts } from '../calls/call-gate.ts';
import { readCall } from '../calls/call-store.ts';
import { askForPermission } from '../consent/request-commands.ts';
import { readConsent } from '../consent/consent-store.ts';
import { permissionOf } from '../consent/consent.ts';
import type { Attribution } from '../attribution/attribution.ts';
import { afterGap, drawArm } from '../experiments/arm-lookup.ts';
import { waitsForHour } from '../experiments/asking-hour.ts';
import { armOf, type ArmOverrides } from '../experiments/assignment.ts';
import { readExperiment } from '../experiments/experiment-store.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import { queueMessage } from '../messages/message-unit.ts';
import { lastInboundAt, WINDOW_MS } from '../messages/window-store.ts';
import { invariant } from '../platform/invariant.ts';
import { isId, type EndpointId, type LineId } from '../platform/ids.ts';
import { isRefused, type Refusal } from '../platform/refusal.ts';
import { planScript } from '../scripts/script-plan-store.ts';
import { findScript } from '../scripts/script-store.ts';
import { sendSurvey } from '../surveys/survey-commands.ts';
import { sendRefusal } from '../templates/template-life.ts';
import { findTemplate } from '../templates/template-store.ts';
import { DEFAULT_LANGUAGE, renderTemplate } from '../templates/template.ts';
import type { RunEffect } from './run-effect.ts';
import type { Done } from './run-rules.ts';
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
  { step, purpose: meant, variables, promisedAt, notAfter }: Doing<'ask'>,
): Promise<Done> {
  const at = unit.now;
  const { overrides, attribution } = await drawnFor(unit, run);
  const chosen = { now: at, chosen: run.askAt ?? null, notAfter };
  const until = waitsForHour(overrides.askAtHour, unit.contact, chosen);
  if (until !== null) return { type: 'waits', at, until, attribution };
  const purpose = overrides.purpose ?? meant;
  const row = await askForPermission(unit, ports, line, {
    purpose,
    template: overrides.template ?? step.template,
    language: overrides.language ?? step.language ?? null,
    variables: variables ?? [run.variables['contactName'] ?? 'there', purpose],
    promisedAt,
    attribution,
    actor: actorOf(run),
  });
  const asked = { type: 'asked', at, purpose, attribution } as const;
  if (!isRefused(row)) return { ...asked, requestId: row.request.requestId };
  if (row.refused.code === 'permission_live') {
    const key = { contactId: unit.contact.id, lineId: line.id };
    const permission = permissionOf(await readConsent(unit.tx, key));
    // A yes to something else is no yes to this.
    if (permission?.purpose === purpose) return { ...asked, requestId: null };
  }
  return refused(unit, row.refused);
}

async function call(
  unit: ContactUnit,
  ports: RunPorts,
  line: StoredLine,
  run: Run,
  { step, purpose: meant, asAsked, endpoint, scriptVariables, notAfter }: Doing<'call'>,
): Promise<Done> {
  const { contact, now, tx } = unit;
  const { overrides, attribution } = await drawnFor(unit, run);
  // The gate compares with the words that were said yes to, so those stay.
  const purpose = asAsked && meant !== '' ? meant : (overrides.purpose ?? meant);
  const named = endpoint === null ? null : await endpointNamed(unit, endpoint);
  if (endpoint !== null && named === null) return refusedFor(unit, 'endpoint_unknown');
  const keyId = run.keyId ?? '';
  const from = await endOfGap(unit, line.id, overrides, notAfter);
  const question = { line, contact, named, purpose, keyId, dueAt: from, now };
  const choice = await chooseEndpoint(tx, ports.endpointDesk, question);
  if (choice === null) return refusedFor(unit, 'endpoint_unknown');
  const scriptName = overrides.scriptId ?? step.script;
  const script = scriptName === undefined ? null : await scriptOf(unit, scriptName);
  if (script === null && scriptName !== undefined) return refusedFor(unit, 'script_unknown');
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
    attribution,
    priority: run.priority ?? step.priority,
    scheduledAt: from,
    onBlocked: 'schedule',
    // With a latest time: the best minute until then, planned like anybody's, and told at once
    // where there is none. What is due waits for a free agent or line as long as there is time.
    ...(notAfter === null
      ? {}
      : { window: { from: from ?? now, until: notAfter }, preferNow: from === null }),
    actor: actorOf(run),
  });
  if (isRefused(state)) return refused(unit, state.refused);
  return { type: 'called', at: now, callId: state.plan.id, attribution };
}

/** What the experiment of a run makes of a step for this person, and what it then belongs to. */
async function drawnFor(
  { contact, tx }: ContactUnit,
  run: Run,
): Promise<{ overrides: ArmOverrides; attribution: Attribution }> {
  const { experimentId = null } = run;
  if (experimentId === null) return { overrides: {}, attribution: run.attribution };
  // Drawn anew for each step: an arm that was stopped since is nobody's any more.
  const { experimentId: _experiment, arm: _arm, ...plain } = run.attribution;
  const { id: contactId, accountId } = contact;
  const drawn = await drawArm(tx, { accountId, contactId, experimentId, attribution: plain });
  return { overrides: drawn?.overrides ?? {}, attribution: drawn?.attribution ?? plain };
}

/** The end of the arm's gap after the yes, where that is still to come and not too late. */
async function endOfGap(
  { contact, now, tx }: ContactUnit,
  lineId: LineId,
  overrides: ArmOverrides,
  notAfter: number | null,
): Promise<number | null> {
  const end = await afterGap(tx, { contactId: contact.id, lineId }, overrides, null);
  if (end === null || end <= now) return null;
  return notAfter !== null && end >= notAfter ? null : end;
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
