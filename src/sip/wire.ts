/**
 * What the user agent needs from the network. The sockets are in `udp-wire.ts` and
 * `tcp-wire.ts`; tests bring a wire of their own, so that loss and order are theirs to choose.
 */
export type Hop = { transport: 'udp' | 'tcp'; address: string; port: number };

export type Wire = {
  /** Sends one message. `onFail` is called at most once, when it surely did not leave. */
  send(bytes: Buffer, to: Hop, onFail: (error: Error) => void): void;
  /** Where peers can reach us over this transport, as seen on the way to `towards`. */
  localAddress(transport: Hop['transport'], towards: string): { address: string; port: number };
  close(): Promise<void>;
};

/** Called for each datagram or framed message; must not throw. */
export type OnBytes = (bytes: Uint8Array, from: Hop) => void;

/** Finds the IPv4 address of a host; rejects when there is none. */
export type LookUp = (host: string) => Promise<string>;

export function isSameHop(a: Hop, b: Hop): boolean {
  return a.transport === b.transport && a.address === b.address && a.port === b.port;
}
