import { DIMENSIONS, MEASURES, type Measures } from '../src/kpis/kpis.ts';

/**
 * What every figure must be, by one SQL over the raw entries of the ledger. It shares nothing with
 * `src/kpis` but the names of measures and dimensions. `$2` and `$3` tell the purpose of each
 * request and call, which the ledger keeps sealed.
 * Nothing is looked up row by row, so that it can say what a day of a hundred thousand came to.
 */
const FACTS = `
  with e as materialized (
    select contact_id, sequence, type, at, data from ledger where account_id = $1),
  purposes as (select * from unnest($2::text[], $3::text[]) p (id, purpose)),
  asked as (
    select distinct on (data -> 'request' ->> 'requestId')
           data -> 'request' ->> 'requestId' as id, contact_id, at, data ->> 'lineId' as line,
           data -> 'request' ->> 'template' as template,
           data -> 'request' ->> 'template' || coalesce('@' ||
             (data -> 'request' ->> 'templateVersion'), '') as template_version,
           data -> 'request' -> 'attribution' as belongs
      from e where type = 'PermissionRequested'
     order by data -> 'request' ->> 'requestId', at, sequence),
  grants as (
    select distinct on (contact_id, data -> 'permission' ->> 'permissionId') contact_id,
           data -> 'permission' ->> 'permissionId' as permission_id,
           data -> 'permission' ->> 'requestId' as request_id
      from e where type = 'PermissionGranted'
     order by contact_id, data -> 'permission' ->> 'permissionId', sequence),
  said as (
    select contact_id, type, coalesce(data -> 'permission' ->> 'requestId',
             data ->> 'requestId') as request_id
      from e where type in ('PermissionGranted', 'PermissionDeclined', 'PermissionRequestLapsed',
                            'PermissionRequestFailed')),
  outs as (
    select distinct on (request_id) at, sequence, waited, request_id from (
      select distinct on (o.contact_id, o.sequence) o.at, o.sequence, a.id as request_id,
             greatest(0, coalesce((o.data ->> 'waitedMs')::numeric, 0)) as waited
        from e o
        join asked a on a.contact_id = o.contact_id and a.at <= o.at
       where o.type = 'OptedOut' and o.data ->> 'way' <> 'same_person'
       order by o.contact_id, o.sequence, (a.line = o.data ->> 'lineId') desc nulls last,
             a.at desc, a.id desc) x
     order by request_id, at, sequence),
  answered as (
    select contact_id, request_id, bool_or(type = 'PermissionGranted') as granted,
           bool_or(type = 'PermissionDeclined') as declined,
           bool_or(type = 'PermissionRequestLapsed') as lapsed,
           bool_or(type = 'PermissionRequestFailed') as failed
      from said where request_id is not null group by contact_id, request_id),
  answers as (
    select a.*, coalesce(s.granted, false) as granted, coalesce(s.declined, false) as declined,
           coalesce(s.lapsed, false) as lapsed, coalesce(s.failed, false) as failed
      from asked a
      left join answered s on s.contact_id = a.contact_id and s.request_id = a.id),
  wished as (
    select distinct on (data ->> 'callId') data ->> 'callId' as id, contact_id, at, sequence,
           data ->> 'lineId' as line, data ->> 'endpointId' as endpoint,
           data -> 'attribution' as belongs
      from e where type = 'CallRequested' order by data ->> 'callId', at, sequence),
  firsts as (
    select distinct on (data ->> 'callId', type) data ->> 'callId' as call_id, type, at, data
      from e where data ? 'callId' order by data ->> 'callId', type, at, sequence),
  late as (
    select distinct on (data ->> 'callId') data ->> 'callId' as call_id,
           (data ->> 'startedAt')::numeric as ms
      from e where type = 'CallTerminated' and data ->> 'startedAt' is not null
     order by data ->> 'callId', at, sequence),
  reached as (
    select distinct on (data ->> 'callId') data ->> 'callId' as call_id, contact_id, type, at,
           sequence, data ->> 'lineId' as line
      from e where type in ('CallConnected', 'CallUnanswered')
     order by data ->> 'callId', at, sequence),
  streaks as (
    select call_id, count(*) filter (where type = 'CallUnanswered') over (
             partition by contact_id, line, pickups order by at, sequence) as streak, type
      from (select *, count(*) filter (where type = 'CallConnected') over (
                     partition by contact_id, line order by at, sequence) as pickups
              from reached) r),
  agents as (
    select distinct on (data ->> 'callId') data ->> 'callId' as call_id,
           data ->> 'agentId' as agent
      from e where data ->> 'agentId' <> '' and data ? 'callId'
     order by data ->> 'callId', at desc, sequence desc),
  placed as (
    select w.*, d.at as dialled_at, d.data ->> 'permissionId' as permission_id,
           (d.data ->> 'permissionAgeMs')::numeric as age, ring.at as rang_at,
           coalesce(extract(epoch from ans.at) * 1000, late.ms) as answered_ms, br.at as bridged_at,
           en.at as ended_at, en.data ->> 'outcome' as outcome,
           (en.data -> 'media' -> 'endpoint' ->> 'firstPacketInAt')::numeric as packet_ms,
           con.call_id is not null as connected, una.call_id is not null as missed,
           (sv.data ->> 'score')::int as score, st.streak, agents.agent,
           g.request_id, coalesce(d.at, w.at) as counted_at
      from wished w
      left join firsts d on d.call_id = w.id and d.type = 'CallDialing'
      left join firsts ring on ring.call_id = w.id and ring.type = 'CallRinging'
      left join firsts ans on ans.call_id = w.id and ans.type = 'CallAnswered'
      left join late on late.call_id = w.id
      left join firsts br on br.call_id = w.id and br.type = 'CallBridged'
      left join firsts en on en.call_id = w.id and en.type = 'CallEnded'
      left join firsts con on con.call_id = w.id and con.type = 'CallConnected'
      left join firsts una on una.call_id = w.id and una.type = 'CallUnanswered'
      left join firsts sv on sv.call_id = w.id and sv.type = 'SurveyAnswered'
      left join streaks st on st.call_id = w.id and st.type = 'CallUnanswered'
      left join agents on agents.call_id = w.id
      left join grants g on g.contact_id = w.contact_id
             and g.permission_id = d.data ->> 'permissionId'),
  first_calls as (
    select distinct on (request_id) request_id, endpoint, agent from placed
     where request_id is not null order by request_id, counted_at, at, sequence),
  rows as (
    select a.id, a.contact_id, a.at, a.line, a.template, a.template_version,
           coalesce(p.purpose, '') as purpose,
           coalesce(belongs ->> 'journeyId', '') as journey,
           coalesce(belongs ->> 'campaignId', '') as campaign,
           coalesce(belongs ->> 'experimentId', '') as experiment,
           coalesce((belongs ->> 'experimentId') || '/' || (belongs ->> 'arm'), '') as arm,
           coalesce(f.endpoint, '') as endpoint, coalesce(f.agent, '') as agent,
           1 as requests, case when failed and not (granted or declined) then 0 else 1 end
             as requests_sent,
           case when granted or declined or (lapsed and not failed) then 1 else 0 end
             as requests_decided,
           granted::int as requests_granted,
           case when o.request_id is not null and (not failed or granted or declined)
             then 1 else 0 end as opt_outs,
           case when o.request_id is not null and (not failed or granted or declined)
             then o.waited else 0 end as opt_out_ms,
           0 as calls, 0 as calls_dialled, 0 as calls_ended, 0 as calls_reached,
           0 as calls_answered, 0 as calls_completed, 0 as calls_failed, 0 as pdd_calls,
           0 as pdd_ms, 0 as talk_calls, 0 as talk_ms, 0 as dead_air_calls, 0 as dead_air_ms,
           0 as aged_calls, 0 as prompt_calls, 0 as unanswered_calls, 0 as streak_calls,
           0 as surveys, 0 as survey_points
      from answers a
      left join purposes p on p.id = a.id
      left join outs o on o.request_id = a.id
      left join first_calls f on f.request_id = a.id
    union all
    select c.id, c.contact_id, c.counted_at, c.line, coalesce(a.template, ''),
           coalesce(a.template_version, ''), coalesce(p.purpose, q.purpose, ''),
           coalesce(c.belongs ->> 'journeyId', a.belongs ->> 'journeyId', ''),
           coalesce(c.belongs ->> 'campaignId', a.belongs ->> 'campaignId', ''),
           coalesce(c.belongs ->> 'experimentId', a.belongs ->> 'experimentId', ''),
           coalesce((c.belongs ->> 'experimentId') || '/' || (c.belongs ->> 'arm'),
                    (a.belongs ->> 'experimentId') || '/' || (a.belongs ->> 'arm'), ''),
           c.endpoint, coalesce(c.agent, ''), 0, 0, 0, 0, 0, 0,
           1, (dialled_at is not null)::int, (dialled_at is not null and ended_at is not null)::int,
           (connected or missed)::int, connected::int,
           (connected and outcome is not distinct from 'completed')::int,
           (dialled_at is not null and outcome is not distinct from 'failed')::int,
           (dialled_at is not null and rang_at is not null)::int,
           coalesce(greatest(0, extract(epoch from rang_at - dialled_at) * 1000), 0),
           (bridged_at is not null and ended_at is not null)::int,
           coalesce(greatest(0, extract(epoch from ended_at - bridged_at) * 1000), 0),
           (answered_ms is not null and bridged_at is not null and packet_ms is not null)::int,
           coalesce(greatest(0, greatest(extract(epoch from bridged_at) * 1000, packet_ms)
             - answered_ms), 0) * (bridged_at is not null and packet_ms is not null)::int,
           (age is not null)::int, (coalesce(age, 1e9) <= 300000)::int,
           (missed and not connected)::int,
           (missed and not connected and coalesce(streak, 0) >= 2)::int,
           (score is not null)::int, coalesce(score, 0)
      from placed c
      left join asked a on a.id = c.request_id
      left join purposes p on p.id = c.id
      left join purposes q on q.id = a.id)`;

const SETS = [
  '()',
  ...DIMENSIONS.map((name) => `(${name})`),
  '(country)',
  '(hour)',
  '(line, template)',
];

export const ORACLE = `${FACTS}
  select grouping(${groupNames().join(', ')})::int as which, ${groupNames().join(', ')},
         ${MEASURES.map((name) => `coalesce(sum(${name}), 0)::bigint as ${name}`).join(', ')}
    from (select rows.*, coalesce(c.country, '') as country,
                 lpad(extract(hour from rows.at at time zone 'UTC')::text, 2, '0') as hour
            from rows join contacts c on c.id = rows.contact_id) r
   group by grouping sets (${[...new Set(SETS)].join(', ')})`;

function groupNames(): string[] {
  return [...DIMENSIONS, 'hour'];
}

export type OracleRow = Record<string, string | null> & { which: number };

/** The oracle's rows by what they are grouped by, such as `line` or `line,template`. */
export function oracleSums(rows: readonly OracleRow[]): Map<string, Map<string, Measures>> {
  const names = groupNames();
  const sums = new Map<string, Map<string, Measures>>();
  for (const row of rows) {
    const by = names.filter((_, index) => (row.which & (1 << (names.length - 1 - index))) === 0);
    const values = sums.get(by.join(',')) ?? new Map<string, Measures>();
    const measures = MEASURES.map((name) => [name, Number(row[name])] as const);
    values.set(
      by.map((name) => row[name] ?? '').join(' '),
      Object.fromEntries(measures) as Measures,
    );
    sums.set(by.join(','), values);
  }
  return sums;
}

/** Sums of nothing say nothing: rows that are all zero may be there or not. */
export function sumsThatSay(sums: ReadonlyMap<string, Measures> = new Map()): unknown[] {
  const some = [...sums].filter(([, measures]) =>
    Object.values(measures).some((value) => value !== 0),
  );
  return some.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
