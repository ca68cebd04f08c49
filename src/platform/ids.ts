import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

/**
 * Ids are UUIDv7 (RFC 9562 section 5.7) behind a visible prefix: `call_0199...`. They sort by
 * time of creation and never come from a phone number.
 *
 * Ids of things that belong to a contact also carry the contact's `bucket` in the six bits after
 * the variant, so one id is enough to find the row: `bucket` stands first in every key of a
 * contact-owned table, and an id found in a webhook or an URL names its bucket by itself.
 */
export const ID_PREFIXES = {
  account: 'acct',
  apiKey: 'key',
  line: 'line',
  endpoint: 'end',
  script: 'scr',
  prompt: 'prm',
  journey: 'jrn',
  journeyRun: 'run',
  webhook: 'wh',
  contact: 'cont',
  permissionRequest: 'preq',
  permission: 'perm',
  call: 'call',
  recording: 'rec',
  agent: 'agt',
  agentRing: 'ring',
  callOrder: 'ord',
  cdr: 'cdr',
  cdrExport: 'cdx',
  event: 'evt',
  message: 'msg',
  template: 'tpl',
  delivery: 'dlv',
  delivered: 'inb',
  import: 'imp',
  campaign: 'cmp',
  policyChange: 'pch',
  policyReport: 'prep',
  experiment: 'exp',
  request: 'req',
  node: 'node',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;
declare const kindOfId: unique symbol;
export type Id<K extends IdKind> = string & { readonly [kindOfId]: K };

export type AccountId = Id<'account'>;
export type LineId = Id<'line'>;
export type EndpointId = Id<'endpoint'>;
export type ContactId = Id<'contact'>;
export type PermissionRequestId = Id<'permissionRequest'>;
export type PermissionId = Id<'permission'>;
export type CallId = Id<'call'>;
export type EventId = Id<'event'>;
export type TemplateId = Id<'template'>;

export const BUCKET_COUNT = 64;
/** 0 to 63: the shard-like slice of the store that a contact and all it owns live in. */
export type Bucket = number;

/** So many buckets one statement goes through where all of them are gone through. */
const SPAN = 16;

/** All buckets, as first and last of some that stand beside each other. */
export function* bucketSpans(): Generator<readonly [first: Bucket, last: Bucket]> {
  for (let first = 0; first < BUCKET_COUNT; first += SPAN) {
    yield [first, Math.min(first + SPAN, BUCKET_COUNT) - 1];
  }
}

export type Ids = {
  /** A new id; `bucket` is given for whatever belongs to a contact, else drawn by chance. */
  next<K extends IdKind>(kind: K, bucket?: Bucket): Id<K>;
};

export function makeIds(clock: Clock, random: Random): Ids {
  let lastMs = 0;
  let sequence = 0;
  return {
    next(kind, bucket) {
      const now = clock.now();
      // RFC 9562 6.2 method 1: a counter in rand_a keeps ids of one millisecond in order.
      if (now > lastMs) {
        lastMs = now;
        sequence = random.below(1024);
      } else if (sequence === 4095) {
        lastMs += 1;
        sequence = random.below(1024);
      } else {
        sequence += 1;
      }
      const tail = random.bytes(8);
      tail[0] = 0x80 | (bucket ?? (tail[0] ?? 0) & 0x3f);
      const tailHex = Buffer.from(tail).toString('hex');
      const timeHex = lastMs.toString(16).padStart(12, '0');
      const counter = sequence.toString(16).padStart(3, '0');
      const head = `${timeHex.slice(0, 8)}-${timeHex.slice(8)}-7${counter}`;
      return `${ID_PREFIXES[kind]}_${head}-${tailHex.slice(0, 4)}-${tailHex.slice(4)}` as Id<
        typeof kind
      >;
    },
  };
}

/** Sorts before every id of that kind made from this instant on, and after all before it. */
export function idPrefixAt(kind: IdKind, atMs: number): string {
  const timeHex = Math.max(0, Math.floor(atMs)).toString(16).padStart(12, '0');
  return `${ID_PREFIXES[kind]}_${timeHex.slice(0, 8)}-${timeHex.slice(8)}`;
}

const ID_SHAPE =
  /^([a-z]+)_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-([89ab][0-9a-f])[0-9a-f]{2}-[0-9a-f]{12}$/;

/** True when the text is a well-formed id of this kind. */
export function isId<K extends IdKind>(kind: K, text: string): text is Id<K> {
  return ID_SHAPE.exec(text)?.[1] === ID_PREFIXES[kind];
}

/** The bucket an id carries; only for ids that passed `isId`. */
export function bucketOf(id: Id<IdKind>): Bucket {
  const match = ID_SHAPE.exec(id);
  if (match?.[2] === undefined) throw new TypeError(`not an id: ${id}`);
  return Number.parseInt(match[2], 16) & 0x3f;
}
