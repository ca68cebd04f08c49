/**
 * What is due when: the earliest first, and of one instant in the order in which it came. Days
 * with a hundred thousand people keep twice as many timers, so nothing here looks at all of them.
 */
export class DueQueue<T> {
  #heap: Entry<T>[] = [];
  #order = 0;
  #waiting = 0;

  /** How many wait. */
  get size(): number {
    return this.#waiting;
  }

  /** Adds an item; returns the way to take it out again before it is due. */
  add(dueAt: number, item: T): () => void {
    const entry = { dueAt, item, order: this.#order++, isWaiting: true };
    this.#heap.push(entry);
    this.#waiting += 1;
    this.#rise(this.#heap.length - 1);
    return () => {
      if (!entry.isWaiting) return;
      entry.isWaiting = false;
      this.#waiting -= 1;
      this.#sweep();
    };
  }

  /** When the earliest falls due; Infinity when nothing waits. */
  next(): number {
    return this.#first()?.dueAt ?? Infinity;
  }

  /** Takes the earliest that falls due by then out of the queue. */
  take(untilAt: number): { dueAt: number; item: T } | undefined {
    const first = this.#first();
    if (first === undefined || first.dueAt > untilAt) return undefined;
    first.isWaiting = false;
    this.#waiting -= 1;
    this.#drop();
    return first;
  }

  /** Those that were taken out stay where they are until they come to the top. */
  #first(): Entry<T> | undefined {
    while (this.#heap[0]?.isWaiting === false) this.#drop();
    return this.#heap[0];
  }

  #drop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  /** Where most were taken out long before their time, the queue is made anew. */
  #sweep(): void {
    if (this.#heap.length < 2 * this.#waiting + SWEEP_FROM) return;
    // A sorted list is a heap.
    this.#heap = this.#heap.filter(({ isWaiting }) => isWaiting).toSorted(byDue);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const entry = heap[from];
    if (entry === undefined) return;
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || byDue(parent, entry) <= 0) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = entry;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const entry = heap[from];
    if (entry === undefined) return;
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const [a, b] = [heap[left], heap[right]];
      if (a === undefined) break;
      const isRight = b !== undefined && byDue(b, a) < 0;
      const below = isRight ? b : a;
      if (byDue(entry, below) <= 0) break;
      heap[index] = below;
      index = isRight ? right : left;
    }
    heap[index] = entry;
  }
}

type Entry<T> = { dueAt: number; item: T; order: number; isWaiting: boolean };

const SWEEP_FROM = 64;

function byDue<T>(a: Entry<T>, b: Entry<T>): number {
  return a.dueAt - b.dueAt || a.order - b.order;
}
