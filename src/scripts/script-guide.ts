import type { CallState } from '../calls/call.ts';
import type { CallDesk } from '../calls/call-desk.ts';
import type { CallGuide, CallHands, OpenGuide } from '../calls/call-hands.ts';
import type { PlannedScript } from '../calls/call-script.ts';
import type { Database } from '../database/database.ts';
import { listEndpoints } from '../endpoints/endpoint-store.ts';
import { readLine } from '../lines/line-store.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { SoundShelf } from '../prompts/sound-shelf.ts';
import type { Egress } from '../webhooks/egress.ts';
import { checkScript } from './script-check.ts';
import { askNextStep } from './script-asking.ts';
import { ScriptPlayer, type OpenedScript } from './script-player.ts';
import { readScript } from './script-store.ts';

export type ScriptGuidePorts = {
  database: Database;
  sealer: Sealer;
  clock: Clock;
  log: Log;
  egress: Egress;
  shelf: SoundShelf;
  desk: CallDesk;
};

/** Leads the calls that were asked for with a script; all others are left to the session. */
export function openScriptGuide(ports: ScriptGuidePorts): OpenGuide {
  return (hands, state) => {
    const { script } = state.plan;
    return script === undefined || script === null ? null : playScript(ports, hands, state, script);
  };
}

/**
 * Plays a script to whoever is on the line, also in a call that was planned without one; version
 * 0 is the newest. It begins when `onState` says that the customer is there and can hear.
 */
export function playScript(
  ports: ScriptGuidePorts,
  hands: CallHands,
  state: CallState,
  planned: PlannedScript,
): CallGuide {
  const { clock, log, desk } = ports;
  const open = (call: CallState, wanted: PlannedScript) => openScript(ports, call, wanted);
  const note: ConstructorParameters<typeof ScriptPlayer>[0]['note'] = (callId, event) =>
    desk.decide(callId, 'script', ({ status }) => (status === 'ended' ? [] : [event]));
  return new ScriptPlayer({ clock, log, open, note }, hands, state, planned);
}

async function openScript(
  ports: ScriptGuidePorts,
  { plan }: CallState,
  { scriptId, version, variables }: PlannedScript,
): Promise<OpenedScript | null> {
  const { database, sealer, shelf } = ports;
  const { accountId, id: callId } = plan;
  const wanted = version === 0 ? undefined : version;
  const stored = await readScript(database, accountId, scriptId, wanted);
  const checked = stored === null ? null : checkScript(stored.document);
  if (stored === null || checked === null || !checked.ok) return null;
  const line = await readLine(database, accountId, plan.lineId);
  const { script } = checked;
  return {
    script,
    stopKey: line?.optOutKey ?? null,
    variables: {
      ...variables,
      purpose: plan.purpose,
      reference: plan.clientReference ?? '',
      language: script.language,
      business: line?.name ?? '',
    },
    sound: (name) => shelf.prompt(accountId, name),
    spoken: (text, language, isShared) => shelf.spoken(text, language, isShared ? null : callId),
    async endpoint(named) {
      const endpoints = await listEndpoints(database, accountId);
      return endpoints.find(({ id, name }) => id === named || name === named)?.id ?? null;
    },
    async ask(step, turn, state) {
      if (stored.secret === null) return { answer: null, problem: 'secret_missing' };
      const data = {
        callId,
        contactId: plan.contactId,
        scriptId,
        version: stored.version,
        step: step.name,
        variables: state.variables,
      };
      const secret = sealer.open(stored.secret);
      return askNextStep(ports, { id: `${callId}-${turn}`, step, secret, data });
    },
    close() {
      void shelf.forget(callId).catch(() => {});
    },
  };
}
