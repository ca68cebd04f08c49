import { readContact } from '../contacts/contact-store.ts';
import { sweepAnswers } from '../http/idempotency-store.ts';
import { repeat } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { sweepInbox } from '../whatsapp/inbox-store.ts';
import { erasePerson, type ErasurePorts } from './erasure-commands.ts';
import { saveSwept, unfinishedErasures, type OpenErasure } from './erasure-store.ts';

/**
 * Finishes erasures: those that waited for a call to end, and the sweep through what knows no
 * contacts. Every step may be done twice, so a worker that dies, or two at once, do no harm.
 */
export type ErasureWorker = { close(): Promise<void> };

export type ErasureWorkerPorts = ErasurePorts & { log: Log };

const LOOK_EVERY_MS = 1_000;
/** Statuses of what was sent last are still on their way; they are waited for and swept too. */
export const LATE_WEBHOOKS_MS = 30_000;
/** Swept together, because a sweep reads the whole of two tables however many it looks for. */
const TOGETHER_MAX = 200;

export function openErasureWorker(ports: ErasureWorkerPorts): ErasureWorker {
  const stop = repeat(ports.clock, LOOK_EVERY_MS, async () => {
    try {
      await workOffErasures(ports);
    } catch (error) {
      ports.log.error({ error: errorText(error) }, 'erasing went wrong and is tried again');
    }
  });
  return { close: stop };
}

/** One round; returns how many erasures are still unfinished after it. */
export async function workOffErasures(ports: ErasureWorkerPorts): Promise<number> {
  const { database } = ports;
  for (const erasure of await unfinishedErasures(database, TOGETHER_MAX)) {
    if (erasure.state !== 'waiting') continue;
    const contact = await readContact(database, erasure.accountId, erasure.contactId);
    if (contact !== null) await erasePerson(ports, contact, erasure.actor);
  }
  const unfinished = await unfinishedErasures(database, TOGETHER_MAX);
  const settledBy = ports.clock.now() - LATE_WEBHOOKS_MS;
  const sweeping = unfinished.filter(({ erasedAt }) => (erasedAt ?? Infinity) <= settledBy);
  if (sweeping.length === 0) return unfinished.length;
  const isClean = await sweep(ports, sweeping);
  if (!isClean) return unfinished.length;
  const ids = sweeping.map(({ contactId }) => contactId);
  await saveSwept(database, ids, ports.clock.now());
  ports.log.info({ erased: ids.length }, 'erasures are done');
  return unfinished.length - sweeping.length;
}

/** False while a webhook that speaks of one of them waits to be handled. */
async function sweep(
  { database }: ErasureWorkerPorts,
  erasures: readonly OpenErasure[],
): Promise<boolean> {
  const names = erasures.flatMap(({ needles }) => needles.names);
  const contactIds = erasures.flatMap(({ needles }) => needles.contactIds);
  const erasedAt = Math.max(...erasures.map((erasure) => erasure.erasedAt ?? 0));
  const accountIds = [...new Set(erasures.map(({ accountId }) => accountId))];
  await sweepAnswers(database, { accountIds, needles: [...contactIds, ...names], erasedAt });
  return names.length === 0 || (await sweepInbox(database, names));
}
