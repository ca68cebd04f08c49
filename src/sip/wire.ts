import type { SipTransportName } from './sip.ts';

/**
 * What the user agent needs from the network. The sockets are in `udp-wire.ts` and
 * `stream-wire.ts`; tests bring a wire of their own, so that loss and order are theirs to choose.
 */
export type Hop = {
  transport: SipTransportName;
  address: string;
  port: number;
  /** Over TLS: the name that the peer's certificate must bear (RFC 5922 section 7.1). */
  serverName?: string | undefined;
  /** The URI left the transport open, so that a large request may go by TCP. */
  mayChange?: boolean;
};

export type Wire = {
  /** Sends one message. `onFail` is called at most once, when it surely did not leave. */
  send(bytes: Buffer, to: Hop, onFail: (error: Error) => void): void;
  /** Whether this transport is switched on. */
  speaks(transport: Hop['transport']): boolean;
  /** Where peers can reach us over this transport, as seen on the way to `towards`. */
  localAddress(transport: Hop['transport'], towards: string): { address: string; port: number };
  close(): Promise<void>;
};

/** Called for each datagram or framed message; must not throw. */
export type OnBytes = (bytes: Uint8Array, from: Hop) => void;

/** One SRV record (RFC 2782). */
export type ServiceRecord = { host: string; port: number; priority: number; weight: number };

/** One NAPTR record, as far as SIP uses them (RFC 3263 section 4.1). */
export type NamingPointer = {
  order: number;
  preference: number;
  flags: string;
  service: string;
  replacement: string;
};

/** The names of the net. */
export type Names = {
  /** The addresses of a host that we can reach, the best first; rejects when there is none. */
  addresses(host: string): Promise<string[]>;
  /** The NAPTR records of a domain (RFC 3403); none is an empty list. */
  pointers(domain: string): Promise<NamingPointer[]>;
  /** The SRV records of a name such as `_sip._tcp.example.net`; none is an empty list. */
  services(name: string): Promise<ServiceRecord[]>;
};

/** Whether the transport itself sees to it that nothing is lost (RFC 3261 section 17). */
export function isReliable(transport: SipTransportName): boolean {
  return transport !== 'udp';
}

export function isSameHop(a: Hop, b: Hop): boolean {
  return a.transport === b.transport && a.address === b.address && a.port === b.port;
}
