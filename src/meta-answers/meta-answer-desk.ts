import type { Contact } from '../contacts/contact.ts';
import type { Database } from '../database/database.ts';
import { openLine, type StoredLine } from '../lines/line-store.ts';
import { recipientOf } from '../messages/message-worker.ts';
import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { LineId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { WhatsAppClient } from '../whatsapp/whatsapp.ts';
import type { MetaAnswer } from './meta-answer.ts';
import { answersOf, saveAnswer } from './meta-answer-store.ts';

/**
 * Asks Meta for a contact's permission and keeps the answer as a row, always outside a
 * transaction. The client spaces the questions of one line (Meta allows 5 a second); here the
 * same question is never asked twice at once, and whoever waits is served in order.
 */
export type MetaAnswerDesk = {
  /** Asks soon; `onAnswer` runs once the answer is stored, and never when there is none. */
  want(contact: Contact, line: StoredLine, onAnswer: () => void): void;
  /** Asks and waits; null where Meta could not be asked, and then nothing is known. */
  ask(contact: Contact, line: StoredLine): Promise<MetaAnswer | null>;
  /** Asks and waits, unless there is an answer of that age or younger. */
  freshen(contact: Contact, line: StoredLine, maxAgeMs: number): Promise<void>;
  /** About how long a new question about this line waits before its answer, in ms. */
  waitMs(lineId: LineId): number;
};

export type MetaAnswerPorts = {
  database: Database;
  clock: Clock;
  log: Log;
  sealer: Sealer;
  whatsapp: WhatsAppClient;
};

/** As many as the client lets go in one second, so that no answer is old when it comes. */
const AT_ONCE = 5;
const SPACING_MS = 200;
const ROUND_TRIP_MS = 200;
const WAITING_MAX = 500;
/** After Meta failed to answer, the same question rests for a moment. */
const REST_MS = 2_000;

type Question = {
  contact: Contact;
  line: StoredLine;
  listeners: Array<(answer: MetaAnswer | null) => void>;
};
type Queue = { waiting: Question[]; running: number };

export function openMetaAnswerDesk(ports: MetaAnswerPorts): MetaAnswerDesk {
  const { clock } = ports;
  const queues = new Map<LineId, Queue>();
  const open = new Map<string, Question | 'rests'>();

  const put = (
    contact: Contact,
    line: StoredLine,
    listener: (answer: MetaAnswer | null) => void,
  ): void => {
    const key = `${contact.id}/${line.id}`;
    const asked = open.get(key);
    if (asked === 'rests') return listener(null);
    if (asked !== undefined) {
      asked.listeners.push(listener);
      return;
    }
    const queue = queues.get(line.id) ?? { waiting: [], running: 0 };
    if (queue.waiting.length >= WAITING_MAX) return listener(null);
    queues.set(line.id, queue);
    const question = { contact, line, listeners: [listener] };
    open.set(key, question);
    queue.waiting.push(question);
    serve(queue);
  };

  const serve = (queue: Queue): void => {
    while (queue.running < AT_ONCE) {
      const question = queue.waiting.shift();
      if (question === undefined) return;
      queue.running += 1;
      void answerOne(question, queue);
    }
  };

  const answerOne = async (question: Question, queue: Queue): Promise<void> => {
    const answer = await askOnce(ports, question);
    queue.running -= 1;
    serve(queue);
    if (queue.running === 0) queues.delete(question.line.id);
    const key = `${question.contact.id}/${question.line.id}`;
    open.delete(key);
    if (answer === null) {
      open.set(key, 'rests');
      clock.after(REST_MS, () => open.delete(key));
    }
    for (const listener of question.listeners) listener(answer);
  };

  const ask: MetaAnswerDesk['ask'] = (contact, line) =>
    new Promise((resolve) => {
      put(contact, line, resolve);
    });

  return {
    want: (contact, line, onAnswer) =>
      put(contact, line, (answer) => {
        if (answer !== null) onAnswer();
      }),
    ask,
    async freshen(contact, line, maxAgeMs) {
      const known = await answersOf(ports.database, [contact.id]);
      const last = known.find(({ lineId }) => lineId === line.id)?.answer.askedAt ?? -Infinity;
      if (clock.now() - last >= maxAgeMs) await ask(contact, line);
    },
    waitMs(lineId) {
      const queue = queues.get(lineId);
      const ahead = queue === undefined ? 0 : queue.running + queue.waiting.length;
      return ROUND_TRIP_MS + ahead * SPACING_MS;
    },
  };
}

async function askOnce(
  { database, clock, log, sealer, whatsapp }: MetaAnswerPorts,
  { contact, line }: Question,
): Promise<MetaAnswer | null> {
  const askedAt = clock.now();
  try {
    const { access } = openLine(line, sealer);
    const said = await whatsapp.callPermissions(access, recipientOf(contact));
    const answer = { askedAt, ...said };
    await saveAnswer(database, { contactId: contact.id, lineId: line.id }, answer);
    return answer;
  } catch (error) {
    // Not known is no; the gate says so where the pack wants to know.
    log.warn({ lineId: line.id, error: errorText(error) }, 'Meta did not tell a permission');
    return null;
  }
}
