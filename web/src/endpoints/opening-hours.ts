/** A span of a routing rule's hours, as the API has it. */
export type OpenSpan = { days: number[]; from: string; to: string };

const DAYS = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'] as const;
const TIME = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/;

/** `Mo-Fr 09:00-18:00, Sa 10:00-14:00` as spans; null where it cannot be read. */
export function spansIn(text: string): OpenSpan[] | null {
  const parts = text.split(/[,;]/).map((part) => part.trim());
  const spans = parts.filter(Boolean).map(spanIn);
  return spans.length > 0 && spans.every((span) => span !== null) ? spans : null;
}

function spanIn(text: string): OpenSpan | null {
  const [dayText = '', timeText = '', ...rest] = text.split(/\s+/);
  const [first, last = first] = dayText.split('-').map(dayNumber);
  const time = TIME.exec(timeText);
  if (rest.length > 0 || time === null || first === undefined || last === undefined) return null;
  if (first === 0 || last === 0) return null;
  const [, fromHour = '', fromMinute, toHour = '', toMinute] = time;
  // Friday to Monday goes over the end of the week.
  const count = ((last - first + 7) % 7) + 1;
  return {
    days: Array.from({ length: count }, (_, at) => ((first - 1 + at) % 7) + 1),
    from: `${fromHour.padStart(2, '0')}:${fromMinute}`,
    to: `${toHour.padStart(2, '0')}:${toMinute}`,
  };
}

function dayNumber(text: string): number {
  const short = text.trim().slice(0, 2).toLowerCase();
  return DAYS.findIndex((day) => day.toLowerCase() === short) + 1;
}

/** The spans as `spansIn` reads them; days that do not follow each other become several. */
export function textOfSpans(spans: readonly OpenSpan[]): string {
  return spans
    .flatMap(({ days, from, to }) => runsOf(days).map((run) => `${run} ${from}-${to}`))
    .join(', ');
}

function runsOf(days: readonly number[]): string[] {
  const runs: number[][] = [];
  for (const day of days) {
    const run = runs.at(-1);
    if (run !== undefined && run.length < 7 && day === ((run.at(-1) ?? 0) % 7) + 1) run.push(day);
    else runs.push([day]);
  }
  const name = (day: number | undefined): string => DAYS[(day ?? 1) - 1] ?? '';
  return runs.map((run) =>
    run.length === 1 ? name(run[0]) : `${name(run[0])}-${name(run.at(-1))}`,
  );
}
