/** How times and lengths are written on the page. Milliseconds in, text out. */

/** `h:mm:ss`, never negative: what is left until an instant. */
export function countdown(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  const hours = Math.floor(seconds / 3600);
  return `${hours}:${twoDigits(minutesOf(seconds))}:${twoDigits(seconds % 60)}`;
}

/** `m:ss`, and `h:mm:ss` from an hour on, as phones show the length of a call. */
export function talkTime(lengthMs: number): string {
  const seconds = Math.max(0, Math.floor(lengthMs / 1000));
  const minutesAndSeconds = `${minutesOf(seconds)}:${twoDigits(seconds % 60)}`;
  if (seconds < 3600) return minutesAndSeconds;
  return `${Math.floor(seconds / 3600)}:${minutesAndSeconds.padStart(5, '0')}`;
}

/** Seconds with one decimal and a sign: how long after the start something happened. */
export function offset(afterMs: number): string {
  return `${afterMs < 0 ? '−' : '+'}${(Math.abs(afterMs) / 1000).toFixed(1)} s`;
}

export function clockTime(at: string | number): string {
  return new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' }).format(new Date(at));
}

export function shortTime(at: string | number): string {
  return new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' }).format(new Date(at));
}

export function dayAndTime(at: string | number): string {
  const style = { dateStyle: 'medium', timeStyle: 'medium' } as const;
  return new Intl.DateTimeFormat('en-GB', style).format(new Date(at));
}

/** `permission_used`, `SubmittedToMeta` or `call.ended` as words with a capital at the front. */
export function inWords(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[._-]+/g, ' ')
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function minutesOf(seconds: number): number {
  return Math.floor(seconds / 60) % 60;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
