/**
 * Writes JSON that is longer than memory should be. Nothing is read before the receiver has taken
 * what came before, because a stream asks its generator only when there is room.
 */
const CHUNK_CHARACTERS = 65_536;

/**
 * An object whose fields may be async iterables; these become arrays, written item by item, and
 * their items may have such fields again.
 */
export async function* jsonObjectText(fields: Record<string, unknown>): AsyncGenerator<string> {
  yield* objectText(fields);
  yield '\n';
}

async function* objectText(fields: object): AsyncGenerator<string> {
  let isFirst = true;
  for (const [name, value] of Object.entries(fields)) {
    yield `${isFirst ? '{' : ','}${JSON.stringify(name)}:`;
    isFirst = false;
    if (isAsyncIterable(value)) yield* arrayText(value);
    else yield JSON.stringify(value ?? null);
  }
  yield isFirst ? '{}' : '}';
}

/** One JSON value per line (NDJSON). */
export async function* jsonLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}

/** Joins small pieces, so that a socket is not written to for each of them. */
export async function* inChunks(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for await (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

async function* arrayText(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  let separator = '[';
  for await (const item of items) {
    if (isStreamed(item)) {
      yield separator;
      yield* objectText(item);
    } else yield `${separator}${JSON.stringify(item)}`;
    separator = ',';
  }
  yield separator === '[' ? '[]' : ']';
}

function isStreamed(item: unknown): item is object {
  return typeof item === 'object' && item !== null && Object.values(item).some(isAsyncIterable);
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
