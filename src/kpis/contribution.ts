import { noMeasures, PROMPT_MS, type Contribution, type Dimensions } from './kpis.ts';

/** A ledger entry as far as figures need it: what it says in the open, and a purpose's hash. */
export type CountedEntry = {
  type: string;
  sequence: number;
  at: number;
  data: Readonly<Record<string, unknown>>;
  /** Empty where it names none, and after an erasure. */
  purpose: string;
};

/** The types that change a figure; entries of others are not even read. */
export const COUNTED_TYPES = [
  'PermissionRequested',
  'PermissionRequestFailed',
  'PermissionGranted',
  'PermissionDeclined',
  'PermissionRequestLapsed',
  'OptedOut',
  'CallRequested',
  'CallDialing',
  'CallRinging',
  'CallAnswered',
  'EndpointInvited',
  'EndpointAnswered',
  'CallBridged',
  // These two may say which agent has the customer from then on.
  'CallTransferred',
  'LegTaken',
  'CallTerminated',
  'CallConnected',
  'CallUnanswered',
  'CallEnded',
  'SurveyAnswered',
] as const;

type Entries = readonly CountedEntry[];

/**
 * What the requests and calls of one contact add, from its whole chain. Of facts that came twice
 * the one of the earliest time counts, so the order in which they were written changes nothing.
 */
export function contributionsOf(
  person: { contactId: string; country: string | null },
  entries: Entries,
): Contribution[] {
  const byTime = entries.toSorted((a, b) => a.at - b.at || a.sequence - b.sequence);
  const calls = subjects(byTime, 'CallRequested', callIdOf, callIdOf).map(callOf);
  const requests = subjects(byTime, 'PermissionRequested', askedId, requestIdOf).map(requestOf);
  const optOuts = optOutsByRequest(byTime, requests);
  const streaks = streaksOf(byTime);
  const requestOfPermission = new Map(
    byTime.flatMap(({ type, data }) => {
      const permission = type === 'PermissionGranted' ? part(data, 'permission') : null;
      return permission === null
        ? []
        : [[text(permission, 'permissionId'), text(permission, 'requestId')] as const];
    }),
  );
  const known = new Map(requests.map((request) => [request.id, request]));
  const firstCalls = new Map<string, Call>();
  const counted = calls.map((call) => {
    const asked = requestOfPermission.get(call.permissionId) ?? '';
    const request = known.get(asked);
    const first = firstCalls.get(asked);
    if (request !== undefined && (first === undefined || call.at < first.at)) {
      firstCalls.set(asked, call);
    }
    const dimensions = { ...callDimensions(call, request), country: person.country ?? '' };
    const measures = callMeasures(call, streaks.get(call.id) ?? 0);
    const { contactId } = person;
    return { id: call.id, contactId, kind: 'call' as const, at: call.at, dimensions, measures };
  });
  return [
    ...requests.map((request) => ({
      id: request.id,
      contactId: person.contactId,
      kind: 'request' as const,
      at: request.at,
      dimensions: {
        ...request.dimensions,
        endpoint: firstCalls.get(request.id)?.dimensions.endpoint ?? '',
        agent: firstCalls.get(request.id)?.dimensions.agent ?? '',
        country: person.country ?? '',
      },
      measures: requestMeasures(request, optOuts.get(request.id)),
    })),
    ...counted,
  ];
}

type Request = { id: string; at: number; entries: Entries; dimensions: Dimensions };
type Call = { id: string; at: number; entries: Entries; dimensions: Dimensions } & {
  permissionId: string;
};
type Subject = { id: string; first: CountedEntry; entries: Entries };

/** All entries of each request or call that was ever asked for, in order of time. */
function subjects(
  byTime: Entries,
  start: string,
  startId: (data: CountedEntry['data']) => string,
  idOf: (data: CountedEntry['data']) => string,
): Subject[] {
  const found = new Map<string, { id: string; first: CountedEntry; entries: CountedEntry[] }>();
  for (const entry of byTime) {
    const id = entry.type === start ? startId(entry.data) : '';
    if (id !== '' && !found.has(id)) found.set(id, { id, first: entry, entries: [] });
  }
  for (const entry of byTime) found.get(idOf(entry.data))?.entries.push(entry);
  return [...found.values()];
}

function callIdOf(data: CountedEntry['data']): string {
  return text(data, 'callId');
}

function askedId(data: CountedEntry['data']): string {
  return text(part(data, 'request'), 'requestId');
}

function requestIdOf(data: CountedEntry['data']): string {
  const inside = text(part(data, 'permission'), 'requestId');
  return inside === '' ? text(data, 'requestId') : inside;
}

const NOWHERE: Dimensions = {
  line: '',
  template: '',
  template_version: '',
  purpose: '',
  journey: '',
  campaign: '',
  experiment: '',
  arm: '',
  endpoint: '',
  agent: '',
  country: '',
};

function requestOf({ id, first, entries }: Subject): Request {
  const request = part(first.data, 'request');
  const template = text(request, 'template');
  const version = number(request, 'templateVersion');
  const dimensions = {
    ...NOWHERE,
    line: text(first.data, 'lineId'),
    template,
    template_version: version === null ? template : `${template}@${version}`,
    purpose: first.purpose,
    ...attributionOf(part(request, 'attribution')),
  };
  return { id, at: first.at, entries, dimensions };
}

function callOf({ id, first, entries }: Subject): Call {
  const dialled = entries.find(({ type }) => type === 'CallDialing');
  const agents = entries.map(({ data }) => text(data, 'agentId')).filter((agent) => agent !== '');
  const dimensions = {
    ...NOWHERE,
    line: text(first.data, 'lineId'),
    purpose: first.purpose,
    endpoint: text(first.data, 'endpointId'),
    agent: agents.at(-1) ?? '',
    ...attributionOf(part(first.data, 'attribution')),
  };
  const permissionId = text(dialled?.data ?? {}, 'permissionId');
  return { id, at: dialled?.at ?? first.at, entries, dimensions, permissionId };
}

function attributionOf(
  of: Readonly<Record<string, unknown>>,
): Pick<Dimensions, 'journey' | 'campaign' | 'experiment' | 'arm'> {
  const experiment = text(of, 'experimentId');
  const arm = text(of, 'arm');
  return {
    journey: text(of, 'journeyId'),
    campaign: text(of, 'campaignId'),
    experiment,
    arm: arm === '' ? '' : `${experiment}/${arm}`,
  };
}

/** What a call does not say itself is taken from the request whose yes it was dialled on. */
function callDimensions(call: Call, request: Request | undefined): Dimensions {
  const own = call.dimensions;
  const asked = request?.dimensions ?? NOWHERE;
  const inherited = own.experiment === '' && own.arm === '' ? asked : own;
  return {
    ...own,
    template: asked.template,
    template_version: asked.template_version,
    purpose: own.purpose === '' ? asked.purpose : own.purpose,
    journey: own.journey === '' ? asked.journey : own.journey,
    campaign: own.campaign === '' ? asked.campaign : own.campaign,
    experiment: inherited.experiment,
    arm: inherited.arm,
  };
}

function requestMeasures(request: Request, optOut: CountedEntry | undefined) {
  const has = (type: string): boolean => request.entries.some((entry) => entry.type === type);
  const granted = has('PermissionGranted');
  const answered = granted || has('PermissionDeclined');
  // An answer proves that the request came through, whatever else was said of it.
  const failed = has('PermissionRequestFailed') && !answered;
  const decided = answered || (has('PermissionRequestLapsed') && !failed);
  return {
    ...noMeasures(),
    requests: 1,
    requests_sent: failed ? 0 : 1,
    requests_decided: decided ? 1 : 0,
    requests_granted: granted ? 1 : 0,
    // Only what was sent can have led to a stop; else the rate could pass one.
    opt_outs: failed || optOut === undefined ? 0 : 1,
    opt_out_ms: failed ? 0 : Math.max(0, number(optOut?.data ?? {}, 'waitedMs') ?? 0),
  };
}

function callMeasures(call: Call, streak: number) {
  const first = (type: string): CountedEntry | undefined =>
    call.entries.find((entry) => entry.type === type);
  const dialled = first('CallDialing');
  const ended = first('CallEnded');
  const outcome = text(ended?.data ?? {}, 'outcome');
  const isEnded = ended !== undefined && dialled !== undefined;
  const answered = first('CallConnected') !== undefined;
  const unanswered = !answered && first('CallUnanswered') !== undefined;
  const age = dialled === undefined ? null : number(dialled.data, 'permissionAgeMs');
  const survey = number(first('SurveyAnswered')?.data ?? {}, 'score');
  const pdd = between(dialled?.at, first('CallRinging')?.at);
  const talk = between(first('CallBridged')?.at, ended?.at);
  const deadAir = between(answeredAt(call), audioAt(first('CallBridged'), ended));
  return {
    ...noMeasures(),
    calls: 1,
    calls_dialled: dialled === undefined ? 0 : 1,
    calls_ended: isEnded ? 1 : 0,
    calls_reached: answered || unanswered ? 1 : 0,
    calls_answered: answered ? 1 : 0,
    calls_completed: answered && outcome === 'completed' ? 1 : 0,
    calls_failed: isEnded && outcome === 'failed' ? 1 : 0,
    ...counted('pdd', pdd),
    ...counted('talk', talk),
    ...counted('dead_air', deadAir),
    aged_calls: age === null ? 0 : 1,
    prompt_calls: age !== null && age <= PROMPT_MS ? 1 : 0,
    unanswered_calls: unanswered ? 1 : 0,
    streak_calls: unanswered && streak >= 2 ? 1 : 0,
    surveys: survey === null ? 0 : 1,
    survey_points: survey ?? 0,
  };
}

function counted(name: 'pdd' | 'talk' | 'dead_air', ms: number | null) {
  return { [`${name}_calls`]: ms === null ? 0 : 1, [`${name}_ms`]: ms ?? 0 };
}

/** Meta tells a pick-up by its status or, where that got lost, in the end of the call. */
function answeredAt(call: Call): number | undefined {
  const told = call.entries.find(({ type }) => type === 'CallAnswered')?.at;
  const ends = call.entries.filter(({ type }) => type === 'CallTerminated');
  const late = ends.map(({ data }) => number(data, 'startedAt')).find((at) => at !== null);
  return told ?? late ?? undefined;
}

/** As in the CDR: the later of the bridge and the endpoint's first packet. */
function audioAt(bridged?: CountedEntry, ended?: CountedEntry): number | undefined {
  const endpoint = part(part(ended?.data ?? {}, 'media'), 'endpoint');
  const packetAt = number(endpoint, 'firstPacketInAt');
  return bridged === undefined || packetAt === null ? undefined : Math.max(bridged.at, packetAt);
}

/** Meta's times have whole seconds, ours milliseconds: a difference below zero is zero. */
function between(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.max(0, to - from);
}

/** A stop belongs to the latest request before it, of the line it was said on if it names one. */
function optOutsByRequest(
  byTime: Entries,
  requests: readonly Request[],
): Map<string, CountedEntry> {
  const found = new Map<string, CountedEntry>();
  for (const entry of byTime) {
    // What was said to another contact of the same person is counted there.
    if (entry.type !== 'OptedOut' || text(entry.data, 'way') === 'same_person') continue;
    const line = text(entry.data, 'lineId');
    const before = requests.filter(({ at }) => at <= entry.at);
    const onLine = before.filter(({ dimensions }) => dimensions.line === line);
    const last = (onLine.length > 0 ? onLine : before).at(-1);
    if (last !== undefined && !found.has(last.id)) found.set(last.id, entry);
  }
  return found;
}

/** How many calls in a row went unanswered on their line up to each; a pick-up begins anew. */
function streaksOf(byTime: Entries): Map<string, number> {
  const rows = new Map<string, number>();
  const streaks = new Map<string, number>();
  const seen = new Set<string>();
  for (const { type, data } of byTime) {
    if (type !== 'CallConnected' && type !== 'CallUnanswered') continue;
    const callId = callIdOf(data);
    if (seen.has(callId)) continue;
    seen.add(callId);
    const line = text(data, 'lineId');
    const row = type === 'CallConnected' ? 0 : (rows.get(line) ?? 0) + 1;
    rows.set(line, row);
    if (row > 0) streaks.set(callId, row);
  }
  return streaks;
}

function part(data: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const value = data[name];
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(data: Readonly<Record<string, unknown>>, name: string): string {
  const value = data[name];
  return typeof value === 'string' ? value : '';
}

function number(data: Readonly<Record<string, unknown>>, name: string): number | null {
  const value = data[name];
  return typeof value === 'number' && Number.isFinite(value) ? Math.round(value) : null;
}
