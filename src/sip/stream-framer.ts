import { MESSAGE_LIMITS } from './message.ts';

/**
 * Cuts a byte stream into SIP messages by Content-Length (RFC 3261 section 18.3). A stream that
 * cannot be cut is beyond repair: the framer then says so and its connection must be closed.
 */
export type FramedStream = {
  messages: Buffer[];
  /** Keep-alives that want an answer (RFC 5626 section 4.4.1). */
  pings: number;
  broken?: string;
};

const HEAD_END = Buffer.from('\r\n\r\n');
export const PING = '\r\n\r\n';
export const PONG = '\r\n';

export class StreamFramer {
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes of `#pending` already searched for the end of the headers. */
  #searched = 0;

  push(chunk: Uint8Array): FramedStream {
    // Nearly every chunk holds whole messages: there is nothing before it to join it to.
    this.#pending =
      this.#pending.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
        : Buffer.concat([this.#pending, chunk]);
    const messages: Buffer[] = [];
    let pings = 0;
    for (;;) {
      pings += this.#skipKeepAlives();
      const from = Math.max(0, this.#searched - HEAD_END.length);
      const end = this.#pending.indexOf(HEAD_END, from);
      this.#searched = this.#pending.length;
      if (end < 0) break;
      const bodyLength = contentLength(this.#pending.toString('latin1', 0, end));
      if (bodyLength === undefined) return { messages, pings, broken: 'no usable Content-Length' };
      const total = end + HEAD_END.length + bodyLength;
      if (total > MESSAGE_LIMITS.bytes) return { messages, pings, broken: 'message too long' };
      if (this.#pending.length < total) {
        // The head is complete: look from its end next time, not through it again.
        this.#searched = end;
        break;
      }
      messages.push(Buffer.from(this.#pending.subarray(0, total)));
      this.#pending = this.#pending.subarray(total);
      this.#searched = 0;
    }
    const tooLong = this.#pending.length > MESSAGE_LIMITS.bytes;
    return tooLong ? { messages, pings, broken: 'message too long' } : { messages, pings };
  }

  /** RFC 5626 section 3.5.1: blank lines between messages keep a connection open. */
  #skipKeepAlives(): number {
    let at = 0;
    while (this.#pending[at] === 0x0d && this.#pending[at + 1] === 0x0a) at += 2;
    if (at === 0) return 0;
    this.#pending = this.#pending.subarray(at);
    this.#searched = 0;
    // Two line breaks ask for one; one alone is the answer to ours.
    return Math.floor(at / PING.length);
  }
}

function contentLength(head: string): number | undefined {
  const match = /\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,7})[ \t]*(?=\r\n|$)/i.exec(head);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
