import { pino, type DestinationStream, type Logger } from 'pino';

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
  return text.replace(/\+?\d{7,15}/g, stars);
}

export type LogOptions = {
  level: string;
  name?: string;
  /** Where the lines go; stderr unless told. */
  destination?: DestinationStream;
};

/**
 * The process log: JSON lines on stderr. Secrets and SDP are removed by field name; what still
 * looks like a phone number or a secret, such as in the message of an error, is masked.
 */
export function makeLog(options: LogOptions): Log {
  return pino(
    {
      level: options.level,
      ...(options.name === undefined ? {} : { name: options.name }),
      redact: { paths: SECRET_PATHS, censor: '[removed]' },
      hooks: { streamWrite: maskLine },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
}

/** A whole JSON line with numbers and secrets masked; it stays JSON. */
export function maskLine(line: string): string {
  const safe = SECRETS.reduce((text, [shape, mask]) => text.replace(shape, mask), line);
  return safe
    .replace(NUMBER_AS_WRITTEN, (digits) => stars(digits.replaceAll(/[^\d+]/g, '')))
    .replace(DIGITS, maskDigits);
}

// None begins with \b: in JSON a line break is \n, whose n would hide what follows it.
const SECRETS: ReadonlyArray<readonly [RegExp, string]> = [
  [/(af_(?:test|live)_)[\w-]{8,}/g, '$1[removed]'],
  [/whsec_[A-Za-z0-9+/=_-]+/g, 'whsec_[removed]'],
  [/(bearer )[^\s"\\]+/gi, '$1[removed]'],
  // What Meta's access tokens look like: EAA and a long run of letters and digits.
  [/EAA[A-Za-z0-9]{16,}/g, 'EAA[removed]'],
  [/((?:access|verify)_token=)[^&\s"\\]+/g, '$1[removed]'],
  [/(:\/\/[^/\s:@"\\]*:)[^@\s"\\]+@/g, '$1[removed]@'],
  // Keys and addresses of media: ICE (RFC 8839), DTLS (RFC 8122), SDES (RFC 4568).
  [/a=(?:ice-ufrag|ice-pwd|fingerprint|crypto|candidate)\b[^"\\\r\n]*/g, 'a=[removed]'],
  // Meta's ids of messages and calls hold the customer's number in base64.
  [/(wamid|wacid)\.[A-Za-z0-9+/=_-]*?([A-Za-z0-9]{4}=*)(?![A-Za-z0-9+/=_-])/g, '$1.…$2'],
];

/** With a plus, people put spaces, dots, dashes and brackets between the digits. */
const NUMBER_AS_WRITTEN = /\+\d(?:[ ().-]{0,2}\d){6,14}(?!\d)/g;

/**
 * UUIDs and fractions stand first, so that they are taken whole and left alone. A letter before
 * the digits makes them part of a name, unless it is the n of an escaped line break.
 */
const DIGITS = new RegExp(
  [
    String.raw`[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}`,
    String.raw`(?<=[:,[]-?)\d+\.\d+(?=[,}\]])`,
    String.raw`(?<!(?<!\\)\w)\d{7,15}(?!\w)`,
  ].join('|'),
  'gi',
);

function maskDigits(text: string, offset: number, line: string): string {
  if (!/^\d{7,15}$/.test(text) || isTime(text)) return text;
  // A bare JSON number: masked it must become a text. Short ones are sizes and durations.
  const before = line.charAt(offset - 1);
  const after = line.charAt(offset + text.length);
  const isJsonNumber = /[:,[]/.test(before) && /[,}\]]/.test(after);
  if (!isJsonNumber) return stars(text);
  return text.length < 10 ? text : `"${stars(text)}"`;
}

function stars(digits: string): string {
  return `${'*'.repeat(digits.length - 2)}${digits.slice(-2)}`;
}

/**
 * Milliseconds or seconds since 1970, from 2020 on. No phone number reads like this without its
 * plus: after country code 1 there are always ten digits more.
 */
function isTime(digits: string): boolean {
  return /^1[6-9]\d{8}(?:\d{3})?$/.test(digits);
}

export const silentLog: Log = pino({ level: 'silent' });
