import type { Database, Tx } from '../src/database/database.ts';
import type { MediaPlane } from '../src/media/media.ts';
import type { Clock } from '../src/platform/clock.ts';
import type { SipUserAgent } from '../src/sip/sip.ts';
import type { WhatsAppClient } from '../src/whatsapp/whatsapp.ts';

/** The ports of one server run, and the way to take them all away at once, as kill -9 does. */
export type Mortal = {
  ports: {
    clock: Clock;
    database: Database;
    media: MediaPlane;
    sip: SipUserAgent;
    whatsapp: WhatsAppClient;
  };
  kill(): void;
  /** When the oldest work of the database that is still under way began; null when idle. */
  busySince(): number | null;
  /** Work of the database and requests to Meta: how many are under way, how many ever began. */
  work(): { underWay: number; begun: number };
};

export function mortal(real: Mortal['ports']): Mortal {
  let alive = true;
  const dead = (): Error => new Error('this process was killed');
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!alive) throw dead();
    return work();
  };
  const begun = new Set<{ at: number }>();
  const asked = { underWay: 0, begun: 0 };
  let count = 0;
  const watched = async <T>(work: () => Promise<T>): Promise<T> => {
    const entry = { at: real.clock.now() };
    begun.add(entry);
    count += 1;
    try {
      return await guard(work);
    } finally {
      begun.delete(entry);
    }
  };
  return {
    ports: {
      clock: {
        now: () => real.clock.now(),
        monotonic: () => real.clock.monotonic(),
        // Timers set before the kill never fire; later ones let the abandoned server close.
        after(delayMs, task) {
          const setAlive = alive;
          return real.clock.after(delayMs, () => {
            if (!setAlive || alive) task();
          });
        },
      },
      database: {
        ...real.database,
        run: (statement, values) => watched(() => real.database.run(statement, values)),
        first: (statement, values) => watched(() => real.database.first(statement, values)),
        transaction: (work) =>
          watched(() =>
            real.database.transaction(async (tx) => {
              const mine: Tx = {
                ...tx,
                run: (statement, values) => guard(() => tx.run(statement, values)),
                first: (statement, values) => guard(() => tx.first(statement, values)),
                afterCommit: (task) => tx.afterCommit(() => void (alive && task())),
              };
              const result = await work(mine);
              // Killed before its COMMIT: the database rolls it back.
              if (!alive) throw dead();
              return result;
            }),
          ),
      },
      media: {
        ...real.media,
        openCall: (options) => guard(() => real.media.openCall(options)),
        liveCalls: () => real.media.liveCalls(),
        close: async () => {},
      },
      sip: mortalSip(real.sip, () => alive),
      whatsapp: mortalClient(real.whatsapp, () => alive, asked),
    },
    kill() {
      alive = false;
    },
    busySince: () => begun.values().next().value?.at ?? null,
    work: () => ({ underWay: begun.size + asked.underWay, begun: count + asked.begun }),
  };
}

function mortalSip(sip: SipUserAgent, isAlive: () => boolean): SipUserAgent {
  return {
    invite(request, onEvent) {
      if (!isAlive()) throw new Error('this process was killed');
      const call = sip.invite(request, (event) => void (isAlive() && onEvent(event)));
      return {
        sipCallId: call.sipCallId,
        hangUp: (reason) => void (isAlive() && call.hangUp(reason)),
        reoffer: (sdp) => (isAlive() ? call.reoffer(sdp) : new Promise(() => {})),
        refer: (target, replaces) => void (isAlive() && call.refer(target, replaces)),
        sendInfoDtmf: (digits, ms) =>
          isAlive() ? call.sendInfoDtmf(digits, ms) : new Promise(() => {}),
        replaceable: () => call.replaceable(),
      };
    },
    endLost: (saved, target, reason) => void (isAlive() && sip.endLost(saved, target, reason)),
    options: (target, timeoutMs) =>
      isAlive() ? sip.options(target, timeoutMs) : new Promise(() => {}),
    registration(target) {
      const line = sip.registration(target);
      return {
        send: (seconds, timeoutMs) =>
          isAlive() ? line.send(seconds, timeoutMs) : new Promise(() => {}),
      };
    },
    liveCount: () => sip.liveCount(),
    close: async () => {},
  };
}

/** A dead process neither sends nor hears: what was under way reaches Meta, its answer nobody. */
function mortalClient(
  client: WhatsAppClient,
  isAlive: () => boolean,
  asked: { underWay: number; begun: number },
): WhatsAppClient {
  return new Proxy(client, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== 'function' || name === 'close') return member;
      return (...values: unknown[]): Promise<unknown> => {
        if (!isAlive()) return new Promise(() => {});
        const sent = Reflect.apply(member, target, values) as Promise<unknown>;
        asked.begun += 1;
        asked.underWay += 1;
        const over = (): void => void (asked.underWay -= 1);
        sent.then(over, over);
        return new Promise((resolve, reject) => {
          sent.then(
            (answer) => void (isAlive() && resolve(answer)),
            (error: unknown) => void (isAlive() && reject(error as Error)),
          );
        });
      };
    },
  });
}
