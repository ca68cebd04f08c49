import { callOffUnanswered } from '../calls/call-commands.ts';
import { decideRequest, type GatePorts } from '../calls/call-gate.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import { queueMessage } from '../messages/message-unit.ts';
import type { MessageId } from '../messages/message.ts';
import type { PermissionRequestId } from '../platform/ids.ts';
import { isRefused, type Refusal } from '../platform/refusal.ts';
import { commandConsent } from './consent-commands.ts';
import { readConsent, readRequest, requestRows, type RequestRow } from './consent-store.ts';
import { requestOf, type ConsentState } from './consent.ts';
import texts from './native-request-texts.json' with { type: 'json' };

/**
 * A tap on a quick reply of one of our requests. A no declines. A yes is the customer's word to
 * us: where the pack takes it for the permission, it is one; where Meta's own is needed, it opens
 * the messaging window, and the native request follows at once. See
 * docs/decisions/quick-reply-is-evidence-native-is-permission.md.
 */
export type HeardReply = {
  requestId: PermissionRequestId;
  means: 'yes' | 'no';
  text: string;
  /** Meta's id of the reply, and of the message it answers. */
  messageId: string;
  contextId: string;
  at: number;
};

/** What follows a quick reply. */
type Next = 'declined' | 'permission' | 'native_request' | 'nothing';

export async function hearQuickReply(
  unit: ContactUnit,
  ports: GatePorts,
  line: StoredLine,
  reply: HeardReply,
): Promise<void> {
  const { requestId, means, at } = reply;
  const row = await readRequest(unit.tx, unit.contact.accountId, requestId);
  if (row === null) return;
  const outcome = await follow(unit, ports, line, reply, row);
  const { text, contextId, messageId } = reply;
  const { next, because = null } = outcome;
  const data = { lineId: line.id, requestId, kind: means, next, because };
  unit.record({
    type: 'QuickReplyReceived',
    actor: 'customer',
    at,
    data,
    personal: { text, contextId, messageId },
    announce: {
      type: 'permission.quick_reply',
      callId: null,
      sequence: 0,
      data: { lineId: line.id, requestId, purpose: row.request.purpose, answer: means, next },
    },
  });
  const latest = unit.savedRow(requestRows, requestId) ?? row;
  const known = latest.quickReply;
  if (known !== undefined && known.at > at) return;
  const nativeMessageId = outcome.nativeMessageId ?? known?.nativeMessageId ?? null;
  const quickReply = { answer: means, at, nativeMessageId };
  unit.save(requestRows, requestId, { ...latest, quickReply });
}

type Outcome = { next: Next; because?: string; nativeMessageId?: MessageId };

async function follow(
  unit: ContactUnit,
  ports: GatePorts,
  line: StoredLine,
  reply: HeardReply,
  row: RequestRow,
): Promise<Outcome> {
  if (reply.means === 'no') {
    await answer(unit, ports, line, reply, 'reject');
    return { next: 'declined' };
  }
  if (ports.packs.of(line.policyPack).values.permissionBy === 'quick_reply') {
    await answer(unit, ports, line, reply, 'accept');
    return { next: 'permission' };
  }
  const state = await readConsent(unit.tx, { contactId: unit.contact.id, lineId: line.id });
  const overtaken = whyNotFollowed(state, reply, row);
  if (overtaken !== null) return { next: 'nothing', because: overtaken };
  const refusal = await binding(unit, ports, line, row);
  if (refusal !== null) return { next: 'nothing', because: refusal.code };
  return { next: 'native_request', nativeMessageId: sendNative(unit, line, row) };
}

/** The decider orders answers by Meta's time, so late, doubled and contrary ones end the same. */
async function answer(
  unit: ContactUnit,
  ports: GatePorts,
  line: StoredLine,
  { requestId, messageId, contextId, at }: HeardReply,
  response: 'accept' | 'reject',
): Promise<void> {
  const permissionId = unit.ids.next('permission', unit.contact.bucket);
  const rules = ports.packs.rulesOf(line.policyPack);
  const state = await commandConsent(
    unit,
    line.id,
    {
      type: 'RecordReply',
      permissionId,
      response,
      permanent: false,
      metaExpiresAt: null,
      source: 'user',
      contextMessageId: contextId,
      requestId,
      messageId,
      at,
    },
    { rules, actor: 'customer' },
  );
  if (!isRefused(state) && state.status === 'revoked') await callOffUnanswered(unit, line.id);
}

/** Why a yes asks for nothing more; null when the native request is due. */
function whyNotFollowed(
  state: ConsentState,
  { requestId, at }: HeardReply,
  row: RequestRow,
): string | null {
  if ((row.quickReply?.nativeMessageId ?? null) !== null) return 'native_request_sent_already';
  if (requestOf(state)?.requestId !== requestId) return 'newer_request';
  switch (state.status) {
    case 'requested':
    case 'lapsed':
      return null;
    // Who changes a no to a yes is heard; a yes that was only late is not.
    case 'declined':
      return state.declinedAt < at ? null : 'declined_later';
    default:
      return state.status;
  }
}

/** Rules that a yes does not settle; how often and when to ask are settled by it. */
const BINDING = new Set([
  'line_enabled',
  'line_not_restricted',
  'number_known',
  'business_country',
  'customer_country',
  'sanctioned',
  'do_not_call',
]);

async function binding(
  unit: ContactUnit,
  ports: GatePorts,
  line: StoredLine,
  { request }: RequestRow,
): Promise<Pick<Refusal, 'code'> | null> {
  const { contact, now } = unit;
  const question = { contact, line, purpose: request.purpose, now };
  const { verdicts } = await decideRequest(unit.tx, ports, question);
  const refused = verdicts.find(({ rule, verdict }) => verdict === 'refuse' && BINDING.has(rule));
  return refused === undefined ? null : { code: refused.code ?? 'refused' };
}

/** The same request, asked in Meta's own words: free-form, for the tap has opened the window. */
function sendNative(unit: ContactUnit, line: StoredLine, { request }: RequestRow): MessageId {
  const content = { kind: 'native_request', text: nativeRequestText(request) } as const;
  const { requestId } = request;
  return queueMessage(unit, { lineId: line.id, requestId, content }).id;
}

/** In the language of the request, else English. */
export function nativeRequestText(request: { language: string; purpose: string }): string {
  const words: Readonly<Record<string, string>> = texts;
  const language = request.language.split('_')[0] ?? '';
  return (words[language] ?? texts.en).replace('{purpose}', () => request.purpose);
}

/** Meta did not take or deliver the native request; the row tells, for the request stands. */
export async function noteNativeFailure(
  unit: ContactUnit,
  lineId: StoredLine['id'],
  requestId: PermissionRequestId,
  error: { code: string; message: string; fix: string },
): Promise<void> {
  const row = await readRequest(unit.tx, unit.contact.accountId, requestId);
  if (row === null) return;
  const { code, message, fix } = error;
  unit.save(requestRows, requestId, { ...row, error: { code, message, fix } });
  unit.record({
    type: 'NativeRequestFailed',
    actor: 'meta',
    at: unit.now,
    data: { lineId, requestId, code },
    personal: { message, fix },
    announce: {
      type: 'permission.failed',
      callId: null,
      sequence: 0,
      data: { lineId, requestId, purpose: row.request.purpose },
    },
  });
}
