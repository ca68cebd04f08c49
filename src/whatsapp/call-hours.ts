import type { z } from 'zod';
import type { CallHours } from './whatsapp.ts';
import type { callHoursWire } from './wire.ts';

/** When customers may call, in Meta's words and in ours. */
const WEEK = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;
type HoursWire = z.infer<typeof callHoursWire>;

/** Days with the same times are put together, so that a week reads as people would say it. */
export function hoursFromWire(wire: HoursWire | undefined): CallHours | null {
  if (wire?.status !== 'enabled') return null;
  const byTimes = new Map<string, number[]>();
  for (const {
    day_of_week: day,
    open_time: open,
    close_time: close,
  } of wire.weekly_operating_hours) {
    const times = `${clockOf(open)}-${clockOf(close)}`;
    const number = WEEK.findIndex((name) => name === day) + 1;
    if (number > 0) byTimes.set(times, [...(byTimes.get(times) ?? []), number]);
  }
  return {
    zone: wire.timezone_id ?? 'UTC',
    open: [...byTimes].map(([times, days]) => {
      const [from = '', to = ''] = times.split('-');
      return { days: days.toSorted((a, b) => a - b), from, to };
    }),
    closed: wire.holiday_schedule.map(({ date }) => date),
  };
}

/** Meta takes one entry a day and opening; a whole day without calls ends at 23:59. */
export function hoursBody(hours: CallHours | null): Record<string, unknown> {
  if (hours === null) return { status: 'DISABLED' };
  const digits = (time: string): string => time.replace(':', '');
  return {
    status: 'ENABLED',
    timezone_id: hours.zone,
    weekly_operating_hours: hours.open.flatMap(({ days, from, to }) =>
      days.map((day) => ({
        day_of_week: WEEK[day - 1]?.toUpperCase(),
        open_time: digits(from),
        close_time: digits(to),
      })),
    ),
    holiday_schedule: hours.closed.map((date) => ({
      date,
      start_time: '0000',
      end_time: '2359',
    })),
  };
}

function clockOf(digits: string): string {
  return `${digits.slice(0, 2)}:${digits.slice(2)}`;
}
