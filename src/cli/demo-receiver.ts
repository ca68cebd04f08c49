import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../platform/clock.ts';
import { verify } from '../webhooks/signing.ts';

/** One event as it came in, with the verdict on its signature. */
export type ReceivedEvent = {
  id: string;
  type: string;
  callId: string | null;
  data: Record<string, unknown>;
  verified: boolean;
};

/** The business's side of webhooks: takes events, verifies them, and lets others wait for one. */
export type DemoReceiver = {
  url: string;
  events(): ReceivedEvent[];
  setSecret(secret: string): void;
  /** Resolves with the first event that fits, also one that came already. */
  waitFor(fits: (event: ReceivedEvent) => boolean, what: string): Promise<ReceivedEvent>;
  close(): Promise<void>;
};

const WAIT_MS = 20_000;

export async function openDemoReceiver(clock: Clock): Promise<DemoReceiver> {
  const received = new Map<string, ReceivedEvent>();
  const listeners = new Set<() => void>();
  let secret = '';
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const headers = incoming.headers as Record<string, string>;
      const { ok: verified } = verify([secret], { headers, body, now: clock.now() });
      const event = JSON.parse(body) as Omit<ReceivedEvent, 'verified'>;
      received.set(event.id, { ...event, verified });
      outgoing.writeHead(204).end();
      for (const listener of listeners) listener();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const events = (): ReceivedEvent[] =>
    [...received.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    url: `http://127.0.0.1:${port}/events`,
    events,
    setSecret: (text) => {
      secret = text;
    },
    waitFor: (fits, what) =>
      new Promise((resolve, reject) => {
        const timer = clock.after(WAIT_MS, () => {
          listeners.delete(look);
          reject(new Error(`no ${what} within ${WAIT_MS / 1000} s`));
        });
        const look = (): void => {
          const event = events().find(fits);
          if (event === undefined) return;
          timer.cancel();
          listeners.delete(look);
          resolve(event);
        };
        listeners.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
