import { createHmac } from 'node:crypto';
import { connect } from 'node:net';

import { systemClock } from '../src/platform/clock.ts';

/**
 * The load for bench/intake.ts, in a process of its own: so many connections, one request at a
 * time on each, every body different and signed. Speaks HTTP by hand, because a client library
 * would need more of the two cores than the server under test.
 *
 *   node bench/intake-load.ts <port> <path> <secret> <connections> <warm-up ms> <ms>
 */
const [port, path, secret, connections, warmUpMs, runMs] = process.argv.slice(2);
const SDP_FILLER = 'a=rtcp-fb:111 transport-cc\\r\\n'.repeat(28);

let sequence = 0;
let counting = false;
let failed = 0;
const latencies: number[] = [];

function nextBody(): string {
  sequence += 1;
  const serial = `${process.pid}${String(sequence).padStart(9, '0')}`;
  const person = String(sequence % 100_000).padStart(5, '0');
  return (
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{' +
    '"field":"calls","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":' +
    '"15551112222","phone_number_id":"105615555715855"},"contacts":[{"profile":{"name":' +
    `"Anna \\u00e9"},"wa_id":"165012${person}"}],"calls":[{"id":"wacid.${serial}","from":` +
    `"15551112222","to":"165012${person}","event":"connect","direction":"BUSINESS_INITIATED",` +
    '"timestamp":"1767614400","biz_opaque_callback_data":"call_0199","session":{"sdp_type":' +
    `"answer","sdp":"v=0\\r\\n${SDP_FILLER}"}}]}}]}]}`
  );
}

function nextRequest(): string {
  const body = nextBody();
  const signature = createHmac('sha256', secret ?? '')
    .update(body)
    .digest('hex');
  return (
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n` +
    `x-hub-signature-256: sha256=${signature}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  );
}

function openConnection(): void {
  const socket = connect(Number(port), '127.0.0.1');
  let sentAt = 0;
  let answer = '';
  const send = (): void => {
    sentAt = systemClock.monotonic();
    socket.write(nextRequest(), 'latin1');
  };
  socket.setNoDelay(true);
  socket.on('connect', send);
  socket.on('error', () => (failed += 1));
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
    // Both servers answer without a body, so the head is the whole answer.
    if (!answer.includes('\r\n\r\n')) return;
    if (!answer.startsWith('HTTP/1.1 200')) failed += 1;
    else if (counting) latencies.push(systemClock.monotonic() - sentAt);
    answer = '';
    send();
  });
}

for (let index = 0; index < Number(connections); index += 1) openConnection();
systemClock.after(Number(warmUpMs), () => {
  counting = true;
  const startedAt = systemClock.monotonic();
  systemClock.after(Number(runMs), () => {
    const seconds = (systemClock.monotonic() - startedAt) / 1000;
    latencies.sort((a, b) => a - b);
    const at = (share: number): number => latencies[Math.floor(share * latencies.length)] ?? 0;
    const report = { perSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99), failed };
    process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
  });
});
