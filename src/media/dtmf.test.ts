import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import {
  buildTelephoneEvent,
  DTMF_DIGITS,
  DtmfReceiver,
  DtmfSender,
  parseTelephoneEvent,
} from './dtmf.ts';

test('one event with its three end packets is one digit', () => {
  const receiver = new DtmfReceiver();
  const heard = [
    ...[160, 320, 480].flatMap((duration) => receiver.handle(event(5, 1000, duration), 0)),
    ...[640, 640, 640].flatMap((duration) => receiver.handle(event(5, 1000, duration, true), 0)),
  ];
  assert.deepEqual(heard, [{ digit: '5', durationMs: 80 }]);
});

test('the same digit twice is two digits, because the events start at different times', () => {
  const receiver = new DtmfReceiver();
  const heard = [1000, 3000].flatMap((timestamp) =>
    receiver.handle(event(11, timestamp, 800, true), 0),
  );
  assert.deepEqual(heard, [
    { digit: '#', durationMs: 100 },
    { digit: '#', durationMs: 100 },
  ]);
});

test('durations of a 48 kHz event are read on its own clock', () => {
  const receiver = new DtmfReceiver();
  const heard = receiver.handle({ ...event(10, 1, 4800, true), clockRate: 48_000 }, 0);
  assert.deepEqual(heard, [{ digit: '*', durationMs: 100 }]);
});

test('an event whose ends were all lost is over after a while, or when the next one begins', () => {
  const receiver = new DtmfReceiver();
  receiver.handle(event(1, 1000, 480), 0);
  assert.deepEqual(receiver.tick(100), []);
  assert.deepEqual(receiver.tick(200), [{ digit: '1', durationMs: 60 }]);
  assert.deepEqual(receiver.handle(event(1, 1000, 640, true), 210), []);

  receiver.handle(event(2, 5000, 480), 300);
  assert.deepEqual(receiver.handle(event(3, 9000, 160), 320), [{ digit: '2', durationMs: 60 }]);
});

test('a late packet of an old event is no new digit', () => {
  const receiver = new DtmfReceiver();
  receiver.handle(event(1, 1000, 480, true), 0);
  receiver.handle(event(2, 3000, 480, true), 0);
  assert.deepEqual(receiver.handle(event(1, 1000, 480, true), 0), []);
});

test('codes that are no DTMF digit, and short payloads, are ignored', () => {
  assert.equal(parseTelephoneEvent(Uint8Array.of(16, 0, 0, 1)), null);
  assert.equal(parseTelephoneEvent(Uint8Array.of(1, 0, 0)), null);
});

test('a digit is sent as growing updates and three ends, then a pause, then the next', () => {
  const sender = new DtmfSender();
  sender.queue('7');
  sender.queue('8');
  const sent = Array.from({ length: 13 }, () => sender.next(8000));
  const shown = sent.map((packet) => {
    const read = packet === null ? null : parseTelephoneEvent(packet.payload);
    return read === null ? '-' : `${read.code}:${read.duration}${read.end ? 'E' : ''}`;
  });
  assert.equal(
    shown.join(' '),
    '7:160 7:320 7:480 7:640 7:800E 7:800E 7:800E - - - 8:160 8:320 8:480',
  );
  assert.deepEqual(
    sent.map((packet) => packet?.starts === true),
    [true, ...Array<boolean>(9).fill(false), true, false, false],
  );
});

test('what is no digit is not queued, and the queue has an end', () => {
  const sender = new DtmfSender();
  for (const text of ['', 'x', '12', 'é']) sender.queue(text);
  assert.equal(sender.busy, false);
  for (let count = 0; count < 1000; count += 1) sender.queue('1', 40);
  let packets = 0;
  while (packets < 10_000 && (sender.busy || sender.next(8000) !== null)) {
    sender.next(8000);
    packets += 1;
  }
  assert.ok(packets < 1000);
});

test('every digit that is sent is heard once, with the length it was sent with', () => {
  const digits = fc.string({ unit: fc.constantFrom(...DTMF_DIGITS.split('')), maxLength: 12 });
  fc.assert(
    fc.property(digits, fc.constantFrom(8000, 48_000), (text, clockRate) => {
      const sender = new DtmfSender();
      const receiver = new DtmfReceiver();
      for (const digit of text) sender.queue(digit, 120);
      let heard = '';
      let timestamp = 0;
      for (let frame = 0; frame < text.length * 12; frame += 1) {
        const packet = sender.next(clockRate);
        if (packet?.starts === true) timestamp = frame * 960 + 1;
        if (packet === null) continue;
        const arrived = { timestamp, payload: packet.payload, clockRate };
        for (const digit of receiver.handle(arrived, frame * 20)) {
          heard += digit.digit;
          assert.equal(digit.durationMs, 120);
        }
      }
      assert.equal(heard, text);
    }),
    { seed: 4, numRuns: 200 },
  );
});

function event(
  code: number,
  timestamp: number,
  duration: number,
  end = false,
): { timestamp: number; payload: Uint8Array; clockRate: number } {
  const payload = buildTelephoneEvent({ code, end, volume: 10, duration });
  return { timestamp, payload, clockRate: 8000 };
}
