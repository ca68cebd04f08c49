import type { Clock, TimerHandle } from '../../src/platform/clock.ts';
import { errorText } from '../../src/platform/failure.ts';
import type { Log } from '../../src/platform/log.ts';
import type { Random } from '../../src/platform/random.ts';
import { behaviourOf, type Behaviour } from './behaviour.ts';
import type { DemoPbxCall } from './pbx.ts';
import { PbxMedia } from './pbx-media.ts';
import { sequenceOf, uriIn, userOf, valueOf, writeMessage, writeReply } from './pbx-message.ts';
import type { PbxMessage } from './pbx-message.ts';
import { BROKEN_SDP, chooseSession, writeSession, type Direction } from './pbx-sdp.ts';
import type { PbxSession } from './pbx-sdp.ts';
import { Resender } from './resender.ts';
import { addressToward, type PbxPeer, type PbxSipPort } from './sip-port.ts';

/** One call to the demo PBX, from INVITE to the last byte of sound. */
export type PbxCallParts = {
  clock: Clock;
  random: Random;
  log: Log;
  host: string;
  sipPort: PbxSipPort;
  greeting: Int16Array;
  onChange: () => void;
};

export class PbxCall {
  readonly #parts: PbxCallParts;
  readonly #invite: PbxMessage;
  readonly #behaviour: Behaviour;
  readonly #prefersOpus: boolean;
  readonly #toTag: string;
  readonly #startedAt: number;
  readonly #timers: TimerHandle[] = [];
  /** Repeats our final response to an INVITE until its ACK. */
  readonly #final: Resender;
  /** Repeats our own re-INVITE or BYE until its answer. */
  readonly #request: Resender;
  #peer: PbxPeer;
  #state: DemoPbxCall['state'] = 'received';
  #endedAt: number | null = null;
  /** What a repeated INVITE gets again. */
  #lastReply: Buffer = Buffer.alloc(0);
  #session: PbxSession | undefined;
  #media: PbxMedia | undefined;
  #sdpVersion = 1;
  #sequence = 0;
  #onHold = false;
  #closed: Promise<void> | undefined;

  constructor(parts: PbxCallParts, invite: PbxMessage, peer: PbxPeer) {
    this.#parts = parts;
    this.#invite = invite;
    this.#peer = peer;
    const { behaviour, prefersOpus } = behaviourOf(userOf(invite.uri));
    this.#behaviour = behaviour;
    this.#prefersOpus = prefersOpus;
    this.#toTag = Buffer.from(parts.random.bytes(8)).toString('hex');
    this.#startedAt = parts.clock.now();
    this.#final = new Resender(parts.clock);
    this.#request = new Resender(parts.clock);
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  report(): DemoPbxCall {
    const extra = this.#invite.headers.filter(([name]) => name.startsWith('x-wa-'));
    return {
      callId: valueOf(this.#invite, 'call-id'),
      user: userOf(this.#invite.uri),
      from: uriIn(valueOf(this.#invite, 'from')),
      headers: Object.fromEntries(extra),
      state: this.#state,
      codec: this.#session?.codec ?? null,
      onHold: this.#onHold,
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      packetsIn: this.#media?.packetsIn ?? 0,
      packetsOut: this.#media?.packetsOut ?? 0,
      heardHz: [...(this.#media?.heardHz ?? [])],
      digits: this.#media?.digits ?? '',
    };
  }

  /** Takes the first INVITE. */
  start(): void {
    const { answersWith, refuse } = this.#behaviour;
    if (answersWith === 'garbage') return this.#sendGarbage();
    this.#reply(100, 'Trying');
    if (refuse !== undefined) return this.#refuse(refuse.status, refuse.reason);
    this.#session = chooseSession(this.#invite.body, this.#prefersOpus);
    if (this.#session === undefined) return this.#refuse(488, 'Not Acceptable Here');
    void this.#prepare(this.#session).catch((error: unknown) => {
      this.#parts.log.warn({ reason: errorText(error) }, 'demo PBX has no media for a call');
      if (!this.isEnded) this.#refuse(500, 'No Media');
    });
  }

  receive(message: PbxMessage, peer: PbxPeer): void {
    if (this.#behaviour.answersWith === 'garbage') return this.#sendGarbage();
    if (message.method === '') return this.#receiveReply(message);
    this.#peer = peer;
    switch (message.method) {
      case 'INVITE':
        return this.#receiveInvite(message);
      case 'ACK':
        return this.#final.stop();
      case 'CANCEL':
        this.#answer(message, 200, 'OK');
        if (this.#state === 'received' || this.#state === 'ringing') {
          this.#refuse(487, 'Request Terminated');
        }
        return;
      case 'BYE':
        if (this.#state === 'answered') this.#final.stop();
        this.#answer(message, this.isEnded ? 481 : 200, this.isEnded ? 'No Such Call' : 'OK');
        return this.#end();
      default:
        return this.#answer(message, 200, 'OK');
    }
  }

  /** BYE from our side; false when the call is not up. */
  hangUp(): boolean {
    if (this.#state !== 'answered') return false;
    this.#final.stop();
    this.#sendInDialog('BYE', ['Reason: Q.850;cause=16;text="PBX hung up"']);
    this.#end();
    return true;
  }

  /** Frees everything; a live call gets one BYE, unrepeated. */
  async close(): Promise<void> {
    this.hangUp();
    this.#final.stop();
    this.#request.stop();
    this.#end();
    await this.#closed;
  }

  async #prepare(session: PbxSession): Promise<void> {
    const { clock, random, host, greeting, onChange } = this.#parts;
    const { plays, rings, answerAfterMs } = this.#behaviour;
    const onSilent = (): void => void this.hangUp();
    const sounds = { plays, greeting, onHeard: onChange, onSilent };
    const parts = { clock, random, host, session, ...sounds };
    const media = await PbxMedia.open(parts);
    // The caller may have given up while the codec was being made.
    if (this.isEnded) return media.close();
    this.#media = media;
    if (rings) {
      this.#state = 'ringing';
      this.#reply(180, 'Ringing');
      onChange();
    }
    if (answerAfterMs === undefined) return;
    if (answerAfterMs === 0) this.#accept();
    else this.#later(answerAfterMs, () => this.#accept());
  }

  #accept(): void {
    const { hangUpAfterMs, holdAfterMs } = this.#behaviour;
    this.#state = 'answered';
    this.#sendAnswer(this.#invite);
    this.#media?.start();
    if (hangUpAfterMs !== undefined) this.#later(hangUpAfterMs, () => this.hangUp());
    if (holdAfterMs !== undefined) {
      this.#later(holdAfterMs, () => this.#reinvite(true));
      this.#later(2 * holdAfterMs, () => this.#reinvite(false));
    }
    this.#parts.onChange();
  }

  /** A 200 with our description, resent until its ACK (RFC 3261 13.3.1.4). */
  #sendAnswer(request: PbxMessage): void {
    const broken = this.#behaviour.answersWith === 'brokenSdp';
    const body = broken ? BROKEN_SDP : this.#describe('sendrecv');
    const reply = { status: 200, reason: 'OK', toTag: this.#toTag };
    const extra = [this.#contact(), 'Content-Type: application/sdp'];
    this.#lastReply = writeReply(request, this.#peer, reply, extra, body);
    // Without an ACK the caller is gone.
    this.#final.start(
      () => this.#peer.send(this.#lastReply),
      () => this.#end(),
    );
  }

  #receiveInvite(message: PbxMessage): void {
    const repeated = sequenceOf(message).number === sequenceOf(this.#invite).number;
    // A repetition over UDP, not a new offer: the network or the caller's timer made it.
    if (repeated) return this.#peer.send(this.#lastReply);
    if (this.#state === 'answered') this.#sendAnswer(message);
    else this.#answer(message, 491, 'Request Pending');
  }

  #receiveReply(message: PbxMessage): void {
    const { number, method } = sequenceOf(message);
    if (number !== this.#sequence || message.status < 200) return;
    this.#request.stop();
    if (method !== 'INVITE') return;
    // Whether taken or refused, a re-INVITE ends with an ACK.
    this.#contactPeer().send(this.#inDialog('ACK', number, []));
    this.#parts.onChange();
  }

  /** Hold and resume are new offers with another direction (RFC 3264 section 8.4). */
  #reinvite(onHold: boolean): void {
    if (this.#state !== 'answered') return;
    this.#onHold = onHold;
    this.#media?.hold(onHold);
    this.#sdpVersion += 1;
    const direction = onHold ? 'sendonly' : 'sendrecv';
    const extra = [this.#contact(), 'Content-Type: application/sdp'];
    this.#sendInDialog('INVITE', extra, this.#describe(direction));
    this.#parts.onChange();
  }

  #sendInDialog(method: 'INVITE' | 'BYE', extra: readonly string[], body = ''): void {
    this.#sequence += 1;
    const bytes = this.#inDialog(method, this.#sequence, extra, body);
    const peer = this.#contactPeer();
    this.#request.start(
      () => peer.send(bytes),
      () => this.#end(),
    );
  }

  #inDialog(method: string, number: number, extra: readonly string[], body = ''): Buffer {
    const { sipPort, random } = this.#parts;
    const contact = valueOf(this.#invite, 'contact');
    const branch = Buffer.from(random.bytes(8)).toString('hex');
    const transport = this.#peer.transport.toUpperCase();
    const headers = [
      `Via: SIP/2.0/${transport} ${this.#ownAddress}:${sipPort.port};branch=z9hG4bK${branch};rport`,
      'Max-Forwards: 70',
      `From: ${valueOf(this.#invite, 'to')};tag=${this.#toTag}`,
      `To: ${valueOf(this.#invite, 'from')}`,
      `Call-ID: ${valueOf(this.#invite, 'call-id')}`,
      `CSeq: ${number} ${method}`,
      ...extra,
    ];
    return writeMessage(`${method} ${uriIn(contact)} SIP/2.0`, headers, body);
  }

  /** Over TCP the caller's own connection; over UDP the address in its Contact. */
  #contactPeer(): PbxPeer {
    const uri = uriIn(valueOf(this.#invite, 'contact'));
    const match = /@?((?:\d{1,3}\.){3}\d{1,3})(?::(\d{1,5}))?(?:;|$)/.exec(uri);
    if (this.#peer.transport === 'tcp' || match?.[1] === undefined) return this.#peer;
    return this.#parts.sipPort.udpPeer(match[1], Number(match[2] ?? 5060));
  }

  /** The address this caller can reach us at. */
  get #ownAddress(): string {
    return addressToward(this.#parts.host, this.#peer.address);
  }

  #contact(): string {
    const { sipPort } = this.#parts;
    const parameter = this.#peer.transport === 'tcp' ? ';transport=tcp' : '';
    return `Contact: <sip:demo-pbx@${this.#ownAddress}:${sipPort.port}${parameter}>`;
  }

  #describe(direction: Direction): string {
    if (this.#session === undefined) return '';
    return writeSession(this.#session, {
      address: this.#ownAddress,
      port: this.#media?.port ?? 0,
      id: Math.floor(this.#startedAt / 1000),
      version: this.#sdpVersion,
      direction,
    });
  }

  /** A provisional response to the INVITE. */
  #reply(status: number, reason: string): void {
    const reply = { status, reason, toTag: this.#toTag };
    this.#lastReply = writeReply(this.#invite, this.#peer, reply);
    this.#peer.send(this.#lastReply);
  }

  #answer(request: PbxMessage, status: number, reason: string): void {
    this.#peer.send(writeReply(request, this.#peer, { status, reason, toTag: this.#toTag }));
  }

  /** Any final response that is not 2xx; the call is over for us at once. */
  #refuse(status: number, reason: string): void {
    const reply = { status, reason, toTag: this.#toTag };
    this.#lastReply = writeReply(this.#invite, this.#peer, reply);
    this.#final.start(
      () => this.#peer.send(this.#lastReply),
      () => undefined,
    );
    this.#end();
  }

  /** Bytes that are no SIP; the caller has to find its own end. */
  #sendGarbage(): void {
    this.#peer.send(Buffer.from(this.#parts.random.bytes(200)));
    this.#end();
  }

  #later(delayMs: number, task: () => void): void {
    this.#timers.push(
      this.#parts.clock.after(delayMs, () => {
        if (!this.isEnded) task();
      }),
    );
  }

  #end(): void {
    if (this.isEnded) return;
    this.#state = 'ended';
    this.#endedAt = this.#parts.clock.now();
    for (const timer of this.#timers) timer.cancel();
    this.#closed = this.#media?.close();
    this.#parts.onChange();
  }
}
