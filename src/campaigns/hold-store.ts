import { statement, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import type { CampaignState } from './campaign.ts';
import type { CampaignStanding } from './campaign-hold.ts';
import type { CampaignWindow } from './campaign-window.ts';

const SHARE = statement<{
  id: string;
  account_id: AccountId;
  state: CampaignState;
  opening: CampaignWindow | null;
  resumed_at: number | null;
}>(
  'campaign_share_standings',
  `select id, account_id, state, settings -> 'window' as opening, resumed_at
     from campaigns where id = any ($1::text[]) order by id for share`,
);

/**
 * How these campaigns stand, under a share of their locks: a pause that is being made waits for
 * whoever has asked here, or is seen. Costs nothing where nothing belongs to a campaign.
 */
export async function heldCampaigns(
  tx: Tx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, CampaignStanding>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.run(SHARE, [ids]);
  return new Map(
    rows.map((row) => [
      row.id,
      {
        accountId: row.account_id,
        state: row.state,
        window: row.opening,
        resumedAt: row.resumed_at,
      },
    ]),
  );
}
