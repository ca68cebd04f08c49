import type { CallDesk } from '../calls/call-desk.ts';
import type { Changes } from '../ledger/changes.ts';
import type { Log } from '../platform/log.ts';
import type { WhatsAppClient, WhatsAppFact } from '../whatsapp/whatsapp.ts';
import { foldCallFact } from './call-facts.ts';
import { foldMessageStatus } from './message-facts.ts';
import { foldTemplateFact } from '../templates/sync-commands.ts';
import { foldPersonChange } from './person-changes.ts';
import { foldPersonFact, type Heard, type PersonFactPorts } from './person-facts.ts';
import { noteWindow } from './window-facts.ts';
import { setRestriction } from '../lines/line-store.ts';

/**
 * What Meta tells us is folded here, one fact at a time, into the contact it speaks of. Facts
 * come at least once and in any order: each is remembered by its key, and each fold gives the
 * same end whatever came before.
 */
export type Reception = {
  /** `later`: the fact speaks of a call whose id is not known yet; ask again soon. */
  handle(fact: WhatsAppFact, heard?: Heard): Promise<'done' | 'later'>;
};

export type ReceptionPorts = PersonFactPorts & {
  desk: CallDesk;
  whatsapp: WhatsAppClient;
  log: Log;
  changes: Changes;
};

export function openReception(ports: ReceptionPorts): Reception {
  return {
    async handle(fact, heard = { waitedMs: 0 }) {
      switch (fact.kind) {
        case 'callConnect':
        case 'callStatus':
        case 'callTerminate':
          await noteWindow(ports, fact);
          return foldCallFact(ports, fact);
        case 'messageStatus':
          await foldMessageStatus(ports, fact);
          return 'done';
        case 'permissionReply':
        case 'buttonReply':
        case 'text':
          await foldPersonFact(ports, fact, heard);
          return 'done';
        case 'personChanged':
          await foldPersonChange(ports, fact);
          return 'done';
        case 'accountUpdate': {
          const until = restrictedUntil(fact.restrictions);
          if (until === null || fact.phoneNumberId === '') return 'done';
          await setRestriction(ports.database, fact.phoneNumberId, until);
          return 'done';
        }
        case 'templateStatus':
        case 'templateQuality':
        case 'templateCategory':
          await foldTemplateFact(ports, fact);
          return 'done';
        case 'settingsUpdate':
        case 'unknown':
          await noteWindow(ports, fact);
          ports.log.info({ kind: fact.kind, key: fact.key }, 'fact recorded, nothing to do');
          return 'done';
      }
    },
  };
}

/** The end of the year 9999: later than that, no date of the database goes. */
const WITHOUT_END = Date.UTC(9999, 11, 31);

/** Until when Meta keeps a line from calling; null when it does not. */
export function restrictedUntil(
  restrictions: ReadonlyArray<{ type: string; expiresAt: number | null }>,
): number | null {
  const bars = restrictions.filter(({ type }) => type.includes('BUSINESS_INITIATED'));
  if (bars.length === 0) return null;
  return Math.max(...bars.map(({ expiresAt }) => expiresAt ?? WITHOUT_END));
}
