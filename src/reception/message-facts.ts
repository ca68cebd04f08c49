import { onContact } from '../ledger/contact-unit.ts';
import { findLine } from '../lines/line-store.ts';
import { foldNews } from '../messages/message-commands.ts';
import type { Message, MessageNews } from '../messages/message.ts';
import {
  messageRows,
  nameExternalId,
  readMessage,
  resolveExternalId,
} from '../messages/message-store.ts';
import { isId } from '../platform/ids.ts';
import { metaErrorRow } from '../whatsapp/errors.ts';
import type { WhatsAppFact } from '../whatsapp/whatsapp.ts';
import type { ReceptionPorts } from './reception.ts';

type StatusFact = Extract<WhatsAppFact, { kind: 'messageStatus' }>;

/**
 * Folds what became of a message of ours. It also settles messages whose POST was never answered:
 * any status proves that Meta took them.
 */
export async function foldMessageStatus(ports: ReceptionPorts, fact: StatusFact): Promise<void> {
  const message = await findMessage(ports, fact);
  if (message === null) return;
  await onContact(ports, message.contactId, async (unit) => {
    // A "sent" that was overtaken by its failure must not undo it; "delivered" is proof.
    const stored = (await readMessage(unit.tx, message.id)) ?? message;
    const isLate = fact.status === 'sent' && stored.status === 'failed';
    const isFailed = fact.status === 'failed' || isLate;
    const status = isFailed ? 'failed' : 'sent';
    const news = newsOf(fact);
    const failed = news.type === 'failed' ? news : null;
    const lastError = fact.errors[0]?.message ?? (isFailed ? stored.lastError : null);
    unit.save(messageRows, message.id, {
      ...stored,
      status,
      wamid: fact.messageId,
      lastError,
      ...(isDelivered(fact) ? { deliveredAt: stored.deliveredAt ?? fact.at } : {}),
      ...(fact.status === 'read' ? { readAt: stored.readAt ?? fact.at } : {}),
      failure: isFailed ? (errorOf(failed) ?? stored.failure ?? null) : null,
    });
    await nameExternalId(unit.tx, fact.messageId, message.id);
    const line = await findLine(unit.tx, fact.phoneNumberId);
    if (line?.id !== message.lineId) return;
    const rulesOf = async () => ports.packs.rulesOf(line.policyPack);
    await foldNews(unit, rulesOf, stored, news);
  });
}

/** Read implies delivered; Meta may leave the step between out. */
function isDelivered({ status }: StatusFact): boolean {
  return status === 'delivered' || status === 'read';
}

function errorOf(news: { code: string; message: string; fix: string } | null): Message['failure'] {
  if (news === null) return null;
  const { code, message, fix } = news;
  return { code, message, fix };
}

async function findMessage(ports: ReceptionPorts, fact: StatusFact): Promise<Message | null> {
  const { opaque, messageId } = fact;
  const named = opaque !== undefined && isId('message', opaque) ? opaque : null;
  const id = named ?? (await resolveExternalId(ports.database, messageId));
  return id === null || !isId('message', id) ? null : readMessage(ports.database, id);
}

function newsOf(fact: StatusFact): MessageNews {
  const { at, status } = fact;
  switch (status) {
    case 'sent':
      return { type: 'sent', wamid: fact.messageId, at };
    case 'delivered':
    case 'read':
      return { type: status, at };
    case 'failed': {
      const error = fact.errors[0];
      const known = error === undefined ? undefined : metaErrorRow(error.code);
      const code = known?.code ?? 'meta_error_unknown';
      const message = known?.message ?? error?.message ?? 'Meta could not deliver the message.';
      const fix = known?.fix ?? 'Check the number, and look the code up on the errors page.';
      return { type: 'failed', code, message, fix, at };
    }
  }
}
