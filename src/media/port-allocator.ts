import { createSocket } from 'node:dgram';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';

/** True when a UDP socket could be bound there just now. */
export type TestBind = (address: string, port: number) => Promise<boolean>;

/** The engine frees its socket a moment after it says `closed`; measured well below this. */
const RELEASE_DELAY_MS = 30;

/**
 * Guard G1: hands out UDP ports, one per leg. The native engine ends its whole process when its
 * port is taken, so every port is test-bound first and ports in use are never offered again.
 * The start is random, so nobody outside can tell the next port from the last one.
 */
export class PortAllocator {
  readonly #address: string;
  readonly #first: number;
  readonly #size: number;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #testBind: TestBind;
  readonly #inUse = new Set<number>();

  constructor(options: {
    address: string;
    range: { first: number; last: number };
    clock: Clock;
    random: Random;
    testBind?: TestBind;
  }) {
    this.#address = options.address;
    this.#first = options.range.first;
    this.#size = options.range.last - options.range.first + 1;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#testBind = options.testBind ?? canBind;
  }

  /** A free port, now marked as in use; `null` when there is none. */
  async take(): Promise<number | null> {
    const start = this.#random.below(this.#size);
    for (let step = 0; step < this.#size; step += 1) {
      const port = this.#first + ((start + step) % this.#size);
      if (this.#inUse.has(port)) continue;
      // Marked before the wait, so that two callers never test the same port.
      this.#inUse.add(port);
      if (await this.#testBind(this.#address, port)) return port;
      this.#inUse.delete(port);
    }
    return null;
  }

  /** Gives a port back, shortly after its owner closed it. */
  release(port: number): void {
    this.#clock.after(RELEASE_DELAY_MS, () => void this.#inUse.delete(port));
  }

  get inUse(): number {
    return this.#inUse.size;
  }

  get free(): number {
    return this.#size - this.#inUse.size;
  }
}

/** Binds and closes again; any error (taken, not ours, no descriptor) counts as "no". */
export function canBind(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.close(() => resolve(true));
    });
  });
}
