import type { Client } from 'pg';
import type { SimPerson } from '../../simulator/control-types.ts';
import type { DayLine, Player } from './cast.ts';

/**
 * What must hold of a day, told from outside: by what the simulated phones saw, and by SQL of our
 * own over the rows. It shares nothing with the product.
 */
const DAY_MS = 24 * 3_600_000;
/** Meta's times are whole seconds, and a stop is on its way for a moment. */
const SLACK_MS = 3_000;
/** A word of a customer is under way: webhook, inbox, transaction. */
const HEARD_MS = 5_000;

/** Hours of the place in local time; the day is in June. */
const HOURS: Readonly<Record<Player['country'], { offset: number; spans: number[][] }>> = {
  GB: { offset: 1, spans: [[8, 21]] },
  FR: {
    offset: 2,
    spans: [
      [10, 13],
      [14, 20],
    ],
  },
};

/** The zone that those who move have moved to: +05:30, no summer time, calling from 8 to 21. */
export const NEW_ZONE = { name: 'Asia/Kolkata', offset: 5.5, spans: [[8, 21]] };

export type Seen = {
  player: Player;
  person: SimPerson;
  lines: readonly DayLine[];
  movedAt: number;
};

/** Every fault that the person's own phone bears witness to. */
export function faultsOf({ player, person, lines, movedAt }: Seen): string[] {
  const { number, kind, country, noMs } = player;
  const faults: string[] = [];
  const asked = person.messages.filter((message) => message.kind === 'permission_request');
  const stop = person.messages.find(({ from, text }) => from === 'person' && text === 'STOP');
  const stoppedAt = stop === undefined ? Infinity : Date.parse(stop.at);
  const rings = person.pastCalls.filter(({ direction }) => direction === 'BUSINESS_INITIATED');
  if (kind === 'listed' && asked.length + rings.length > 0)
    faults.push('is listed and was reached');
  for (const line of lines) {
    const { phoneNumberId } = line;
    const yes = asked.filter(
      ({ request, ...message }) =>
        message.phoneNumberId === phoneNumberId && request?.state === 'allowed',
    );
    const rang = rings.filter((call) => call.phoneNumberId === phoneNumberId);
    if (rang.length > yes.length) faults.push(`rang ${rang.length} times on ${yes.length} yes`);
    const question = asked.find((message) => message.phoneNumberId === phoneNumberId);
    const revokedAt =
      kind === 'revokes' && question !== undefined
        ? Date.parse(question.at) + (noMs ?? 0)
        : Infinity;
    for (const { startedAt } of rang) {
      const at = Date.parse(startedAt);
      const covered = yes.some(({ request }) => {
        const saidAt = Date.parse(request?.answeredAt ?? '');
        return saidAt <= at + SLACK_MS && at < saidAt + DAY_MS + SLACK_MS;
      });
      if (!covered) faults.push(`rang at ${startedAt} without a yes of the day before`);
      if (at > revokedAt + HEARD_MS) faults.push(`rang at ${startedAt} after it was taken back`);
      if (!line.business.lawful) continue;
      const places = [HOURS[country], ...(at > movedAt + HEARD_MS ? [NEW_ZONE] : [])];
      for (const place of places) {
        if (!isOpen(at, place)) faults.push(`rang at ${startedAt}, which is no hour to call`);
      }
    }
    for (const [index, message] of asked.entries()) {
      const before = asked.slice(0, index).findLast((each) => each.phoneNumberId === phoneNumberId);
      if (message.phoneNumberId !== phoneNumberId || before === undefined) continue;
      const hadTalk = rang.some(({ answeredAt }) => answeredAt !== null);
      const isSoon = Date.parse(message.at) - Date.parse(before.at) < DAY_MS - SLACK_MS;
      if (isSoon && !hadTalk) faults.push('was asked twice within a day');
    }
  }
  for (const { startedAt } of rings) {
    if (Date.parse(startedAt) > stoppedAt + HEARD_MS) faults.push(`rang ${startedAt} after STOP`);
  }
  for (const { at } of asked) {
    if (Date.parse(at) > stoppedAt + HEARD_MS) faults.push(`was asked at ${at} after STOP`);
  }
  return faults.map((fault) => `${number} (${kind}): ${fault}`);
}

function isOpen(at: number, { offset, spans }: { offset: number; spans: number[][] }): boolean {
  const hour = (at / 3_600_000 + offset) % 24;
  return spans.some(([from = 0, to = 0]) => hour >= from && hour < to);
}

/** What the rows must say, as statements that find nothing when all is well. */
const RULES: Readonly<Record<string, string>> = {
  'a call that ended has one CDR, any other none': `
    select c.id from calls c left join cdrs d on d.call_id = c.id
     group by c.id, c.status having count(d.call_id) <> (c.status = 'ended')::int`,
  'events of a call are numbered without a gap': `
    select call_id from events where call_id is not null and type like 'call.%'
     group by call_id having max(sequence) <> count(*) or min(sequence) <> 1`,
  'a chain of a person has no gap': `
    select contact_id from ledger group by contact_id having max(sequence) <> count(*)`,
  'each entry names the one before': `
    select l.id from ledger l join ledger p on p.bucket = l.bucket
       and p.contact_id = l.contact_id and p.sequence = l.sequence - 1
     where l.previous_hash <> p.hash`,
  'a permission is dialled once': `
    select data ->> 'permissionId' from ledger where type = 'CallDialing'
     group by 1 having count(*) > 1`,
  'no dial without a grant within the day before it': `
    select d.id from ledger d where d.type = 'CallDialing' and not exists (
      select from ledger g where g.contact_id = d.contact_id and g.type = 'PermissionGranted'
         and g.data -> 'permission' ->> 'permissionId' = d.data ->> 'permissionId'
         and g.sequence < d.sequence and d.at < g.at + interval '24 hours 3 seconds')`,
  'no dial and no question after a stop': `
    select d.id from ledger d join ledger o on o.contact_id = d.contact_id and o.type = 'OptedOut'
     where d.type in ('CallDialing', 'PermissionRequested') and d.sequence > o.sequence`,
  'a run steps once through each step': `
    select data ->> 'runId' from ledger where type = 'RunStepped'
     group by data ->> 'runId', data ->> 'step' having count(*) > 1`,
  'a run begins once and ends once': `
    select data ->> 'runId' from ledger where type in ('RunStarted', 'RunEnded')
     group by data ->> 'runId', type having count(*) > 1`,
  'who was taken by a campaign has a run, or a reason why not': `
    select contact_id from campaign_members
     where (state = 'skipped' and reason is null) or (state = 'done' and run_id is null)`,
};

/** How many statements look at the rows. */
export const ROW_RULES = Object.keys(RULES).length;

export async function brokenRules(client: Client): Promise<string[]> {
  const broken: string[] = [];
  for (const [says, sql] of Object.entries(RULES)) {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    if (rows.length > 0) broken.push(`${says}: ${rows.length}, such as ${JSON.stringify(rows[0])}`);
  }
  return broken;
}
