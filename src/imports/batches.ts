import type { ReadRow } from './imports.ts';

/** Rows that are settled in one transaction, and the place of the first one in the file, from 0. */
export type Batch<Row> = { first: number; rows: Array<ReadRow<Row>> };

/**
 * Cuts the rows of a file into batches. Those that were settled before (`settled`: first row to
 * number of rows) are passed over, so nothing is done twice or left out, whatever the order in
 * which they were settled and however large batches were then.
 */
export async function* batchesOf<Row>(
  rows: AsyncIterable<ReadRow<Row>>,
  settled: ReadonlyMap<number, number>,
  size: number,
): AsyncGenerator<Batch<Row>> {
  let batch: Array<ReadRow<Row>> = [];
  let place = 0;
  let passUntil = 0;
  for await (const row of rows) {
    if (batch.length === 0) passUntil = Math.max(passUntil, place + (settled.get(place) ?? 0));
    place += 1;
    if (place <= passUntil) continue;
    batch.push(row);
    if (batch.length < size && !settled.has(place)) continue;
    yield { first: place - batch.length, rows: batch };
    batch = [];
  }
  if (batch.length > 0) yield { first: place - batch.length, rows: batch };
}

type Lane = { people: ReadonlySet<string>; done: Promise<void> };

/**
 * Batches that are settled at the same time: while the database writes one, the next is sealed.
 * Two in which one person stands never run together, so the later row of a person comes later, and
 * none waits for the other's locks.
 */
export class Lanes {
  readonly #most: number;
  readonly #running = new Set<Lane>();
  #broken: { cause: unknown } | null = null;

  constructor(most: number) {
    this.#most = most;
  }

  /** Waits until a batch of these people may begin. Throws what broke off an earlier one. */
  async room(people: ReadonlySet<string>): Promise<void> {
    for (;;) {
      this.#throwBroken();
      const lanes = [...this.#running];
      const met = lanes.find((lane) => [...people].some((one) => lane.people.has(one)));
      if (met === undefined && lanes.length < this.#most) return;
      await (met === undefined ? Promise.race(lanes.map(({ done }) => done)) : met.done);
    }
  }

  run(people: ReadonlySet<string>, work: Promise<void>): void {
    const done = work
      .catch((cause: unknown) => void (this.#broken ??= { cause }))
      .finally(() => this.#running.delete(lane));
    const lane: Lane = { people, done };
    this.#running.add(lane);
  }

  /** Waits for all that run, whatever comes of them. */
  async idle(): Promise<void> {
    await Promise.all([...this.#running].map(({ done }) => done));
  }

  /** As `idle`; throws what broke off one of them, now or earlier. */
  async all(): Promise<void> {
    await this.idle();
    this.#throwBroken();
  }

  #throwBroken(): void {
    if (this.#broken !== null) throw this.#broken.cause;
  }
}
