import { commandConsent } from '../consent/consent-commands.ts';
import type { ConsentCommand } from '../consent/consent.ts';
import { onContact } from '../ledger/contact-unit.ts';
import { findLine } from '../lines/line-store.ts';
import type { Message } from '../messages/message.ts';
import {
  messageRows,
  nameExternalId,
  readMessage,
  resolveExternalId,
} from '../messages/message-store.ts';
import { isId, type PermissionRequestId } from '../platform/ids.ts';
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
    const lastError = fact.errors[0]?.message ?? (isFailed ? stored.lastError : null);
    unit.save(messageRows, message.id, { ...stored, status, wamid: fact.messageId, lastError });
    await nameExternalId(unit.tx, fact.messageId, message.id);
    if (message.requestId === null) return;
    const line = await findLine(unit.tx, fact.phoneNumberId);
    if (line?.id !== message.lineId) return;
    const rules = ports.packs.rulesOf(line.policyPack);
    for (const command of commandsOf(fact, message.requestId)) {
      await commandConsent(unit, line.id, command, { rules, actor: 'meta' });
    }
  });
}

async function findMessage(ports: ReceptionPorts, fact: StatusFact): Promise<Message | null> {
  const { opaque, messageId } = fact;
  const named = opaque !== undefined && isId('message', opaque) ? opaque : null;
  const id = named ?? (await resolveExternalId(ports.database, messageId));
  return id === null || !isId('message', id) ? null : readMessage(ports.database, id);
}

function commandsOf(fact: StatusFact, requestId: PermissionRequestId): ConsentCommand[] {
  const { at } = fact;
  const of = { requestId, at };
  switch (fact.status) {
    case 'sent':
      return [{ type: 'RecordRequestSent', messageId: fact.messageId, ...of }];
    case 'delivered':
      return [{ type: 'RecordRequestDelivered', ...of }];
    case 'read':
      return [{ type: 'RecordRequestRead', ...of }];
    case 'failed': {
      const error = fact.errors[0];
      const known = error === undefined ? undefined : metaErrorRow(error.code);
      const code = known?.code ?? 'meta_error_unknown';
      const message = known?.message ?? error?.message ?? 'Meta could not deliver the message.';
      const fix = known?.fix ?? 'Check the number, and look the code up on the errors page.';
      return [{ type: 'RecordRequestFailed', code, message, fix, ...of }];
    }
  }
}
