import type { ConsentRules } from '../consent/consent.ts';
import { readConsent } from '../consent/consent-store.ts';
import type { Contact } from '../contacts/contact.ts';
import { findOrCreateContact } from '../contacts/contact-store.ts';
import { onContact, type ContactUnit, type LedgerPorts } from '../ledger/contact-unit.ts';
import { repeat } from '../platform/clock.ts';
import { Failure, errorText } from '../platform/failure.ts';
import { REFUSALS } from '../policy/refusal-codes.ts';
import type { LineId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { LineAccess, Recipient, SentMessage, WhatsAppClient } from '../whatsapp/whatsapp.ts';
import { rowId, SCORES } from '../surveys/survey.ts';
import { foldNews } from './message-commands.ts';
import type { Message, MessageNews } from './message.ts';
import {
  claimMessages,
  giveUpLostMessages,
  messageRows,
  nameExternalId,
  putOff,
  readMessage,
} from './message-store.ts';

/** The worker that hands queued messages to Meta and records what came of it. */
export type MessageWorker = { wake(): void; close(): Promise<void> };

type StopCode = 'account_stopped' | 'line_paused';

export type MessageWorkerPorts = LedgerPorts & {
  whatsapp: WhatsAppClient;
  log: Log;
  owner: string;
  accessOf: (lineId: LineId) => Promise<LineAccess | null>;
  contactOf: (message: Message) => Promise<Contact | null>;
  /** Why the line asks nobody now: its account has stopped everything, or its brakes hold it. */
  stopOf: (lineId: LineId) => Promise<StopCode | null>;
  /** When a request of the line may go; later than now only where its brakes slow it. */
  turnOf: (lineId: LineId, now: number) => Promise<number>;
  rulesOfLine: (unit: ContactUnit, lineId: LineId) => Promise<ConsentRules>;
};

/** Changes that leave a message for somebody who waits for it. */
const SENDS_AT_ONCE = new Set([
  'PermissionRequested',
  'QuickReplyReceived',
  'CallButtonRequested',
  'SurveyRequested',
  'OptedOut',
  'OptOutPending',
]);
const POLL_MS = 500;
const BATCH = 32;
const LEASE_SECONDS = 60;
/** Waits before the second, third … try of a message that Meta could not take right now. */
const RETRY_MS = [2_000, 10_000, 60_000, 300_000] as const;

export function openMessageWorker(ports: MessageWorkerPorts): MessageWorker {
  let running: Promise<void> | null = null;
  let again = false;
  const pass = async (): Promise<void> => {
    try {
      await giveUpLostMessages(ports.database);
      const now = ports.clock.now();
      const batch = await claimMessages(ports.database, now, BATCH, ports.owner, LEASE_SECONDS);
      await Promise.all(batch.map((message) => send(ports, message)));
      again ||= batch.length === BATCH;
    } catch (error) {
      ports.log.error({ error: errorText(error) }, 'sending messages failed');
    }
  };
  const drain = async (): Promise<void> => {
    while (again) {
      again = false;
      await pass();
    }
  };
  const run = async (): Promise<void> => {
    again = true;
    running ??= drain().finally(() => {
      running = null;
    });
    await running;
  };
  const stop = repeat(ports.clock, POLL_MS, run);
  const unsubscribe = ports.changes.subscribe((change) => {
    if (SENDS_AT_ONCE.has(change.type)) void run();
  });
  return {
    wake: () => void run(),
    async close() {
      unsubscribe();
      await stop();
      await running;
    },
  };
}

async function send(ports: MessageWorkerPorts, message: Message): Promise<void> {
  try {
    const access = await ports.accessOf(message.lineId);
    const contact = await ports.contactOf(message);
    if (access === null || contact === null) throw gone();
    if (!(await isStillWanted(ports, message))) throw closed();
    const asks = message.requestId !== null || message.content.kind === 'survey';
    if (message.content.kind === 'survey' && isBarred(contact)) throw closed();
    // Only what asks: who said stop must be told that it was heard.
    const stop = asks ? await ports.stopOf(message.lineId) : null;
    if (stop !== null) throw stopped(stop);
    if (await isToWait(ports, message)) return;
    const sent = await post(ports.whatsapp, access, recipientOf(contact), message);
    await record(ports, { ...message, status: 'sent', wamid: sent.messageId }, { sent });
  } catch (error) {
    await recordFailure(ports, message, error);
  }
}

/** Where others of a slowed line ask first, a request is put off to its own turn, once. */
async function isToWait(ports: MessageWorkerPorts, message: Message): Promise<boolean> {
  if (message.requestId === null || (message.turnAt ?? null) !== null) return false;
  const now = ports.clock.now();
  const turnAt = await ports.turnOf(message.lineId, now);
  if (turnAt <= now) return false;
  await putOff(ports.database, message.id, turnAt);
  return true;
}

/**
 * A request that waited for its turn may have been overtaken: the person said stop, or answered
 * in their profile, or it was revoked. Then nobody is asked any more.
 */
async function isStillWanted(ports: MessageWorkerPorts, message: Message): Promise<boolean> {
  const { requestId, contactId, lineId } = message;
  if (requestId === null) return true;
  const consent = await readConsent(ports.database, { contactId, lineId });
  if (consent.status === 'none' || consent.request?.requestId !== requestId) return false;
  if (message.content.kind !== 'native_request') return consent.status === 'requested';
  // It follows a yes, which may have come late, or after a no of before.
  if (consent.status === 'declined') return consent.declinedAt < message.createdAt;
  return consent.status === 'requested' || consent.status === 'lapsed';
}

/** Whoever has said stop since is not asked how it was, either. */
function isBarred({ optedOutAt, optOutPending, erasedAt }: Contact): boolean {
  return optedOutAt !== null || optOutPending !== null || erasedAt !== null;
}

function post(
  whatsapp: WhatsAppClient,
  access: LineAccess,
  to: Recipient,
  message: Message,
): Promise<SentMessage> {
  const { content } = message;
  // Our id travels with the message, so that a lost answer can still be told from its webhooks.
  switch (content.kind) {
    case 'text':
      return whatsapp.sendText(access, to, content.text, message.id);
    case 'template':
      return whatsapp.sendTemplate(access, to, content, message.id);
    case 'native_request':
      return whatsapp.sendCallPermissionRequest(access, to, content.text, message.id);
    case 'survey': {
      const { text, button, callId } = content;
      // Stars tell the two ends apart in every language.
      const rows = SCORES.map((score) => ({
        id: rowId(callId, score),
        title: `${score} ${'★'.repeat(score)}`,
      }));
      return whatsapp.sendList(access, to, { text, button, rows }, message.id);
    }
    case 'call_button': {
      const { text, ...button } = content;
      return whatsapp.sendCallButton(access, to, { text, button }, message.id);
    }
  }
}

export function recipientOf(contact: Contact): Recipient {
  return {
    ...(contact.e164 === null ? {} : { to: contact.e164 }),
    ...(contact.userId === null ? {} : { userId: contact.userId }),
  };
}

async function recordFailure(
  ports: MessageWorkerPorts,
  message: Message,
  error: unknown,
): Promise<void> {
  const lastError = errorText(error);
  const failure = error instanceof Failure ? error : null;
  ports.log.warn({ messageId: message.id, code: failure?.code }, 'message was not sent');
  if (failure === null || failure.side === 'indeterminate') {
    await record(ports, { ...message, status: 'unknown', lastError }, {});
    return;
  }
  const waitMs = RETRY_MS[message.attempts - 1];
  if (failure.verdict === 'retryable' && waitMs !== undefined) {
    const dueAt = ports.clock.now() + waitMs;
    await record(ports, { ...message, status: 'queued', dueAt, lastError }, {});
    return;
  }
  await record(ports, { ...message, status: 'failed', lastError }, { failure });
}

type Outcome = { sent?: SentMessage; failure?: Failure };

async function record(
  ports: MessageWorkerPorts,
  message: Message,
  outcome: Outcome,
): Promise<void> {
  const { sent } = outcome;
  await onContact(ports, message.contactId, async (unit) => {
    // A webhook may have told more than our POST: what Meta took is not sent again.
    const stored = await readMessage(unit.tx, message.id);
    const isSettled = stored?.status === 'sent' || stored?.status === 'failed';
    if (isSettled && (message.status === 'queued' || message.status === 'unknown')) return;
    unit.save(messageRows, message.id, { ...message, failure: failureOf(outcome) });
    if (sent !== undefined) await learn(ports, unit, message, sent);
    const news = newsOf(outcome, unit.now);
    if (news === null) return;
    const rulesOf = () => ports.rulesOfLine(unit, message.lineId);
    await foldNews(unit, rulesOf, stored ?? message, news);
  });
}

function failureOf({ failure }: Outcome): NonNullable<Message['failure']> | null {
  if (failure === undefined) return null;
  const { code, message, fix } = failure;
  return { code, message, fix };
}

function newsOf({ sent, failure }: Outcome, at: number): MessageNews | null {
  if (sent !== undefined) return { type: 'sent', wamid: sent.messageId, at };
  if (failure === undefined) return null;
  const { code, message, fix } = failure;
  return { type: 'failed', code, message, fix, at };
}

/**
 * Meta's answer names the message and the person. A person who hides the number will answer by
 * user id alone, so the two are tied together now.
 */
async function learn(
  ports: MessageWorkerPorts,
  unit: ContactUnit,
  message: Message,
  { messageId, userId }: SentMessage,
): Promise<void> {
  await nameExternalId(unit.tx, messageId, message.id);
  if (userId === undefined || unit.contact.userId === userId) return;
  const identity = { contactId: message.contactId, userId };
  await findOrCreateContact(unit.tx, ports.ids, message.accountId, identity, unit.now);
}

function closed(): Failure {
  return new Failure({
    code: 'message_target_gone',
    message: 'The request was closed before its message was sent.',
    fix: 'Nothing to do; the customer was not asked.',
    verdict: 'terminal',
    side: 'client',
  });
}

function stopped(code: StopCode): Failure {
  const { meaning, fix } = REFUSALS[code];
  return new Failure({
    code,
    message: meaning,
    fix,
    verdict: 'terminal',
    side: 'client',
  });
}

function gone(): Failure {
  return new Failure({
    code: 'message_target_gone',
    message: 'The line or the contact of this message no longer exists.',
    fix: 'Nothing to do; ask again from a line that exists.',
    verdict: 'terminal',
    side: 'client',
  });
}
