import { listAgents } from '../agents/agent-store.ts';
import { listCampaigns } from '../campaigns/campaign-store.ts';
import type { Queryable } from '../database/database.ts';
import { listEndpoints } from '../endpoints/endpoint-store.ts';
import { listExperiments } from '../experiments/experiment-store.ts';
import { listJourneys } from '../journeys/journey-store.ts';
import { listLines } from '../lines/line-store.ts';
import type { AccountId } from '../platform/ids.ts';
import type { KpiQuery } from './kpi-schemas.ts';
import { readPurposes } from './purpose-store.ts';

/** What is older than the newest so many of its kind is shown by its id. */
const NEWEST = 500;

/** Words for values that are ids: names, and purposes that many people share. */
export async function labelsOf(
  db: Queryable,
  accountId: AccountId,
  groupBy: KpiQuery['groupBy'] | null,
  values: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (values.length === 0) return new Map();
  const page = { after: null, limit: NEWEST };
  switch (groupBy) {
    case 'purpose':
      return readPurposes(db, accountId, values);
    case 'line':
      return namesOf(await listLines(db, accountId));
    case 'endpoint':
      return namesOf(await listEndpoints(db, accountId));
    case 'agent':
      return namesOf(await listAgents(db, accountId, '', NEWEST));
    case 'campaign':
      return namesOf(await listCampaigns(db, accountId, page));
    case 'journey':
      return namesOf((await listJourneys(db, accountId, page)).map(named));
    case 'experiment':
      return namesOf(await listExperiments(db, accountId, page));
    case 'arm':
      return armNames(await listExperiments(db, accountId, page), values);
    default:
      return new Map();
  }
}

type Named = { id: string; name: string };

const named = ({ id, document }: { id: string; document: { name: string } }): Named => ({
  id,
  name: document.name,
});

function namesOf(things: ReadonlyArray<Named>): ReadonlyMap<string, string> {
  return new Map(things.map(({ id, name }) => [id, name]));
}

/** An arm is told as `experiment/arm`, with the experiment by its name. */
function armNames(experiments: readonly Named[], values: readonly string[]): Map<string, string> {
  const names = namesOf(experiments);
  return new Map(
    values.flatMap((value) => {
      const [id = '', arm = ''] = value.split('/');
      const name = names.get(id);
      return name === undefined ? [] : [[value, `${name} / ${arm}`]];
    }),
  );
}
