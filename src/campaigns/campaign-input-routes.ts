import type { Tx } from '../database/database.ts';
import type { FieldProblem } from '../http/field-problems.ts';
import { HttpError, RefusalError } from '../http/problem.ts';
import { checkJourneyHere } from '../journeys/journey-desk.ts';
import { variablesRefusal } from '../journeys/journey-commands.ts';
import { readJourney, saveJourney, type StoredJourney } from '../journeys/journey-store.ts';
import { readExperiment } from '../experiments/experiment-store.ts';
import type { ExperimentId } from '../experiments/experiment.ts';
import { readImport } from '../imports/import-store.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { Clock } from '../platform/clock.ts';
import { isId, type AccountId, type ContactId, type Ids } from '../platform/ids.ts';
import type { Refused } from '../platform/refusal.ts';
import { problemFields } from '../scripts/step-problems.ts';
import { askThenCallJourney } from './ask-then-call.ts';
import {
  CAMPAIGN_LIMITS,
  type Audience,
  type AudienceHistory,
  type CampaignSettings,
} from './campaign.ts';
import type { NewCampaign } from './campaign-commands.ts';
import { readCampaign } from './campaign-store.ts';
import { columnMark } from './history-store.ts';
import type { CampaignBody, CampaignChange } from './campaign-schemas.ts';

type Ports = { ids: Ids; clock: Clock };
type Asked = { accountId: AccountId; line: StoredLine; body: CampaignBody };

/** What was asked for, checked against the account: nothing of it is said first to a customer. */
export async function readWish(
  tx: Tx,
  ports: Ports,
  { accountId, line, body }: Asked,
): Promise<Omit<NewCampaign, 'actor'> | Refused> {
  const experimentId = await experimentOf(tx, accountId, body.experimentId);
  const changed = changedSettings(body);
  const settings = { ...DEFAULTS, ...changed, variables: body.variables, experimentId };
  const { audience, contactIds } = await audienceOf(tx, accountId, body.audience);
  const journey = await journeyOf(tx, ports, accountId, body);
  const refusal = variablesRefusal(journey.document, samplesOf(journey, body.variables));
  if (refusal !== null) return { refused: refusal };
  return {
    accountId,
    name: body.name,
    lineId: line.id,
    journeyId: journey.id,
    journeyVersion: journey.version,
    audience,
    settings,
    contactIds,
  };
}

const DEFAULTS: Omit<CampaignSettings, 'variables'> = {
  window: null,
  startsPerMinute: CAMPAIGN_LIMITS.startsPerMinuteDefault,
  priority: null,
  callsPerSecond: null,
  concurrentCalls: null,
  endAt: null,
};

/** The settings that were named; what was not stays as it is. */
export function changedSettings(fields: Omit<CampaignChange, 'name'>): Partial<CampaignSettings> {
  const { window, startsPerMinute, priority, callsPerSecond, concurrentCalls, endAt } = fields;
  return {
    ...(window === undefined ? {} : { window }),
    ...(startsPerMinute === undefined ? {} : { startsPerMinute }),
    ...(priority === undefined ? {} : { priority }),
    ...(callsPerSecond === undefined ? {} : { callsPerSecond }),
    ...(concurrentCalls === undefined ? {} : { concurrentCalls }),
    ...(endAt === undefined ? {} : { endAt: endAt === null ? null : Date.parse(endAt) }),
  };
}

async function audienceOf(
  tx: Tx,
  accountId: AccountId,
  body: CampaignBody['audience'],
): Promise<{ audience: Audience; contactIds: ContactId[] | null }> {
  const { importId, tag, contactIds: named, language, country, timeZone } = body;
  const history = await historyOf(tx, accountId, body);
  const audience: Audience = { importId, tag, language, country, timeZone, ...history };
  if (named !== undefined) {
    const { contactIds: _named, ...others } = body;
    if (Object.values(others).some((other) => other !== undefined)) {
      const rule = 'stands alone: a list of ids is not narrowed further';
      throw badField({ field: 'audience.contactIds', rule, fix: 'Leave out the other fields.' });
    }
    const contactIds = [...new Set(named)].filter((id) => isId('contact', id));
    return { audience: { ...audience, listed: contactIds.length }, contactIds };
  }
  if (Object.values(body).every((value) => value === undefined)) {
    const rule = 'says whom it is for';
    const fix = 'Name an import, a tag, a list of ids, a filter, or {"everybody": true}.';
    throw badField({ field: 'audience', rule, fix });
  }
  if (importId === undefined) return { audience, contactIds: null };
  const job = isId('import', importId)
    ? await readImport<{ tag?: string }>(tx, accountId, 'contacts', importId)
    : null;
  if (job === null) {
    const rule = 'names an import of contacts';
    throw badField({ field: 'audience.importId', rule, fix: 'See GET /v1/contact-imports.' });
  }
  // Whom a file brought carries the tag that was asked for, or the id of the import.
  const importTag = job.wish.tag === undefined || job.wish.tag === '' ? importId : job.wish.tag;
  return { audience: { ...audience, importTag }, contactIds: null };
}

/** What it says of their history; nothing where nothing is said. */
async function historyOf(
  tx: Tx,
  accountId: AccountId,
  body: CampaignBody['audience'],
): Promise<{ history?: AudienceHistory }> {
  const { lastCall, permission, lastContactBefore, lastContactAfter, notReachedDays } = body;
  const { ofCampaign, column } = body;
  const history = Object.entries({
    lastCall,
    permission,
    lastContactBefore: instantIn(lastContactBefore),
    lastContactAfter: instantIn(lastContactAfter),
    notReachedDays,
    ofCampaign: ofCampaign && (await knownCampaign(tx, accountId, ofCampaign)),
    column: column && { name: column.name, mark: columnMark(tx, accountId, column.equals) },
  }).filter(([, value]) => value !== undefined);
  return history.length === 0 ? {} : { history: Object.fromEntries(history) };
}

const instantIn = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);

async function knownCampaign(
  tx: Tx,
  accountId: AccountId,
  { id, result }: { id: string; result?: string | undefined },
): Promise<AudienceHistory['ofCampaign']> {
  const known = isId('campaign', id) ? await readCampaign(tx, accountId, id) : null;
  if (known !== null) return { id: known.id, result };
  const rule = 'names a campaign of the account';
  throw badField({ field: 'audience.ofCampaign.id', rule, fix: 'See GET /v1/campaigns.' });
}

async function experimentOf(
  tx: Tx,
  accountId: AccountId,
  id: string | undefined,
): Promise<ExperimentId | null> {
  if (id === undefined) return null;
  const known = isId('experiment', id) ? await readExperiment(tx, accountId, id) : null;
  if (known !== null) return known.id;
  const rule = 'names an experiment of the account';
  throw badField({ field: 'experimentId', rule, fix: 'See GET /v1/experiments.' });
}

async function journeyOf(
  tx: Tx,
  ports: Ports,
  accountId: AccountId,
  { name, journeyId, journeyVersion, ask, variables }: CampaignBody,
): Promise<StoredJourney> {
  if ((journeyId === undefined) === (ask === undefined)) {
    const fix = 'Send journeyId, or ask for the simplest one; not both.';
    throw badField({ field: 'journeyId', rule: 'or `ask` says what to do', fix });
  }
  if (ask === undefined) {
    const known =
      journeyId !== undefined && isId('journey', journeyId)
        ? await readJourney(tx, accountId, journeyId, journeyVersion)
        : null;
    if (known !== null) return known;
    const rule = 'names a journey of the account, in a version that it has';
    throw badField({ field: 'journeyId', rule, fix: 'See GET /v1/journeys.' });
  }
  const written = askThenCallJourney(name, ask, Object.keys(variables));
  const checked = await checkJourneyHere(tx, accountId, written);
  if (!checked.ok) throw askInvalid(checked.problems);
  const now = ports.clock.now();
  const stored: StoredJourney = {
    id: ports.ids.next('journey'),
    accountId,
    version: 1,
    document: checked.document,
    readyKey: null,
    createdAt: now,
    updatedAt: now,
  };
  await saveJourney(tx, stored);
  return stored;
}

/** Values of the right shape for what only each person brings, so that names can be checked. */
function samplesOf(
  { document }: StoredJourney,
  variables: CampaignBody['variables'],
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, source]) => {
      const isInstant = document.variables[name]?.type === 'instant';
      if ('text' in source) return [name, source.text];
      return [name, isInstant ? '2026-06-03T14:30:00Z' : 'known of each person'];
    }),
  );
}

function askInvalid(problems: Parameters<typeof problemFields>[0]): RefusalError {
  const refusal = {
    code: 'journey_invalid',
    message: 'What `ask` says cannot run.',
    fix: 'Correct what is listed under "fields".',
  };
  return new RefusalError(refusal, 422, problemFields(problems));
}

function badField(problem: FieldProblem): HttpError {
  return new HttpError('invalid_request', `${problem.field} ${problem.rule}.`, {
    fields: [problem],
  });
}
