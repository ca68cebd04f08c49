import type { Attribution } from '../attribution/attribution.ts';
import type { AccountId } from '../platform/ids.ts';
import type { CampaignState } from './campaign.ts';
import { windowAt, type CampaignWindow } from './campaign-window.ts';

/** What a dial, or a step of a journey, must know of the campaign that it belongs to. */
export type CampaignStanding = {
  accountId: AccountId;
  state: CampaignState;
  window: CampaignWindow | null;
  resumedAt: number | null;
};

/**
 * Whether what belongs to a campaign may go on now. `stopped`: never again. `paused` and `closed`:
 * later, with the time where it is known. While free, `freeSince` tells since when: what was held
 * is late only by the time that it was free.
 */
export type CampaignHold =
  | { kind: 'free'; freeSince: number }
  | { kind: 'paused' }
  | { kind: 'closed'; opensAt: number | null }
  | { kind: 'stopped' };

const FREE: CampaignHold = { kind: 'free', freeSince: 0 };

/** An attribution names any id, so a campaign of somebody else holds nothing of ours. */
export function holdOf(
  standings: ReadonlyMap<string, CampaignStanding>,
  of: { accountId: AccountId; attribution?: Attribution | null | undefined },
  now: number,
): CampaignHold {
  const standing = standings.get(of.attribution?.campaignId ?? '');
  if (standing === undefined || standing.accountId !== of.accountId) return FREE;
  const { state, window, resumedAt } = standing;
  if (state === 'stopped') return { kind: 'stopped' };
  if (state === 'paused') return { kind: 'paused' };
  const resumed = resumedAt ?? 0;
  if (window === null) return { kind: 'free', freeSince: resumed };
  const { open, openSince, opensAt } = windowAt(window, now);
  if (!open) return { kind: 'closed', opensAt };
  return { kind: 'free', freeSince: Math.max(resumed, openSince ?? 0) };
}

/** The campaigns that these belong to, each once. */
export function campaignsAmong(
  all: Iterable<{ attribution?: Attribution | null | undefined }>,
): string[] {
  const ids = new Set<string>();
  for (const { attribution } of all) {
    if (attribution?.campaignId !== undefined) ids.add(attribution.campaignId);
  }
  return [...ids].toSorted();
}
