import { findOrCreateContact } from '../contacts/contact-store.ts';
import type { Tx } from '../database/database.ts';
import { withContact, type Recorded, type UnitPorts } from '../ledger/contact-unit.ts';
import type { AccountId } from '../platform/ids.ts';
import { REGISTER_USER_ID } from './do-not-call.ts';

type ExperimentEntry =
  | 'ExperimentStarted'
  | 'ExperimentStopped'
  | 'ExperimentDecided'
  | 'ExperimentArmStopped'
  | 'ExperimentSampleRatioAlarm'
  | 'ExperimentResult';

type CampaignEntry =
  | 'CampaignMade'
  | 'CampaignChanged'
  | 'CampaignStarted'
  | 'CampaignPaused'
  | 'CampaignResumed'
  | 'CampaignStopped'
  | 'CampaignDone';

export type RegisterEntry = {
  type:
    | 'DoNotCallAdded'
    | 'DoNotCallRemoved'
    | 'DoNotCallImported'
    | 'AccountStopped'
    | 'AccountStopLifted'
    | 'EndpointDown'
    | 'EndpointUp'
    | 'EndpointRegistered'
    | 'EndpointRegistrationLost'
    | 'TemplateStatusChanged'
    | 'BrakesSet'
    | 'PaceSet'
    | 'PaceTakenAway'
    | 'LineSlowed'
    | 'LinePaused'
    | 'LineResumed'
    | CampaignEntry
    | ExperimentEntry;
  actor: string;
  data: Record<string, unknown>;
  personal?: Record<string, unknown>;
  announce?: NonNullable<Recorded['announce']>;
};

/**
 * Records what happened to the lists without a contact to record it at: a number that nobody has
 * ever asked or called, and whole files. It is a chain of the account's own in the same ledger, so
 * the same verifier holds it. A person is named by the keyed hash of the entry alone.
 */
export async function recordInRegister(
  tx: Tx,
  ports: UnitPorts,
  accountId: AccountId,
  entry: RegisterEntry,
): Promise<void> {
  const now = ports.clock.now();
  const names = { userId: REGISTER_USER_ID, name: 'Do-not-call register' };
  const id = await findOrCreateContact(tx, ports.ids, accountId, names, now);
  await withContact(ports, tx, id, async (unit) => {
    unit.record({ ...entry, at: now });
  });
}
