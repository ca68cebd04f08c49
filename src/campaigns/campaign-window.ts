import { offsetAt } from '../policy/hours/zone-time.ts';

/** The days and hours at which a campaign may begin with people, ask and dial. */
export type CampaignWindow = {
  /** 1 is Monday, 7 is Sunday. */
  days: readonly number[];
  /** Local time such as 09:00; `until` is the first minute outside. */
  from: string;
  until: string;
  /** IANA name: whose clock is meant. */
  timeZone: string;
};

export type WindowAt = {
  open: boolean;
  /** When the stretch we are in began; null outside. */
  openSince: number | null;
  /** When it next opens; null while it is open, or where it never does. */
  opensAt: number | null;
};

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Every weekday comes within a week; one more for a day on which the hour does not exist. */
const DAYS_AHEAD = 8;

/** Where the instant lies. A window of an unknown zone is never open. */
export function windowAt(window: CampaignWindow, now: number): WindowAt {
  const today = localDay(window.timeZone, now);
  if (today === null) return { open: false, openSince: null, opensAt: null };
  for (let ahead = 0; ahead <= DAYS_AHEAD; ahead += 1) {
    const day = today + ahead;
    if (!window.days.includes(weekday(day))) continue;
    const from = instantOf(window.timeZone, day, window.from);
    const until = instantOf(window.timeZone, day, window.until);
    if (from === null || until === null || now >= until) continue;
    if (now >= from) return { open: true, openSince: from, opensAt: null };
    return { open: false, openSince: null, opensAt: from };
  }
  return { open: false, openSince: null, opensAt: null };
}

function localDay(zone: string, now: number): number | null {
  const stretch = offsetAt(zone, now);
  return stretch === null ? null : Math.floor((now + stretch.offsetMs) / DAY_MS);
}

/** 1970-01-01 was a Thursday. */
function weekday(day: number): number {
  return ((day + 3) % 7) + 1;
}

/** The instant of a local time; the offset is that of the instant itself, also around a change. */
function instantOf(zone: string, day: number, time: string): number | null {
  const [hours = '0', minutes = '0'] = time.split(':');
  const local = day * DAY_MS + (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  const first = offsetAt(zone, local);
  if (first === null) return null;
  const second = offsetAt(zone, local - first.offsetMs);
  return second === null ? null : local - second.offsetMs;
}
