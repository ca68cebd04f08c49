import type { Look } from './look.ts';
import * as people from './people-invariants.ts';
import * as records from './record-invariants.ts';

/** What must hold at every step, each by a view of its own; see docs/explanation/simulation.md. */
export type InvariantId = `I${number}`;
export type Invariant = {
  id: InvariantId;
  says: string;
  /** Null when it holds, else one sentence on what does not. */
  holds: (look: Look) => string | null | Promise<string | null>;
};

export type Violation = { invariant: InvariantId; step: number; at: number; fault: string };

export const INVARIANTS: readonly Invariant[] = [
  { id: 'I1', says: 'No ring without a valid permission.', holds: people.ringsArePermitted },
  { id: 'I2', says: 'No ring after an opt-out.', holds: people.nobodyRungAfterStop },
  { id: 'I3', says: 'At most one live attempt per intent.', holds: people.oneAttempt },
  { id: 'I4', says: 'A permission is used once.', holds: people.permissionsUsedOnce },
  { id: 'I5', says: 'Nobody is asked too often.', holds: people.notAskedTooOften },
  { id: 'I6', says: 'No ring outside the hours of the place.', holds: people.keepsHours },
  { id: 'I7', says: 'No barred country or place.', holds: people.noBarredPlace },
  { id: 'I8', says: 'Every attempt ends, once.', holds: records.everyAttemptEnds },
  { id: 'I9', says: 'Exactly one CDR per attempt.', holds: records.oneCdr },
  { id: 'I10', says: 'The CDR tells what the phone saw.', holds: records.cdrTellsTheTruth },
  { id: 'I11', says: 'Every decision names its pack.', holds: records.decisionsNameTheirPack },
  { id: 'I12', says: 'The ledger verifies.', holds: records.ledgerVerifies },
  { id: 'I13', says: 'Events of a call have no gap.', holds: records.eventsWithoutGap },
  { id: 'I14', says: 'No event is lost on its way.', holds: records.eventsArrive },
  { id: 'I15', says: 'The cap on live calls holds.', holds: people.capHolds },
  { id: 'I17', says: 'Stops cancel what was planned.', holds: people.stopsCancel },
  { id: 'I19', says: 'One business never sees another.', holds: records.businessesApart },
  { id: 'I20', says: 'Replays change nothing.', holds: records.replaysChangeNothing },
];
