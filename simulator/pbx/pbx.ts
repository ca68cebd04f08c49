import type { Clock } from '../../src/platform/clock.ts';
import type { Log } from '../../src/platform/log.ts';
import type { Random } from '../../src/platform/random.ts';
import { readGreeting } from './greeting.ts';
import { PbxCall } from './pbx-call.ts';
import { readMessage, sequenceOf, valueOf, writeReply, type PbxMessage } from './pbx-message.ts';
import type { PbxCodec } from './pbx-sdp.ts';
import { openSipPort, type PbxPeer } from './sip-port.ts';

/**
 * The demo PBX: a small SIP server that stands for the business's own telephone system. It
 * answers any call, plays and listens, and does what the user part of the address says
 * (`behaviour.ts`). It shares no protocol code with the gateway, so that a mistake of one is
 * seen by the other.
 */
export type DemoPbx = {
  readonly host: string;
  readonly port: number;
  /** The address to call for a behaviour: `sip:tone-1000@127.0.0.1:5070`. */
  uri(user: string, transport?: 'udp' | 'tcp'): string;
  /** Live calls and the last hundred ended ones, oldest first. */
  calls(): DemoPbxCall[];
  /** Calls `listener` after every change of a call; returns how to stop that. */
  onChange(listener: () => void): () => void;
  /** Ends one call with BYE; false when it is not up. */
  hangUp(callId: string): boolean;
  close(): Promise<void>;
};

export type DemoPbxCall = {
  /** The SIP Call-ID. */
  callId: string;
  /** The user part of the Request-URI. */
  user: string;
  /** The From URI. */
  from: string;
  /** The `X-WA-…` headers of the INVITE, by their names in lower case. */
  headers: Record<string, string>;
  state: 'received' | 'ringing' | 'answered' | 'ended';
  codec: PbxCodec | null;
  onHold: boolean;
  /** Milliseconds since the epoch. */
  startedAt: number;
  endedAt: number | null;
  packetsIn: number;
  packetsOut: number;
  /** Tones heard from the caller, in order of first hearing. */
  heardHz: number[];
  /** RFC 4733 digits received. */
  digits: string;
};

export type DemoPbxOptions = {
  clock: Clock;
  random: Random;
  log: Log;
  host: string;
  /** 5070 unless given; 0 for any free port. */
  port?: number;
};

const ENDED_KEPT = 100;
const CALLS_MAX = 1000;

/** Opens UDP and TCP on one port. Rejects when it is taken. */
export async function openDemoPbx(options: DemoPbxOptions): Promise<DemoPbx> {
  const { clock, random, log, host } = options;
  const calls = new Map<string, PbxCall>();
  const listeners = new Set<() => void>();
  const greeting = readGreeting();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };

  const port = await openSipPort(host, options.port ?? 5070, (text, peer) => {
    try {
      receive(text, peer);
    } catch (error) {
      log.warn({ err: error }, 'demo PBX could not handle a message');
    }
  });

  function receive(text: string, peer: PbxPeer): void {
    const message = readMessage(text);
    if (message === undefined) return;
    const callId = valueOf(message, 'call-id');
    const known = calls.get(callId);
    if (known !== undefined) return known.receive(message, peer);
    if (message.method === 'INVITE' && calls.size < CALLS_MAX + ENDED_KEPT) {
      const parts = { clock, random, log, greeting, host, sipPort: port, onChange: changed };
      const call = new PbxCall(parts, message, peer);
      calls.set(callId, call);
      forgetOldest(calls);
      call.start();
      changed();
      return;
    }
    answerStranger(message, peer);
  }

  return {
    host,
    port: port.port,
    uri: (user, transport = 'udp') =>
      `sip:${user}@${host}:${port.port}${transport === 'tcp' ? ';transport=tcp' : ''}`,
    calls: () => [...calls.values()].map((call) => call.report()),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    hangUp: (callId) => calls.get(callId)?.hangUp() ?? false,
    async close() {
      listeners.clear();
      await Promise.all([...calls.values()].map((call) => call.close()));
      await port.close();
    },
  };
}

/** Requests for no call of ours: alive for OPTIONS, everything else is over or was never there. */
function answerStranger(message: PbxMessage, peer: PbxPeer): void {
  if (message.method === '' || message.method === 'ACK') return;
  const alive = message.method === 'OPTIONS';
  const reply = alive ? { status: 200, reason: 'OK' } : { status: 481, reason: 'No Such Call' };
  const toTag = `pbx${sequenceOf(message).number}`;
  peer.send(writeReply(message, peer, { ...reply, toTag }));
}

function forgetOldest(calls: Map<string, PbxCall>): void {
  const ended = [...calls].filter(([, call]) => call.isEnded);
  for (const [callId] of ended.slice(0, Math.max(0, ended.length - ENDED_KEPT))) {
    calls.delete(callId);
  }
}
