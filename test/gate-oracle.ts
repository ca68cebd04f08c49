import type { CallFacts } from '../src/policy/policy.ts';
import type { Layer } from '../src/policy/layers.ts';
import type { Limits, TimeSpan, Weekday } from '../src/policy/limits.ts';

/**
 * A second opinion on the gate (proof C-02): it shares no code with it and no data but the page's
 * own lists, is written as one plain reading of the rules, and is as slow as it likes. Given
 * facts and layers it lists every code that speaks against a call or request, in the order in
 * which the rules are told.
 */
const DAY = 86_400_000;
const BLOCKED = /^(US|PR|CA|TR|EG|VN|NG)$/;
const SANCTIONED = /^(CU|IR|KP|SY)$/;
const REGION = /^\+(7(365|869|978|856|949|857|959)|380(65|692|62|64))/;

/** The zones of the numbers in the cases, looked up by hand. */
export const ORACLE_ZONES: Readonly<Record<string, readonly string[]>> = {
  '+4915112345678': ['Europe/Berlin', 'Europe/Busingen'],
  '+18765550123': ['America/Jamaica'],
  '+48221234567': ['Europe/Warsaw'],
};

/** What stands against this call, first things first. */
export function callObjections(f: CallFacts, layers: readonly Layer[]): string[] {
  const no = partyObjections(f);
  if (f.liveCallIds.some((id) => id !== f.callId)) no.push('call_in_progress');
  no.push(...permissionObjections(f));
  const each = (judge: (l: Layer) => string | null) => {
    for (const layer of layers) {
      const code = judge(layer);
      if (code !== null) no.push(code);
    }
  };
  each(({ limits }) => promise(f, limits));
  each((layer) => hours(f, layer));
  each(({ limits }) => frequency(f, limits));
  each(({ limits }) => connected(f, limits));
  each(({ limits }) => lock(f, limits));
  each(({ limits }) => brake(f, limits));
  each(({ limits }) => capacity(f, limits));
  if (!f.endpointKnown) no.push('endpoint_unknown');
  if (f.metaAnswer !== null && !f.metaAnswer.canCall) no.push('meta_says_no');
  return no;
}

/** What stands against asking. */
export function requestObjections(f: CallFacts, layers: readonly Layer[]): string[] {
  const no = partyObjections(f);
  const c = f.consent;
  if (c.status === 'granted' && f.now < c.permission.expiresAt) no.push('permission_live');
  for (const { limits } of layers) if (tooManyRequests(f, limits)) no.push('request_limit_reached');
  for (const { limits } of layers) {
    const quiet = limits.requestQuietHours;
    if (quiet === undefined || zonesOf(f) === null) continue;
    const isQuiet = (zonesOf(f) ?? []).some((zone) => {
      const { time } = wallClock(f.now, zone);
      const { from, until } = quiet;
      return from < until ? time >= from && time < until : time >= from || time < until;
    });
    if (isQuiet) no.push('request_quiet_hours');
  }
  for (const { limits } of layers) pushIf(no, lock(f, limits));
  for (const { limits } of layers) pushIf(no, brake(f, limits));
  if (!f.purpose.toLowerCase().includes('your')) no.push('purpose_not_specific');
  if (f.metaAnswer !== null && !f.metaAnswer.canRequest) no.push('meta_says_no');
  return no;
}

function pushIf(list: string[], code: string | null): void {
  if (code !== null) list.push(code);
}

function partyObjections(f: CallFacts): string[] {
  const no: string[] = [];
  if (!f.line.enabled) no.push('line_disabled');
  else if ((f.line.stoppedAt ?? null) !== null) no.push('account_stopped');
  else if (typeof f.line.pausedAt === 'number') no.push('line_paused');
  if (f.line.restrictedUntil !== null && f.line.restrictedUntil > f.now) no.push('line_restricted');
  if (f.contact.e164 === null) no.push('number_unknown');
  if (f.line.country === null) no.push('country_unknown');
  else if (BLOCKED.test(f.line.country)) no.push('business_country_blocked');
  if (f.contact.e164 !== null) {
    if (f.contact.country === null) no.push('country_unknown');
    else if (BLOCKED.test(f.contact.country)) no.push('customer_country_blocked');
  }
  const isBarred = [f.line, f.contact].some(
    (side) => SANCTIONED.test(side.country ?? '') || REGION.test(side.e164 ?? ''),
  );
  if (isBarred || f.contact.sanctionedRegion) no.push('sanctioned_place');
  if (f.contact.optedOutAt !== null) no.push('opted_out');
  else if (f.contact.doNotCall) no.push('do_not_call');
  else if (f.contact.optOutPendingAt !== null) no.push('opt_out_pending');
  return no;
}

/** One permission, one call, 24 hours: the strict reading. */
function permissionObjections(f: CallFacts): string[] {
  const no: string[] = [];
  const c = f.consent;
  const end =
    'permission' in c && c.permission !== null
      ? Math.min(c.permission.expiresAt, c.permission.grantedAt + DAY)
      : 0;
  const isMine = c.status === 'used' && c.usedByCallId === f.callId;
  if (c.status === 'granted' || isMine) {
    if (f.now >= end) no.push('permission_expired');
  } else if (c.status === 'used') no.push('permission_used');
  else if (c.status === 'expired') no.push('permission_expired');
  else if (c.status === 'revoked') no.push('permission_revoked');
  else if (c.status === 'declined') no.push('permission_declined');
  else if (c.status === 'requested') no.push('permission_pending');
  else no.push('permission_missing');
  if ('permission' in c && c.permission !== null) {
    const told = c.permission.purpose;
    const wanted = f.purpose.toLowerCase().split(' ').filter(Boolean).join(' ');
    if (told === null) no.push('permission_without_purpose');
    else if (told !== wanted) no.push('purpose_mismatch');
  }
  return no;
}

function promise(f: CallFacts, { promise: rule }: Limits): string | null {
  const c = f.consent;
  if (rule === undefined || !('permission' in c) || c.permission === null) return null;
  const { promisedAt, grantedAt } = c.permission;
  if (promisedAt === null) return f.now - grantedAt < rule.unpromisedMs ? null : 'promise_missed';
  if (promisedAt - f.now > rule.earlyMs) return 'promise_not_due';
  return f.now - promisedAt < rule.lateMs ? null : 'promise_missed';
}

function hours(f: CallFacts, { limits, consentLiftsWindow }: Layer): string | null {
  const { callingWindows, holidays } = limits;
  const hasPermission = 'permission' in f.consent && f.consent.permission !== null;
  if (callingWindows === undefined || (consentLiftsWindow && hasPermission)) return null;
  const zones = zonesOf(f);
  if (zones === null) return null;
  for (const zone of zones) {
    const { date, time, weekday } = wallClock(f.now, zone);
    let table = callingWindows[0];
    for (const one of callingWindows) {
      if (one.validFrom === null || one.validFrom <= date) table = one;
    }
    let spans: readonly TimeSpan[] = table?.days[weekday] ?? [];
    const isHoliday = holidays?.days.some((day) =>
      day.kind === 'dated'
        ? day.date === date
        : day.kind === 'fixed' && `${two(day.month)}-${two(day.day)}` === date.slice(5),
    );
    if (holidays !== undefined && isHoliday === true) spans = holidays.spans;
    if (!spans.some(([from, until]) => time >= from && time < until)) {
      return 'outside_calling_hours';
    }
  }
  return null;
}

function frequency(f: CallFacts, { frequency: caps = [] }: Limits): string | null {
  const c = f.consent;
  const own = c.status === 'used' && c.usedByCallId === f.callId ? c.usedAt : null;
  const others = [...f.history.callsAt];
  if (own !== null && others.includes(own)) others.splice(others.lastIndexOf(own), 1);
  const isOver = caps.some(
    ({ callsMax, windowMs }) => others.filter((at) => f.now - at < windowMs).length >= callsMax,
  );
  return isOver ? 'frequency_cap_reached' : null;
}

function connected(f: CallFacts, { connectedCalls: cap }: Limits): string | null {
  if (cap === undefined) return null;
  let count = 0;
  for (const at of f.consent.history.connectedAt) if (f.now - at < cap.windowMs) count += 1;
  return count >= cap.callsMax ? 'connected_limit_reached' : null;
}

function lock(f: CallFacts, { refusalLock }: Limits): string | null {
  const { refusedAt } = f.history;
  if (refusalLock === undefined || refusedAt === null) return null;
  return f.now - refusedAt < refusalLock.lockMs ? 'refusal_lock' : null;
}

function brake(f: CallFacts, { unanswered }: Limits): string | null {
  if (unanswered === undefined) return null;
  const { unansweredInRow: count, lastUnansweredAt } = f.consent.history;
  if (count >= unanswered.hardStopAt) return 'unanswered_brake';
  if (count < unanswered.stopAt) return null;
  const rested = f.now - (lastUnansweredAt ?? f.now);
  return rested < unanswered.restMs ? 'unanswered_brake' : null;
}

function capacity(f: CallFacts, { lineCalls }: Limits): string | null {
  if (lineCalls === undefined || f.lineLiveCalls === null) return null;
  return f.lineLiveCalls >= lineCalls.concurrentMax ? 'line_busy' : null;
}

function tooManyRequests(f: CallFacts, { requests = [] }: Limits): boolean {
  const { requestsWithoutYes, requestsSinceConnected } = f.consent.history;
  return requests.some(({ requestsMax, windowMs, resetBy }) => {
    const times = resetBy === 'yes' ? requestsWithoutYes : requestsSinceConnected;
    return times.filter((at) => f.now - at < windowMs).length >= requestsMax;
  });
}

/** Null without a number: another rule refuses then. */
function zonesOf(f: CallFacts): readonly string[] | null {
  if (f.contact.timeZone !== null) return [f.contact.timeZone];
  if (f.contact.e164 === null) return null;
  const zones = ORACLE_ZONES[f.contact.e164];
  if (zones === undefined) throw new TypeError(`no zones by hand for ${f.contact.e164}`);
  return zones;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Date and time of day as a clock on that wall shows them. */
function wallClock(at: number, zone: string): { date: string; time: string; weekday: Weekday } {
  const clock =
    clocks.get(zone) ??
    new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      weekday: 'long',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  clocks.set(zone, clock);
  const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name) ?? '';
  return {
    date: `${part('year')}-${part('month')}-${part('day')}`,
    time: `${part('hour')}:${part('minute')}`,
    weekday: part('weekday').toLowerCase() as Weekday,
  };
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
