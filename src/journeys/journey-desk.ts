import type { Queryable, Tx } from '../database/database.ts';
import { listEndpoints } from '../endpoints/endpoint-store.ts';
import { readExperiment } from '../experiments/experiment-store.ts';
import { isId, type AccountId, type Ids } from '../platform/ids.ts';
import { checkScript } from '../scripts/script-check.ts';
import { SCRIPT_SAMPLES } from '../scripts/script-samples.ts';
import { addScriptVersion, findScript, readScript } from '../scripts/script-store.ts';
import { listTemplates } from '../templates/template-store.ts';
import { checkJourney, type CheckedJourney } from './journey-check.ts';
import type { Journey, JourneyProblem, Step } from './journey.ts';
import { readReadyJourney, saveJourney, type StoredJourney } from './journey-store.ts';
import type { ReadyJourney } from './ready-journeys.ts';

/**
 * Checks a journey against this account as well: templates, scripts, endpoints and experiments
 * that are there. What is wrong is said at the save, and not to a person half way.
 */
export async function checkJourneyHere(
  db: Queryable,
  accountId: AccountId,
  input: unknown,
): Promise<CheckedJourney> {
  const checked = checkJourney(input);
  if (!checked.ok) return checked;
  const problems = await problemsHere(db, accountId, checked.journey);
  return problems.length === 0 ? checked : { ok: false, problems };
}

async function problemsHere(
  db: Queryable,
  accountId: AccountId,
  { steps }: Journey,
): Promise<JourneyProblem[]> {
  const problems: JourneyProblem[] = [];
  for (const step of steps.values()) {
    for (const [field, isThere, see] of await lookUp(db, accountId, step)) {
      if (isThere) continue;
      const named = (step as unknown as Record<string, unknown>)[field];
      const rule = `names one that exists; there is no "${String(named)}"`;
      problems.push({ step: step.name, field, rule, fix: `See GET ${see}.` });
    }
  }
  return problems;
}

type Found = readonly [field: string, isThere: boolean, see: string];

async function lookUp(db: Queryable, accountId: AccountId, step: Step): Promise<Found[]> {
  const found: Found[] = [];
  if ('template' in step && step.template !== undefined) {
    const known = await listTemplates(db, accountId, { name: step.template });
    found.push(['template', known.length > 0, '/v1/templates']);
  }
  if (step.do === 'call' && step.script !== undefined) {
    const { script } = step;
    const known = isId('script', script)
      ? await readScript(db, accountId, script)
      : await findScript(db, accountId, script);
    found.push(['script', known !== null, '/v1/scripts']);
  }
  // One with a variable in it is only known when a run begins.
  if (step.do === 'call' && step.endpoint !== undefined && !step.endpoint.includes('{{')) {
    const { endpoint } = step;
    const known = await listEndpoints(db, accountId);
    const isThere = known.some(({ id, name }) => id === endpoint || name === endpoint);
    found.push(['endpoint', isThere, '/v1/endpoints']);
  }
  if (step.do === 'split') {
    const known = await readExperiment(db, accountId, step.experiment);
    found.push(['experiment', known !== null, '/v1/experiments']);
  }
  return found;
}

export type InstallPorts = { ids: Ids; now: number };

/**
 * Makes a journey of the account from one that comes with the product, with the scripts that it
 * needs where the account has none of their names. Doing it twice gives the first one again.
 */
export async function installReady(
  tx: Tx,
  { ids, now }: InstallPorts,
  accountId: AccountId,
  ready: ReadyJourney,
): Promise<StoredJourney | JourneyProblem[]> {
  const known = await readReadyJourney(tx, accountId, ready.key);
  if (known !== null) return known;
  for (const name of ready.scripts) await installScript(tx, { ids, now }, accountId, name);
  const checked = await checkJourneyHere(tx, accountId, ready.journey);
  if (!checked.ok) return checked.problems;
  const times = { createdAt: now, updatedAt: now };
  const { document } = checked;
  const id = ids.next('journey');
  const stored = { id, accountId, version: 1, document, readyKey: ready.key, ...times };
  await saveJourney(tx, stored);
  return stored;
}

async function installScript(
  tx: Tx,
  { ids, now }: InstallPorts,
  accountId: AccountId,
  name: string,
): Promise<void> {
  if ((await findScript(tx, accountId, name)) !== null) return;
  const checked = checkScript(SCRIPT_SAMPLES.find((sample) => sample.name === name));
  if (!checked.ok) return;
  const { document } = checked;
  const script = { id: ids.next('script'), accountId, version: 1, secret: null, createdAt: now };
  await addScriptVersion(tx, { ...script, document });
}
