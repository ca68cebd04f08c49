import { attributed, type Attribution } from '../attribution/attribution.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { exposureRows } from './exposure-store.ts';

/**
 * Remembers that a person was asked or called under an arm, together with the request or call
 * itself. The first time counts; without an experiment it costs nothing.
 */
export function noteExposure(unit: ContactUnit, attribution: Attribution | undefined): void {
  const { experimentId, arm } = attributed(attribution).attribution ?? {};
  if (experimentId === undefined || arm === undefined) return;
  const { id: contactId, accountId } = unit.contact;
  const exposure = { experimentId, contactId, accountId, arm, at: unit.now };
  unit.save(exposureRows, `${contactId}/${experimentId}`, exposure);
}
