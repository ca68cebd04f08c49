import type { Database } from '../database/database.ts';
import { purgeIdempotencyKeys } from '../http/idempotency-store.ts';
import { expireExports } from '../calls/cdr-export-store.ts';
import { purgeImports } from '../imports/import-store.ts';
import { forgetMembers } from '../campaigns/member-retention-store.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { purgeMessages } from '../messages/message-retention-store.ts';
import { eraseInactive } from '../privacy/retention-commands.ts';
import type { ErasurePorts } from '../privacy/erasure-commands.ts';
import type { Retention } from '../privacy/privacy.ts';
import type { RecordingDesk } from '../recording/recording-desk.ts';
import { deleteExpired } from '../recording/recording-worker.ts';
import { purgeSeenFacts } from '../reception/seen-store.ts';
import { purgeOutbox } from '../webhooks/retention-store.ts';
import { purgeInbox } from '../whatsapp/inbox-store.ts';

/**
 * Once an hour, forgets what nobody can ask for any more, so that a server that runs for years
 * does not grow for years, and nothing of a person is kept longer than was said: handled webhooks,
 * stored answers, facts seen, failed rows of imports, files of exports, messages, people of
 * campaigns that are over, and the outbox.
 * Consent, calls, CDRs and the ledger go with their contact, years after the last thing that
 * happened. Two nodes may do it at once.
 */
export type Maintenance = { close(): Promise<void> };

export type MaintenancePorts = ErasurePorts & {
  database: Database;
  clock: Clock;
  log: Log;
  retention: Retention;
  recordingDesk: RecordingDesk;
};

const EVERY_MS = 3_600_000;

export function openMaintenance(ports: MaintenancePorts): Maintenance {
  const stop = repeat(ports.clock, EVERY_MS, () => tidyUp(ports));
  return { close: stop };
}

/** One round. A part that fails is logged and tried again an hour later; the others still run. */
async function tidyUp(ports: MaintenancePorts): Promise<void> {
  const { database, clock, log, retention } = ports;
  const now = clock.now();
  const parts: Record<string, () => Promise<number>> = {
    inbox: () => purgeInbox(database, retention.webhooksMs),
    answers: () => purgeIdempotencyKeys(database, now),
    seenFacts: () => purgeSeenFacts(database, now),
    imports: () => purgeImports(database, now),
    cdrExports: () => expireExports(database, now),
    campaigns: () => forgetMembers(database, now, retention.campaignsMs),
    messages: () => purgeMessages(database, now, retention.messagesMs),
    recordings: () => deleteExpired(ports, retention.recordingsDays),
    outbox: () => purgeOutbox(database, now, retention.eventsMs),
    contacts: () => eraseInactive(ports, retention.contactsMs),
  };
  for (const [part, purge] of Object.entries(parts)) {
    try {
      const purged = await purge();
      if (purged > 0) log.info({ part, purged }, 'old rows were forgotten');
    } catch (error) {
      log.error({ part, error: errorText(error) }, 'old rows were not forgotten');
    }
  }
}
