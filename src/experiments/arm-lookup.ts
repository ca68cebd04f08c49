import type { Attribution } from '../attribution/attribution.ts';
import { permissionOf } from '../consent/consent.ts';
import { readConsent } from '../consent/consent-store.ts';
import type { Queryable } from '../database/database.ts';
import type { AccountId, ContactId, LineId } from '../platform/ids.ts';
import { armOf, type ArmOverrides } from './assignment.ts';
import { readExperiment } from './experiment-store.ts';
import type { ExperimentId } from './experiment.ts';

/** A request or call that names an experiment, or none. */
export type DrawWish = {
  accountId: AccountId;
  contactId: ContactId;
  experimentId: ExperimentId | undefined;
  attribution: Attribution | undefined;
};

/**
 * What the arm of this person changes, and the attribution that says which arm it was. Whoever
 * takes no part is treated as the control and carries no arm. Null when the account has no such
 * experiment.
 */
export async function drawArm(
  db: Queryable,
  { accountId, contactId, experimentId, attribution }: DrawWish,
): Promise<{ overrides: ArmOverrides; attribution: Attribution | undefined } | null> {
  if (experimentId === undefined) return { overrides: {}, attribution };
  const experiment = await readExperiment(db, accountId, experimentId);
  if (experiment === null) return null;
  const { arm, overrides, counted } = armOf(experiment, contactId);
  if (!counted) return { overrides, attribution };
  return { overrides, attribution: { ...attribution, experimentId, arm } };
}

const MINUTE_MS = 60_000;

/** When to dial: no sooner than the gap of the arm after the yes, if it has one. */
export async function afterGap(
  db: Queryable,
  key: { contactId: ContactId; lineId: LineId },
  { gapMinutes }: ArmOverrides,
  scheduledAt: number | null,
): Promise<number | null> {
  if (gapMinutes === undefined) return scheduledAt;
  const permission = permissionOf(await readConsent(db, key));
  if (permission === null) return scheduledAt;
  return Math.max(permission.grantedAt + gapMinutes * MINUTE_MS, scheduledAt ?? 0);
}
