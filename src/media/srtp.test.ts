import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { RtpHeader, SrtcpSession, SrtpSession } from 'werift';
import { buildRtp } from './rtp.ts';
import { SRTP_SUITES, SrtpContext, srtpKeyBytes, type SrtpSuite } from './srtp.ts';

/** Against werift's SRTP, which is by others and talks with browsers, and by what RFC 3711 says. */
const SUITES = Object.keys(SRTP_SUITES) as SrtpSuite[];
const PROFILES = { AES_CM_128_HMAC_SHA1_80: 1, AEAD_AES_128_GCM: 7 } as const;

function masterKey(suite: SrtpSuite, first = 1): Buffer {
  return Buffer.from(Array.from({ length: srtpKeyBytes(suite) }, (_, i) => (first + i * 7) & 0xff));
}

function foreign(suite: SrtpSuite): { keys: ConstructorParameters<typeof SrtpSession>[0] } {
  const key = masterKey(suite).subarray(0, 16);
  const salt = masterKey(suite).subarray(16);
  const keys = {
    localMasterKey: key,
    localMasterSalt: salt,
    remoteMasterKey: key,
    remoteMasterSalt: salt,
  };
  return { keys: { keys, profile: PROFILES[suite] } };
}

function rtp(sequence: number, ssrc = 7, text = `voice ${sequence}`): Buffer {
  const payload = Buffer.from(text);
  const timestamp = (sequence * 160) >>> 0;
  return buildRtp({ payloadType: 0, marker: false, sequence, timestamp, ssrc, payload });
}

/** A sender report with no blocks (RFC 3550 section 6.4.1). */
function report(ssrc = 7): Buffer {
  const bytes = Buffer.alloc(28, 3);
  bytes.writeUInt8(0x80, 0);
  bytes.writeUInt8(200, 1);
  bytes.writeUInt16BE(6, 2);
  bytes.writeUInt32BE(ssrc, 4);
  return bytes;
}

for (const suite of SUITES) {
  const open = (first?: number) => new SrtpContext({ suite, key: masterKey(suite, first) });

  test(`${suite}: another implementation reads ours, over five roll-overs`, () => {
    const ours = open();
    const theirs = new SrtpSession(foreign(suite).keys);
    // Some get lost on the way, as on any net.
    for (let n = 65_000; n < 400_000; n += 97) {
      const packet = rtp(n & 0xffff);
      assert.deepEqual(theirs.decrypt(ours.protect(packet)), packet, `packet ${n}`);
    }
  });

  test(`${suite}: we read another implementation`, () => {
    const ours = open();
    const theirs = new SrtpSession(foreign(suite).keys);
    for (const n of [65_534, 65_535, 0, 1, 2, 3]) {
      const plain = rtp(n);
      const header = new RtpHeader({
        version: 2,
        payloadType: 0,
        sequenceNumber: n,
        timestamp: (n * 160) >>> 0,
        ssrc: 7,
      });
      const sealed = theirs.encrypt(plain.subarray(12), header);
      assert.deepEqual(ours.unprotect(sealed), plain);
    }
  });

  test(`${suite}: reports go both ways`, () => {
    const ours = open();
    const theirs = new SrtcpSession(foreign(suite).keys);
    for (let n = 0; n < 5; n += 1) {
      assert.deepEqual(theirs.decrypt(ours.protectReport(report())), report());
      const sealed = theirs.encrypt(report(9));
      assert.deepEqual(ours.unprotectReport(sealed), report(9));
      assert.equal(ours.unprotectReport(sealed), null, 'a second time');
    }
  });

  test(`${suite}: each packet passes once, and one from before the window not at all`, () => {
    const sender = open();
    const receiver = open();
    const sealed = Array.from({ length: 400 }, (_, n) => sender.protect(rtp(n)));
    for (const [n, packet] of sealed.entries()) {
      for (let copy = 0; copy < 3; copy += 1) {
        assert.equal(receiver.unprotect(packet) !== null, copy === 0, `${n}, copy ${copy}`);
      }
    }
    assert.equal(receiver.unprotect(sealed[100] as Buffer), null);
  });

  test(`${suite}: each order within the window is taken`, () => {
    const order = fc.shuffledSubarray([...Array(100).keys()], { minLength: 100 });
    fc.assert(
      fc.property(order, (numbers) => {
        const sender = open();
        const sealed = [...Array(100).keys()].map((n) =>
          sender.protect(rtp(65_480 + n - 65_536 * (n > 55 ? 1 : 0))),
        );
        const receiver = open();
        assert.notEqual(receiver.unprotect(sealed[0] as Buffer), null);
        for (const n of numbers) {
          const isFirst = n === 0;
          assert.equal(receiver.unprotect(sealed[n] as Buffer) === null, isFirst, `packet ${n}`);
        }
      }),
      { numRuns: 50, seed: 3711 },
    );
  });

  test(`${suite}: a changed bit, another key or another sender never passes`, () => {
    const sealed = open().protect(rtp(1));
    const receiver = open();
    for (let at = 0; at < sealed.length; at += 1) {
      for (const bit of [1, 128]) {
        const bent = Buffer.from(sealed);
        bent.writeUInt8(bent.readUInt8(at) ^ bit, at);
        assert.equal(receiver.unprotect(bent), null, `byte ${at}`);
      }
    }
    assert.equal(open(99).unprotect(sealed), null);
    const swapped = Buffer.from(sealed);
    swapped.writeUInt32BE(8, 8);
    assert.equal(receiver.unprotect(swapped), null);
    assert.notEqual(receiver.unprotect(sealed), null, 'the true one still passes');
    const sealedReport = open().protectReport(report());
    for (let at = 0; at < sealedReport.length; at += 1) {
      const bent = Buffer.from(sealedReport);
      bent.writeUInt8(bent.readUInt8(at) ^ 1, at);
      assert.equal(receiver.unprotectReport(bent), null, `report byte ${at}`);
    }
    assert.notEqual(receiver.unprotectReport(sealedReport), null);
  });

  test(`${suite}: bytes of any kind throw nothing`, () => {
    const receiver = open();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.equal(receiver.unprotect(bytes), null);
        assert.equal(receiver.unprotectReport(bytes), null);
      }),
      { numRuns: 2000, seed: 7714 },
    );
  });
}
