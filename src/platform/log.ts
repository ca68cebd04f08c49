import { pino, type Logger } from 'pino';

export type Log = Logger;

/** Field names whose values never reach a log line. */
const SECRET_PATHS = [
  'token',
  'accessToken',
  'appSecret',
  'verifyToken',
  'password',
  'secret',
  'authorization',
  'sdp',
  'body',
  'key',
].flatMap((name) => [name, `*.${name}`]);

/** The last two digits stay, so that an operator can tell two customers apart. */
export function maskNumber(text: string): string {
  return text.replace(
    /\+?\d{7,15}/g,
    (digits) => `${'*'.repeat(digits.length - 2)}${digits.slice(-2)}`,
  );
}

/**
 * The process log: JSON lines on stderr. Anything that looks like a phone number is masked,
 * secrets and SDP are removed by field name.
 */
export function makeLog(options: { level: string; name?: string; pretty?: boolean }): Log {
  return pino(
    {
      level: options.level,
      ...(options.name === undefined ? {} : { name: options.name }),
      redact: { paths: SECRET_PATHS, censor: '[removed]' },
      hooks: {
        streamWrite: (line) =>
          line.replace(/(?<![\w.:-])\+?\d{8,15}(?![\w.:-]|\d)/g, (digits) =>
            isTime(digits) ? digits : maskNumber(digits),
          ),
      },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** pino's own `"time":1764000000000` has 13 digits, as phone numbers may have. */
function isTime(digits: string): boolean {
  return /^1[6-9]\d{11}$/.test(digits);
}

export const silentLog: Log = pino({ level: 'silent' });
