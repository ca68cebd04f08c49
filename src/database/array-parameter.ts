/**
 * Arrays as PostgreSQL's binary format of a parameter has them (`array_send` in its sources). As
 * text, bytes are written in hex, every quote of a JSON document is escaped, and the server reads
 * it letter by letter: a third of what a transaction of a thousand rows cost at either end.
 */
type Element<Value> = {
  /** The type's number in `pg_type`, which is the same in every database. */
  oid: number;
  /** Whatever does not fit is left to the driver, and to the words of the server. */
  fits: (item: unknown) => item is Value;
  /** How many bytes a value takes, without its length. */
  size: (value: Value) => number;
  write: (into: Buffer, value: Value, offset: number) => void;
};

const isText = (item: unknown): item is string => typeof item === 'string';
const isWhole = (item: unknown): item is number => Number.isSafeInteger(item);
const isInstant = (item: unknown): item is Date =>
  item instanceof Date && !Number.isNaN(item.getTime());

/** PostgreSQL counts microseconds from the beginning of the year 2000. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

const SMALLINT: Element<number> = {
  oid: 21,
  fits: isWhole,
  size: () => 2,
  write: (into, value, offset) => into.writeInt16BE(value, offset),
};

const INTEGER: Element<number> = {
  oid: 23,
  fits: isWhole,
  size: () => 4,
  write: (into, value, offset) => into.writeInt32BE(value, offset),
};

const BIGINT: Element<number> = {
  oid: 20,
  fits: isWhole,
  size: () => 8,
  write: (into, value, offset) => into.writeBigInt64BE(BigInt(value), offset),
};

const TEXT: Element<string> = {
  oid: 25,
  fits: isText,
  size: (value) => Buffer.byteLength(value),
  write: (into, value, offset) => into.write(value, offset),
};

const JSONB: Element<string> = {
  oid: 3802,
  fits: isText,
  size: (value) => 1 + Buffer.byteLength(value),
  write(into, value, offset) {
    // The version of the format, which `jsonb_recv` asks for.
    into[offset] = 1;
    into.write(value, offset + 1);
  },
};

const BYTEA: Element<Uint8Array> = {
  oid: 17,
  fits: (item) => item instanceof Uint8Array,
  size: (value) => value.byteLength,
  write: (into, value, offset) => into.set(value, offset),
};

const TIMESTAMPTZ: Element<Date> = {
  oid: 1184,
  fits: isInstant,
  size: () => 8,
  write(into, value, offset) {
    into.writeBigInt64BE(BigInt(value.getTime() - EPOCH_MS) * 1_000n, offset);
  },
};

/** ndim, flags and type, then of the one dimension its length and its first index. */
const HEAD_BYTES = 20;
const HEAD_OF_EMPTY_BYTES = 12;

type Encode = (items: readonly unknown[]) => Buffer | null;

/** Null where an element does not fit. */
function encoder<Value>({ oid, fits, size, write }: Element<Value>): Encode {
  return (items) => {
    let bytes = items.length === 0 ? HEAD_OF_EMPTY_BYTES : HEAD_BYTES;
    let nulls = 0;
    const sizes: number[] = [];
    for (const item of items) {
      const isNull = item === null || item === undefined;
      if (!isNull && !fits(item)) return null;
      const length = isNull ? -1 : size(item);
      if (isNull) nulls = 1;
      sizes.push(length);
      bytes += 4 + Math.max(0, length);
    }
    const buffer = Buffer.allocUnsafe(bytes);
    buffer.writeInt32BE(items.length === 0 ? 0 : 1, 0);
    buffer.writeInt32BE(nulls, 4);
    buffer.writeInt32BE(oid, 8);
    if (items.length === 0) return buffer;
    buffer.writeInt32BE(items.length, 12);
    buffer.writeInt32BE(1, 16);
    let offset = HEAD_BYTES;
    for (const [index, length] of sizes.entries()) {
      offset = buffer.writeInt32BE(length, offset);
      if (length === -1) continue;
      write(buffer, items[index] as Value, offset);
      offset += length;
    }
    return buffer;
  };
}

const ENCODERS: ReadonlyMap<string, Encode> = new Map<string, Encode>([
  ['smallint', encoder(SMALLINT)],
  ['int', encoder(INTEGER)],
  ['integer', encoder(INTEGER)],
  ['bigint', encoder(BIGINT)],
  ['text', encoder(TEXT)],
  ['jsonb', encoder(JSONB)],
  ['bytea', encoder(BYTEA)],
  ['timestamptz', encoder(TIMESTAMPTZ)],
]);

/** By the place of each parameter that the text casts to an array, such as `$2::text[]`. */
const known = new Map<string, ReadonlyMap<number, Encode>>();

function encodersOf(text: string): ReadonlyMap<number, Encode> {
  const before = known.get(text);
  if (before !== undefined) return before;
  const found = new Map<number, Encode>();
  for (const [, place, type = ''] of text.matchAll(/\$(\d+)::([a-z0-9]+)\[\]/g)) {
    const encode = ENCODERS.get(type);
    if (encode !== undefined) found.set(Number(place) - 1, encode);
  }
  known.set(text, found);
  return found;
}

/** The parameters of a statement with its arrays in binary, as far as that is possible. */
export function withBinaryArrays(text: string, values: readonly unknown[]): unknown[] {
  const encoders = encodersOf(text);
  return values.map((value, index) => {
    if (!Array.isArray(value)) return value;
    return encoders.get(index)?.(value) ?? value;
  });
}
